/*
 * One mail transaction. See tx.h.
 */
#include <stdlib.h>
#include <string.h>

#include "edge/hash.h"
#include "edge/session.h"
#include "edge/tx.h"
#include "proto/smtp.h"

#define ARENA_OCTETS_MAX (32U << 20) /* 10,000 recipients with the longest of everything */
#define RCPTS_FIRST 4U

bool
tx_take(struct tx *t, size_t octets)
{
	if (octets > TX_OCTETS_MAX - t->env->tx_octets)
		return false;
	t->env->tx_octets += octets;
	t->taken += octets;
	return true;
}

static void *
tx_alloc(struct tx *t, size_t count, size_t octets)
{
	size_t all;

	if (__builtin_mul_overflow(count, octets, &all) || !tx_take(t, all))
		return NULL;
	return arena_alloc(t->arena, all);
}

static struct str
tx_str(struct tx *t, struct str s)
{
	return tx_take(t, s.n + 1) ? arena_str(t->arena, s) : STR_NONE;
}

/* Not yet counted: the whole struct is made of what it has. */
static struct tx *
tx_make(struct session_env *env)
{
	struct arena *arena = arena_new(ARENA_OCTETS_MAX);
	struct tx *t = arena == NULL ? NULL : arena_alloc(arena, sizeof(*t));

	if (t == NULL) {
		(void)arena_free(arena);
		return NULL;
	}
	t->env = env;
	t->arena = arena;
	return t;
}

struct tx *
tx_new(struct session_env *env, uint64_t id, const struct smtp_mail *m)
{
	char sender[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(sender);
	struct tx *t = tx_make(env);

	if (t == NULL)
		return NULL;
	t->id = id;
	t->flags = m->flags;
	t->announced = m->size;
	if (m->from.kind != PATH_NULL)
		address_print(&b, &m->from.address);
	t->sender = tx_str(t, buf_str(&b));
	t->envid = tx_str(t, str_of(m->envid));
	if (!tx_take(t, sizeof(*t)) || t->sender.p == NULL || t->envid.p == NULL)
		return tx_free(t);
	return t;
}

/* ---- what others hold ---- */

/* They are told with what room is kept for such words (see main.c); a lost one costs them a
 * little until their channel or our process ends. */
static void
drop_file(struct tx *t)
{
	struct msg m = {.no = MSG_body_drop, .body_drop = {.id = t->id}};

	if (t->in_file && t->env->link(t->env->arg, WRITER, t->writer) == t->writer_link)
		(void)t->env->send(t->env->arg, WRITER, t->writer, &m);
	t->in_file = false;
}

static void
drop_rcpts(struct tx *t)
{
	struct msg m = {.no = MSG_mail_drop, .mail_drop = {.id = t->id}};

	if (t->rcpts_sent)
		(void)t->env->send(t->env->arg, SPOOL, 0, &m);
	t->rcpts_sent = false;
}

struct tx *
tx_free(struct tx *t)
{
	if (t == NULL)
		return NULL;
	if (!t->committed) {
		drop_file(t);
		drop_rcpts(t);
	}
	t->env->tx_octets -= t->taken;
	free(t->body.p);
	t->hash = hash_free(t->hash);
	(void)arena_free(t->arena);
	return NULL;
}

void
tx_fail(struct tx *t, enum reason why)
{
	if (t->failed != REASON_NONE && t->failed != REASON_discarded)
		return;
	t->failed = why;
	drop_file(t);
	free(t->body.p);
	t->body = (struct buf){.p = NULL};
}

/* ---- recipients ---- */

bool
tx_ask(struct tx *t, const struct smtp_rcpt *r)
{
	if (t->asking == NULL)
		t->asking = tx_alloc(t, 1, sizeof(*t->asking));
	if (t->asking == NULL)
		return false;
	*t->asking = *r;
	t->asked_from = t->rcpt_count;
	t->asked_any = false;
	return true;
}

static uint32_t
hash_of(struct str mailbox)
{
	return (uint32_t)hash_once(mailbox);
}

/* A walk over all hashes: 10,000 of them are 40 KB, and collisions only cost a comparison. */
static bool
has_hashed(const struct tx *t, struct str mailbox, uint32_t hash)
{
	for (unsigned i = 0; i < t->rcpt_count; i++)
		if (t->hashes[i] == hash && str_eq(t->rcpts[i].mailbox, mailbox))
			return true;
	return false;
}

bool
tx_has(const struct tx *t, struct str mailbox)
{
	return has_hashed(t, mailbox, hash_of(mailbox));
}

static bool
grow_rcpts(struct tx *t)
{
	unsigned cap = t->rcpt_cap == 0 ? RCPTS_FIRST : t->rcpt_cap * 2;
	struct tx_rcpt *rcpts = tx_alloc(t, cap, sizeof(*rcpts));
	uint32_t *hashes = tx_alloc(t, cap, sizeof(*hashes));

	if (rcpts == NULL || hashes == NULL)
		return false;
	if (t->rcpt_count > 0) {
		memcpy(rcpts, t->rcpts, t->rcpt_count * sizeof(*rcpts));
		memcpy(hashes, t->hashes, t->rcpt_count * sizeof(*hashes));
	}
	t->rcpts = rcpts;
	t->hashes = hashes;
	t->rcpt_cap = cap;
	return true;
}

/* The first mailbox of an RCPT holds its texts, the others point to them. */
static bool
fill_rcpt(struct tx *t, struct tx_rcpt *to, struct str mailbox)
{
	char orig[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(orig);

	if (t->rcpt_count > t->asked_from) {
		*to = t->rcpts[t->asked_from];
	} else {
		address_print(&b, &t->asking->to.address);
		*to = (struct tx_rcpt){.orig = tx_str(t, buf_str(&b)),
		                       .orcpt = tx_str(t, str_of(t->asking->orcpt)),
		                       .notify = t->asking->notify};
	}
	to->mailbox = tx_str(t, mailbox);
	return to->mailbox.p != NULL && to->orig.p != NULL && to->orcpt.p != NULL;
}

enum reason
tx_add(struct tx *t, struct str mailbox)
{
	uint32_t hash = hash_of(mailbox);

	t->asked_any = true;
	if (has_hashed(t, mailbox, hash))
		return REASON_NONE;
	if (t->rcpt_count == TX_MAILBOXES_MAX)
		return REASON_too_many_rcpts;
	if (t->rcpt_count == t->rcpt_cap && !grow_rcpts(t))
		return REASON_no_memory;
	if (!fill_rcpt(t, &t->rcpts[t->rcpt_count], mailbox))
		return REASON_no_memory;
	t->hashes[t->rcpt_count++] = hash;
	return REASON_NONE;
}

void
tx_refuse(struct tx *t)
{
	t->rcpt_count = t->asked_from;
	t->refused++;
}
