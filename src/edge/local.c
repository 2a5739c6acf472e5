/*
 * Users of this machine. See local.h.
 */
#include "edge/local.h"
#include <string.h>

#include "cfg/cfg.h"
#include "edge/decide.h"
#include "policy/sender.h"
#include "proto/smtp.h"

/* ---- as whom ---- */

struct reply
local_ask_sender(struct session *s, const struct path *from)
{
	struct session_env *env = s->env;
	struct msg m = {
		.no = MSG_sender_ask,
		.sender_ask = {.session = s->number, .ask = ++s->ask, .uid = s->uid}
        };

	if (from->kind != PATH_NULL) {
		m.sender_ask.local = str_of(from->address.local);
		m.sender_ask.domain = str_of(from->address.domain.name);
	}
	if (!env->send(env->arg, VAULT, 0, &m))
		return decide(s, REASON_trouble, STR_NONE);
	return session_await(s, AWAIT_SENDER, env->link(env->arg, VAULT, 0));
}

/* What the reply says; printed before anything else is said to anybody. */
static char said[512];

/* 553 5.7.1 user www-data may not send as <root@example.org> [id] */
static struct reply
refuse_sender(struct session *s)
{
	struct buf b = BUF_ON(said);

	buf_addf(&b, "user %s may not send as <%.*s>", s->user, STR_FMT(s->tx->sender));
	struct reply r = decide(s, REASON_sender_not_yours, STR_NONE);
	r.text = said;
	return r;
}

static struct reply
refuse_uid(struct session *s)
{
	struct buf b = BUF_ON(said);

	buf_addf(&b, "uid %u is no user of this machine", s->uid);
	struct reply r = decide(s, REASON_unknown_uid, STR_NONE);
	r.text = said;
	return r;
}

static struct reply
sender_reply(struct session *s, const struct msg_sender_answer *a)
{
	if (s->user == NULL)
		s->user = strndup(a->user.p, a->user.n);
	if (s->user == NULL)
		return decide(s, REASON_no_memory, STR_NONE);
	switch ((enum sender_verdict)a->verdict) {
	case SENDER_MAY:
		return (struct reply){.code = 250, .dsn = "2.1.0", .text = "sender noted"};
	case SENDER_MAY_NOT:
		return refuse_sender(s);
	case SENDER_NO_USER:
		return refuse_uid(s);
	case SENDER_TROUBLE:
		break;
	}
	return decide(s, REASON_trouble, STR_NONE);
}

void
session_sender_answer(struct session *s, const struct msg_sender_answer *a)
{
	if (s->await != AWAIT_SENDER || a->ask != s->ask)
		return;
	session_awaited(s);
	session_answer(s, sender_reply(s, a));
}

/* ---- how much ---- */

struct reply
local_ask_rate(struct session *s)
{
	struct session_env *env = s->env;
	struct msg m = {
		.no = MSG_rate_ask,
		.rate_ask = {.session = s->number,
	                     .ask = ++s->ask,
	                     .uid = s->uid,
	                     .user = str_of(s->user)}
        };

	if (env->send(env->arg, STATE, 0, &m))
		return session_await(s, AWAIT_RATE, env->link(env->arg, STATE, 0));
	tx_refuse(s->tx);
	return decide(s, REASON_trouble, STR_NONE);
}

static struct reply
rate_reply(struct session *s, const struct msg_rate_answer *a)
{
	char room[MAILBOX_MAX + 1];
	struct buf to = BUF_ON(room);
	struct buf b = BUF_ON(said);

	if (a->wait == 0) {
		s->tx->accepted++;
		return (struct reply){.code = 250, .dsn = "2.1.5", .text = "recipient noted"};
	}
	buf_addf(&b, "user %s has sent to %u recipients within an hour, try again in %u s",
	         s->user, a->rate, a->wait);
	address_print(&to, &s->tx->asking->to.address);
	tx_refuse(s->tx);
	struct reply r = decide(s, REASON_rate_user, buf_str(&to));
	r.text = said;
	return r;
}

void
session_rate_answer(struct session *s, const struct msg_rate_answer *a)
{
	if (s->await != AWAIT_RATE || a->ask != s->ask)
		return;
	session_awaited(s);
	session_answer(s, rate_reply(s, a));
}

/* ---- what is told about them ---- */

void
local_offers(const struct session *s, struct buf *b)
{
	if (s->who == IDENTITY_LOCAL)
		buf_addf(b, "250-XORIGIN %.*s\r\n", STR_FMT(cfg_origin(s->env->cfg)));
}

void
local_origin(const struct session *s, struct buf *b)
{
	if (s->who == IDENTITY_LOCAL)
		buf_addf(b, "uid:%u", s->uid);
}
