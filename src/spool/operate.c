/*
 * What an operator does to recipients of the queue: hold, release, retry now, delete. One page
 * a question, durable when it is answered, one commit for the whole page.
 *
 * What is out for delivery at that moment is the deliver's: nothing can call it back. Held, it
 * stays held where its delivery fails. It cannot be deleted: it may be delivered already, and
 * a record that says otherwise would be a lie. It goes out as soon as can be, so retry has
 * nothing to do for it.
 */
#include <errno.h>

#include "base/log.h"
#include "proto/smtp.h"
#include "spool/spool.h"

#define PAGE 128 /* recipients changed in one commit */

/* A row as it was when it was chosen. */
struct chosen {
	uint64_t id;
	unsigned n;
	enum row_state state;
	uint64_t next_us;
	struct str sender;
	struct str orig;
	struct str mailbox;
	struct str reply;
	struct str route;
	bool done;
};

struct page {
	struct chosen rows[PAGE];
	unsigned count;
	struct buf texts;
	char room[PAGE * (3 * 320 + 250 + ROUTE_NAME_MAX)];
	struct msg_queue_changed answer;
};

static struct str
keep_text(struct buf *b, struct str s)
{
	size_t at = b->n;

	buf_add(b, s); /* left out where a damaged row has longer ones than edge ever sends */
	return (struct str){b->p + at, b->n - at};
}

static void
choose(struct spool *sp, struct page *p, const struct listed *l)
{
	p->rows[p->count++] = (struct chosen){.id = l->rcpt.id,
	                                      .n = l->rcpt.n,
	                                      .state = select_state(sp, &l->rcpt),
	                                      .next_us = l->rcpt.next_us,
	                                      .sender = keep_text(&p->texts, l->sender),
	                                      .orig = keep_text(&p->texts, l->rcpt.orig),
	                                      .mailbox = keep_text(&p->texts, l->rcpt.mailbox),
	                                      .reply = keep_text(&p->texts, l->rcpt.reply),
	                                      .route = keep_text(&p->texts, l->rcpt.route)};
}

/* First all are chosen, then all are changed: no walk sees its own changes. */
static enum rc
choose_all(struct spool *sp, struct page *p, const struct msg_queue_ask *m, struct err *e)
{
	struct selection s;
	struct listed l;
	enum rc rc = RC_OK;

	select_begin(sp, &s, m);
	while (p->count < PAGE && (rc = select_next(sp, &s, &l, e)) == RC_OK)
		choose(sp, p, &l);
	select_end(sp);
	p->answer.more = !s.over;
	p->answer.id = s.id & INT64_MAX;
	p->answer.n = (uint16_t)(s.n <= 9999 ? s.n : 9999);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* ---- one row ---- */

static struct out_rcpt *
out_of(const struct spool *sp, const struct chosen *r)
{
	const struct route *route = route_find(sp, r->route);
	const struct task *t = route == NULL ? NULL : schedule_find(route->schedule, r->id);

	return t == NULL ? NULL : task_out(t, r->n);
}

static enum rc
hold(struct spool *sp, struct page *p, struct chosen *r, struct err *e)
{
	struct out_rcpt *o = out_of(sp, r);

	if (r->state == ROW_HELD || (o != NULL && o->held)) {
		p->answer.same++;
		return RC_OK;
	}
	if (o != NULL) {
		p->answer.out++;
		o->held = true;
	}
	r->done = true;
	return tables_move(sp->tables, r->id, r->n, ROW_WAITING, ROW_HELD, r->next_us, e);
}

static enum rc
release(struct spool *sp, struct page *p, struct chosen *r, struct err *e)
{
	struct out_rcpt *o = out_of(sp, r);

	if (r->state == ROW_WAITING || (o != NULL && !o->held)) {
		p->answer.same++;
		return RC_OK;
	}
	if (o != NULL)
		o->held = false;
	r->done = true;
	route_row_due(sp, r->route, sp->wall_us);
	return tables_move(sp->tables, r->id, r->n, ROW_HELD, ROW_WAITING, sp->wall_us, e);
}

static enum rc
retry(struct spool *sp, struct page *p, struct chosen *r, struct err *e)
{
	if (r->state != ROW_WAITING) {
		*(r->state == ROW_OUT ? &p->answer.out : &p->answer.same) += 1;
		return RC_OK;
	}
	r->done = true;
	route_row_due(sp, r->route, sp->wall_us);
	return tables_move(sp->tables, r->id, r->n, ROW_WAITING, ROW_WAITING, sp->wall_us, e);
}

/* Its last recipient is gone: so are its envelope and its body. */
static enum rc
drop_message(struct spool *sp, uint64_t id, struct err *e)
{
	struct mail_row mail;
	bool in_file;

	if (tables_has_rcpts(sp->tables, id, e) == RC_OK)
		return RC_OK;
	if (e->sys != ENOENT)
		return e->rc;
	/* where the envelope is damaged, the hourly look finds the file */
	in_file = tables_mail(sp->tables, id, &mail, e) == RC_OK &&
	          (mail.flags & MAIL_IN_FILE) != 0;
	tables_mail_end(sp->tables);
	if (tables_drop_mail(sp->tables, id, e) != RC_OK)
		return e->rc;
	routes_drop(sp, id);
	if (in_file)
		batch_add_body(sp, id);
	return RC_OK;
}

static enum rc
discard(struct spool *sp, struct page *p, struct chosen *r, struct err *e)
{
	if (r->state == ROW_OUT) {
		p->answer.out++;
		return RC_OK;
	}
	r->done = true;
	if (tables_drop_rcpt(sp->tables, r->id, r->n, e) != RC_OK)
		return e->rc;
	return drop_message(sp, r->id, e);
}

/* ---- the page ---- */

static const struct {
	enum rc (*run)(struct spool *sp, struct page *p, struct chosen *r, struct err *e);
	const char *verdict; /* in its record; NULL: worth none, nothing is decided */
} acts[] = {
	[QUEUE_HOLD] = {hold,    "held"    },
	[QUEUE_RELEASE] = {release, "released"},
	[QUEUE_RETRY] = {retry,   NULL      },
	[QUEUE_DELETE] = {discard, "deleted" },
};

/* One log line and one journal record a recipient, the same fields. */
static void
record_all(struct spool *sp, const struct page *p, const struct msg_queue_ask *m)
{
	for (unsigned i = 0; i < p->count; i++) {
		const struct chosen *r = &p->rows[i];
		const struct kv *fields =
			KVS(kv_id("id", r->id), kv_text("verdict", acts[m->act].verdict),
		            kv_str("rcpt", r->orig), kv_str("mailbox", r->mailbox),
		            kv_str("sender", r->sender), kv_num("uid", m->uid),
		            kv_str("reply", r->reply));

		if (!r->done)
			continue;
		log_put(LOG_INFO, "operator", fields);
		journal_add(sp->journal, r->id, sp->wall_us, "operator", fields);
	}
}

/* False: nothing of the page was changed. */
static bool
change_all(struct spool *sp, struct page *p, const struct msg_queue_ask *m)
{
	struct err e;

	if (!batch_begin(sp))
		return false;
	for (unsigned i = 0; i < p->count; i++) {
		struct chosen *r = &p->rows[i];

		if (acts[m->act].run(sp, p, r, &e) != RC_OK) {
			batch_lost(sp, &e);
			return false;
		}
		p->answer.changed += r->done;
	}
	if (!batch_commit(sp))
		return false;
	for (unsigned i = 0; i < p->count; i++)
		if (p->rows[i].done)
			routes_reread(sp, p->rows[i].id);
	return true;
}

static bool
act(struct spool *sp, struct page *p, const struct msg_queue_ask *m)
{
	struct err e;

	/* what was under way must not be taken for older than this, nor fill up the batch */
	if (!batch_commit(sp))
		return false;
	if (choose_all(sp, p, m, &e) != RC_OK) {
		log_say(LOG_ERROR, "queue_ask", e.text);
		return false;
	}
	if (p->count == 0)
		return true;
	if (!change_all(sp, p, m))
		return false;
	if (m->act == QUEUE_DELETE)
		sp->counts.deleted += p->answer.changed;
	if (acts[m->act].verdict != NULL)
		record_all(sp, p, m);
	return true;
}

void
operate(struct spool *sp, struct channel *c, const struct msg_queue_ask *m)
{
	static struct page p;
	struct err e;

	p.count = 0;
	p.texts = BUF_ON(p.room);
	buf_clear(&p.texts);
	p.answer = (struct msg_queue_changed){.ask = m->ask};
	if (!act(sp, &p, m))
		p.answer = (struct msg_queue_changed){.ask = m->ask, .rc = RC_TEMP};
	struct msg answer = {.no = MSG_queue_changed, .queue_changed = p.answer};
	if (channel_send(c, &answer, &e) != RC_OK)
		log_say(LOG_WARN, "queue_changed", e.text);
}
