/*
 * Decisions as they are written down. See decide.h.
 */
#include <assert.h>

#include "base/log.h"
#include "edge/decide.h"
#include "edge/session.h"
#include "edge/verbs.h"
#include "proto/problem.h"

#define FIELDS_MAX 24U
#define RECORD_MAX 1800U /* octets: item record's fields */

/* The fields of one decision while they gather. */
struct fields {
	struct kv kv[FIELDS_MAX];
	unsigned n;
};

static void
add(struct fields *f, struct kv kv)
{
	assert(f->n + 1 < FIELDS_MAX); /* the last stays empty: it ends the list */
	f->kv[f->n++] = kv;
}

static void
add_text(struct fields *f, const char *key, struct str text)
{
	if (text.n > 0)
		add(f, kv_str(key, text));
}

static void
add_count(struct fields *f, const char *key, uint64_t count)
{
	if (count > 0)
		add(f, kv_num(key, count));
}

static void
add_tx(struct fields *f, const struct tx *t)
{
	add(f, kv_str("from", t->sender));
	add(f, kv_num("rcpts", t->rcpt_count));
	add_count(f, "size", t->kept + t->body.n);
	add_count(f, "bare_lf", t->content.bare_lf);
	add_count(f, "bare_cr", t->content.bare_cr);
}

static void
write_down(const struct session *s, struct fields *f)
{
	char room[RECORD_MAX + 1];
	struct buf b = BUF_ON(room);

	log_put(LOG_INFO, "decision", f->kv);
	log_fields(&b, "decision", f->kv);
	s->env->journal(s->env->arg, s->id, buf_str(&b));
}

struct reply
reason_reply(enum reason why)
{
	const struct reason_row *row = reason_row(why);

	return (struct reply){.code = row->code,
	                      .close = row->code == 421 || row->code == 221,
	                      .dsn = row->dsn,
	                      .text = row->text};
}

/* The code is the reply's: a parser's refusals have codes of their own. */
static struct reply
decide_as(struct session *s, enum reason why, struct reply r, struct kv about)
{
	const struct reason_row *row = reason_row(why);
	struct netaddr_text client = netaddr_text(&s->client);
	char number[9];
	struct buf b = BUF_ON(number);
	struct fields f = {.n = 0};

	s->env->metrics.n[METRIC_decisions + why]++;
	buf_addf(&b, "%08x", s->number);
	r.id = s->id;
	add(&f, kv_id("id", s->id));
	add(&f, kv_str("session", buf_str(&b)));
	add(&f, kv_text("client", client.c));
	add_text(&f, "user", str_of(s->user));
	add(&f, kv_text("stage", s->verb->stage));
	add(&f, kv_text("verdict", verdict_name(row->verdict)));
	add(&f, kv_text("reason", row->name));
	add(&f, kv_num("code", r.code));
	add(&f, kv_text("dsn", r.dsn));
	add_text(&f, about.key, about.s);
	if (s->tx != NULL)
		add_tx(&f, s->tx);
	add_text(&f, "helo", str_of(s->helo));
	write_down(s, &f);
	return r;
}

struct reply
decide(struct session *s, enum reason why, struct str to)
{
	return decide_as(s, why, reason_reply(why), kv_str("to", to));
}

struct reply
decide_problem(struct session *s, const struct smtp_problem *p, struct str said)
{
	struct reply r = {.code = p->code, .dsn = p->dsn, .text = p->text};

	return decide_as(s, REASON_syntax, r, kv_str("said", str_slice(said, 0, 200)));
}
