/*
 * What edges hand in: an envelope, checked as from a stranger, becomes rows of the batch.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/id.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "proto/smtp.h"
#include "spool/spool.h"

#define RCPTS_MOST 10000U /* numbers of item.def */

static struct box *
box_of(struct spool *sp, const struct channel *c)
{
	struct box *b;

	TAILQ_FOREACH(b, &sp->boxes, link)
	if (b->channel == c)
		return b;
	return NULL;
}

bool
keep_edge_up(struct spool *sp, struct channel *c)
{
	struct box *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return false;
	b->channel = c;
	TAILQ_INIT(&b->held);
	TAILQ_INSERT_TAIL(&sp->boxes, b, link);
	return true;
}

static void
held_free(struct box *b, struct held *h)
{
	TAILQ_REMOVE(&b->held, h, link);
	b->held_octets -= h->octets;
	free(h->wire);
	free(h);
}

void
keep_edge_down(struct spool *sp, struct channel *c)
{
	struct box *b = box_of(sp, c);
	struct held *h;

	for (unsigned i = 0; i < sp->batch.mail_count; i++)
		if (sp->batch.mails[i].edge == c)
			sp->batch.mails[i].edge = NULL;
	if (b == NULL)
		return;
	while ((h = TAILQ_FIRST(&b->held)) != NULL)
		held_free(b, h);
	TAILQ_REMOVE(&sp->boxes, b, link);
	free(b);
}

static struct held *
held_of(const struct box *b, uint64_t id)
{
	struct held *h;

	TAILQ_FOREACH(h, &b->held, link)
	if (h->id == id)
		return h;
	return NULL;
}

static struct held *
held_new(struct box *b, uint64_t id)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->id = id;
	TAILQ_INSERT_TAIL(&b->held, h, link);
	return h;
}

/* False when memory is out. */
static bool
held_add(struct box *b, struct held *h, const struct list *l)
{
	char *wire = realloc(h->wire, h->octets + l->wire.n + 1);

	if (wire == NULL)
		return false;
	h->wire = wire;
	memcpy(h->wire + h->octets, l->wire.p, l->wire.n);
	h->octets += l->wire.n;
	h->count += l->count;
	b->held_octets += l->wire.n;
	return true;
}

const char *
keep_rcpts(struct spool *sp, struct channel *c, const struct msg_mail_rcpts *m)
{
	struct box *b = box_of(sp, c);

	if (b == NULL || id_maker(m->id) != channel_index(c))
		return "recipients of another's message";
	if (m->rcpts.count == 0)
		return "a list of no recipients";
	struct held *h = held_of(b, m->id);
	if (h == NULL)
		h = held_new(b, m->id);
	if (h == NULL)
		return "out of memory for recipients";
	if (h->count + m->rcpts.count > RCPTS_MOST ||
	    b->held_octets + m->rcpts.wire.n > HELD_OCTETS)
		return "more recipients than a message may have";
	return held_add(b, h, &m->rcpts) ? NULL : "out of memory for recipients";
}

void
keep_drop(struct spool *sp, struct channel *c, uint64_t id)
{
	struct box *b = box_of(sp, c);
	struct held *h = b == NULL ? NULL : held_of(b, id);

	if (h != NULL)
		held_free(b, h);
}

/* An envelope's recipients: those that came before, and those that came with it. */
struct envelope {
	struct list lists[2];
	unsigned count;
};

/* Numbers 0 to count - 1, each once; nobody without a mailbox. */
static bool
rcpts_are_good(const struct envelope *env)
{
	static uint8_t seen[(RCPTS_MOST + 7) / 8];
	struct item_rcpt r;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < LENGTH(env->lists); i++) {
		struct list l = env->lists[i];

		while (item_next_rcpt(&l, &r)) {
			if (r.n >= env->count || r.mailbox.n == 0 ||
			    (seen[r.n / 8] & BIT(r.n % 8)) != 0)
				return false;
			seen[r.n / 8] |= (uint8_t)BIT(r.n % 8);
		}
	}
	return true;
}

static const char *
mail_fault(const struct envelope *env, const struct msg_mail_commit *m)
{
	bool in_file = (m->flags & MAIL_IN_FILE) != 0;

	if (env->count == 0 || env->count > RCPTS_MOST || !rcpts_are_good(env))
		return "a message with impossible recipients";
	if (in_file ? m->body.n > 0 : m->body.n != m->size)
		return "a message whose size is not its body's";
	if (!in_file && XXH3_64bits(m->body.p, m->body.n) != m->hash)
		return "a message whose hash is not its body's";
	return NULL;
}

static struct mail_row
row_of(struct spool *sp, const struct msg_mail_commit *m, unsigned rcpts)
{
	return (struct mail_row){
		.id = m->id,
		.seq = (uint64_t)sp->boot << 32 | ++sp->made,
		.arrived_us = sp->wall_us,
		.flags = m->flags,
		.size = m->size,
		.hash = m->hash,
		.rcpts = rcpts,
		.client = m->client,
		.sender = m->sender,
		.envid = m->envid,
		.helo = m->helo,
		.origin = m->origin,
		.body = m->body,
	};
}

/* Which routes of the message are to be told of it once it is durable. */
static void
note_route(struct spool *sp, struct pending *p, struct str name)
{
	struct route *r;

	for (unsigned i = 0; i < p->route_count; i++)
		if (str_eq(route_str(p->routes[i]), name))
			return;
	if (p->route_count == PENDING_ROUTES || (r = route_get(sp, name)) == NULL) {
		p->more_routes = true;
		return;
	}
	r->pending++; /* else the room for the next one could be made of this one */
	p->routes[p->route_count++] = r;
}

static enum rc
put_rcpts(struct spool *sp, const struct mail_row *row, const struct envelope *env,
          struct pending *p, struct err *e)
{
	struct item_rcpt item;

	for (size_t i = 0; i < LENGTH(env->lists); i++) {
		struct list l = env->lists[i];

		while (item_next_rcpt(&l, &item)) {
			char room[ROUTE_NAME_MAX + 1];
			struct buf name = BUF_ON(room);

			if (!route_name(sp->cfg, item.mailbox, &name))
				buf_clear(&name); /* into a Maildir */
			struct rcpt_row r = {
				.id = row->id,
				.n = item.n,
				.notify = item.notify,
				.state = ROW_WAITING,
				.next_us = row->arrived_us,
				.mailbox = item.mailbox,
				.orig = item.orig,
				.orcpt = item.orcpt,
				.route = buf_str(&name),
			};
			if (tables_put_rcpt(sp->tables, &r, e) != RC_OK)
				return e->rc;
			note_route(sp, p, r.route);
		}
	}
	return RC_OK;
}

/*
 * Not kept: what the writer made for it only takes room. Never while a row has that id, or
 * while nobody knows (broken: the batch may be on the disk after all).
 */
static void
discard_body(struct spool *sp, const struct msg_mail_commit *m)
{
	if ((m->flags & MAIL_IN_FILE) != 0 && !sp->broken &&
	    !tables_has_mail(sp->tables, m->id))
		body_remove(m->id);
}

/* The rows, into the batch. A failure is answered: RC_TEMP. */
static void
put_mail(struct spool *sp, struct channel *c, const struct envelope *env,
         const struct msg_mail_commit *m)
{
	struct mail_row row = row_of(sp, m, env->count);
	struct pending p = {.edge = c,
	                    .session = m->session,
	                    .id = m->id,
	                    .arrived_us = row.arrived_us,
	                    .in_file = (m->flags & MAIL_IN_FILE) != 0};
	struct err e;

	if (tables_put_mail(sp->tables, &row, &e) != RC_OK) {
		if (e.sys != EEXIST)
			batch_lost(sp, &e);
		log_put(LOG_WARN, "not_kept", KVS(kv_id("id", m->id), kv_text("text", e.text)));
		discard_body(sp, m);
		mail_answer(c, m->session, m->id, RC_TEMP, e.sys == ENOSPC);
		return;
	}
	if (put_rcpts(sp, &row, env, &p, &e) != RC_OK) {
		pending_end(&p);
		batch_lost(sp, &e);
		discard_body(sp, m);
		mail_answer(c, m->session, m->id, RC_TEMP, e.sys == ENOSPC);
		return;
	}
	if (env->lists[0].count == 0 && env->count <= SCHEDULE_RCPTS && !p.in_file &&
	    p.route_count == 1 && !p.more_routes &&
	    schedule_wants_letter(p.routes[0]->schedule))
		p.letter = letter_new(row.seq, m);
	batch_add_mail(sp, p, m->body.n);
}

static void
keep_or_defer(struct spool *sp, struct channel *c, const struct envelope *env,
              const struct msg_mail_commit *m)
{
	struct err e;

	if (sp->broken || sp->is_full) {
		discard_body(sp, m);
		mail_answer(c, m->session, m->id, RC_TEMP, sp->is_full);
		return;
	}
	if ((m->flags & MAIL_IN_FILE) != 0 && body_check(m->id, m->size, &e) != RC_OK) {
		log_put(LOG_WARN, "not_kept", KVS(kv_id("id", m->id), kv_text("text", e.text)));
		mail_answer(c, m->session, m->id, RC_TEMP, false);
		return;
	}
	if (batch_begin(sp))
		put_mail(sp, c, env, m);
	else
		mail_answer(c, m->session, m->id, RC_TEMP, false);
}

const char *
keep_mail(struct spool *sp, struct channel *c, const struct msg_mail_commit *m)
{
	struct box *b = box_of(sp, c);

	if (b == NULL || id_maker(m->id) != channel_index(c))
		return "another's message";
	struct held *h = held_of(b, m->id);
	struct envelope env = {
		.lists = {{0}, m->rcpts},
                  .count = m->rcpts.count
        };
	if (h != NULL) {
		env.lists[0] = (struct list){
			h->count, {h->wire, h->octets}
                };
		env.count += h->count;
	}
	const char *why = mail_fault(&env, m);
	if (why != NULL)
		return why;
	keep_or_defer(sp, c, &env, m);
	if (h != NULL)
		held_free(b, h);
	return NULL;
}
