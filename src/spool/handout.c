/*
 * What is due goes out: to the deliver with most credit, at most SCHEDULE_RCPTS recipients of
 * a message at once. Fresh mail goes from memory; the rest is read, and checked, here.
 */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "proto/smtp.h"
#include "spool/spool.h"

#define WORK_FIXED \
	512 /* octets of a work message besides endpoint, sender, recipients and body */

/* A recipient whose route is another one by now. */
struct astray {
	unsigned n;
	uint64_t next_us;
	char name[ROUTE_NAME_MAX + 1];
};

/* What one `work` is made of. */
struct parcel {
	struct msg_work work;
	uint32_t tries[SCHEDULE_RCPTS];
	int fd; /* -1, or the body's */
	struct route *route;
	char unread[251]; /* why its body cannot be read now: it is put off; empty: it can */

	/* of a message that is read */
	unsigned bad[SCHEDULE_RCPTS]; /* damaged recipients */
	unsigned bad_count;
	struct astray astray[SCHEDULE_RCPTS]; /* recipients that go by another route */
	unsigned astray_count;
	unsigned rows;
	bool more; /* there are others that are due */
	struct buf wire;
	char room[SCHEDULE_RCPTS * 1280];
};

static void
outs_of(const struct parcel *p, struct out_rcpt *out)
{
	struct list l = p->work.rcpts;
	struct item_rcpt item;

	for (unsigned i = 0; item_next_rcpt(&l, &item); i++)
		out[i] = (struct out_rcpt){.n = item.n,
		                           .tries = p->tries[i],
		                           .mailbox = item.mailbox,
		                           .orig = item.orig};
}

static struct msg
message_of(const struct parcel *p)
{
	const struct msg_work *w = &p->work;

	if (p->fd < 0)
		return (struct msg){.no = MSG_work, .work = *w};
	return (struct msg){
		.no = MSG_work_file,
		.work_file = {.id = w->id,
	                      .seq = w->seq,
	                      .again = w->again,
	                      .size = w->size,
	                      .hash = w->hash,
	                      .flags = w->flags,
	                      .endpoint = w->endpoint,
	                      .sender = w->sender,
	                      .envid = w->envid,
	                      .rcpts = w->rcpts,
	                      .body = p->fd}
        };
}

/* RC_AGAIN: not now. RC_PERM: no message can carry it. <e> is set in both cases. */
static enum rc
send_parcel(struct spool *sp, struct task *t, struct lane *l, const struct parcel *p,
            struct err *e)
{
	struct out_rcpt out[SCHEDULE_RCPTS];
	struct msg m = message_of(p);

	outs_of(p, out);
	if (!schedule_hand(p->route->schedule, t, l, out, p->work.rcpts.count))
		return err_set(e, RC_AGAIN, "out of memory");
	if (p->unread[0] != '\0') {
		l->credit++; /* it got nothing */
		schedule_sent(p->route->schedule, t);
		settle_refused(sp, p->route, t, RC_TEMP, str_of(p->unread));
		return RC_OK;
	}
	if (l->channel == NULL) {
		schedule_sent(p->route->schedule, t);
		settle_refused(sp, p->route, t, p->route->refuse, str_of(p->route->why));
		return RC_OK;
	}
	if (channel_send(l->channel, &m, e) == RC_OK) {
		schedule_sent(p->route->schedule, t);
		return RC_OK;
	}
	schedule_unhand(p->route->schedule, t);
	if (e->rc == RC_TEMP)
		l->credit = 0; /* it is gone, its end is about to be read */
	return e->rc == RC_PERM ? RC_PERM : RC_AGAIN;
}

/* May a deliver have made files of it that nobody knows of? */
static bool
is_again(const struct spool *sp, const struct task *t, uint64_t seq)
{
	return t->again || seq >> 32 != sp->boot || seq <= sp->doubt_seq;
}

static struct str
endpoint_of(const struct route *r)
{
	return r->kind == ROUTE_ENDPOINT ? route_str(r) : STR_NONE;
}

static enum rc
hand_letter(struct spool *sp, struct route *r, struct task *t, struct lane *l, struct err *e)
{
	static struct parcel p;

	p.fd = -1;
	p.route = r;
	p.unread[0] = '\0';
	p.work = (struct msg_work){.id = t->id,
	                           .seq = t->letter->seq,
	                           .again = is_again(sp, t, t->letter->seq),
	                           .size = t->letter->size,
	                           .hash = t->letter->hash,
	                           .flags = t->letter->flags,
	                           .endpoint = endpoint_of(r),
	                           .sender = t->letter->sender,
	                           .envid = t->letter->envid,
	                           .rcpts = t->letter->rcpts,
	                           .body = t->letter->body};
	for (size_t i = 0; i < LENGTH(p.tries); i++)
		p.tries[i] = 0;
	t->whole = true;
	t->in_file = false;
	return send_parcel(sp, t, l, &p, e);
}

/* ---- messages that are read ---- */

/* False: the parcel is full. */
static bool
parcel_add(struct parcel *p, const struct rcpt_row *r)
{
	struct item_rcpt item = {.n = (uint16_t)r->n,
	                         .notify = r->notify,
	                         .mailbox = r->mailbox,
	                         .orig = r->orig,
	                         .orcpt = r->orcpt};
	unsigned count = p->work.rcpts.count;

	if (count == SCHEDULE_RCPTS)
		return false;
	if (item_add_rcpt(&p->wire, &item)) {
		p->tries[count] = r->tries;
		p->work.again = p->work.again || r->tries > 0;
		p->work.rcpts.count++;
		return true;
	}
	/* any one fits alone: this is no recipient that edge ever sent */
	if (count == 0 && p->bad_count < LENGTH(p->bad)) {
		p->bad[p->bad_count++] = r->n;
		return true;
	}
	return false;
}

/* The configuration has changed since the row was written: it moves. False: it stays. */
static bool
goes_astray(struct spool *sp, struct parcel *p, const struct rcpt_row *r)
{
	struct astray *a = &p->astray[p->astray_count];
	struct buf name = BUF_ON(a->name);

	if (!route_name(sp->cfg, r->mailbox, &name) ||
	    str_eq(buf_str(&name), route_str(p->route)))
		return false;
	a->n = r->n;
	a->next_us = r->next_us;
	p->astray_count++;
	return true;
}

/* One that is due. False: the parcel is full. */
static bool
parcel_take(struct spool *sp, struct parcel *p, const struct rcpt_row *r)
{
	if (p->astray_count == LENGTH(p->astray))
		return false;
	return goes_astray(sp, p, r) || parcel_add(p, r);
}

static enum rc
parcel_fill(struct spool *sp, struct parcel *p, uint64_t id, struct err *e)
{
	struct rcpt_row r;
	enum rc rc = RC_OK;

	tables_rcpts(sp->tables, id);
	while (!p->more && (rc = tables_rcpt_next(sp->tables, &r, e)) != RC_AGAIN) {
		p->rows++;
		if (rc == RC_PERM && e->sys == EBADMSG && p->bad_count < LENGTH(p->bad))
			p->bad[p->bad_count++] = r.n;
		else if (rc != RC_OK)
			break;
		else if (r.state == ROW_WAITING && str_eq(r.route, route_str(p->route)) &&
		         schedule_is_due(p->route->schedule, r.next_us, sp->wall_us))
			p->more = !parcel_take(sp, p, &r);
	}
	tables_rcpts_end(sp->tables);
	p->work.rcpts.wire = buf_str(&p->wire);
	return p->more || rc == RC_AGAIN ? RC_OK : e->rc;
}

static void
hold_one(struct spool *sp, uint64_t id, unsigned n, const char *why)
{
	struct err e;

	log_put(LOG_ERROR, "held",
	        KVS(kv_id("id", id), kv_num("n", n), kv_text("reason", why)));
	if (!batch_begin(sp) ||
	    tables_hold(sp->tables, id, n, str_slice(str_of(why), 0, 250), &e) == RC_OK)
		return;
	if (e.sys == EBADMSG) /* the file is damaged here; the others' rows need not be */
		log_put(LOG_ERROR, "not_held", KVS(kv_id("id", id), kv_text("text", e.text)));
	else
		batch_lost(sp, &e);
}

/* Nothing of it can be delivered; nothing of it is thrown away. */
static enum rc
hold_all(struct spool *sp, struct route *route, struct task *t, struct err why)
{
	unsigned bad[SCHEDULE_RCPTS];
	unsigned count = 0;
	struct rcpt_row r;
	struct err e;
	enum rc rc;

	tables_rcpts(sp->tables, t->id);
	while (count < LENGTH(bad) && ((rc = tables_rcpt_next(sp->tables, &r, &e)) == RC_OK ||
	                               (rc == RC_PERM && e.sys == EBADMSG)))
		if (r.state == ROW_WAITING && str_eq(r.route, route_str(route)))
			bad[count++] = r.n;
	tables_rcpts_end(sp->tables);
	for (unsigned i = 0; i < count; i++)
		hold_one(sp, t->id, bad[i], why.text);
	if (count < LENGTH(bad)) /* else the rest next time */
		schedule_drop(route->schedule, t);
	return sp->broken ? RC_AGAIN : RC_OK;
}

static enum rc
read_parcel(struct spool *sp, struct task *t, struct parcel *p, struct err *e)
{
	struct mail_row row;

	p->fd = -1;
	p->bad_count = 0;
	p->astray_count = 0;
	p->rows = 0;
	p->more = false;
	p->work = (struct msg_work){.id = t->id, .endpoint = endpoint_of(p->route)};
	if (tables_mail(sp->tables, t->id, &row, e) != RC_OK)
		return e->rc;
	t->in_file = (row.flags & MAIL_IN_FILE) != 0;
	t->arrived_us = row.arrived_us;
	p->work.seq = row.seq;
	p->work.again = is_again(sp, t, row.seq);
	p->work.size = row.size;
	p->work.hash = row.hash;
	p->work.flags = row.flags;
	p->work.sender = row.sender;
	p->work.envid = row.envid;
	p->work.body = row.body;
	p->wire = BUF_ON(p->room);
	if (t->in_file)
		return RC_OK;
	size_t room =
		MSG_OCTETS_MAX - WORK_FIXED - p->work.endpoint.n - row.sender.n - row.body.n;
	if (row.body.n != row.size || row.body.n > MSG_OCTETS_MAX - 4096)
		return err_set(e, RC_PERM, "the body has another size than its row says");
	p->wire.cap = room < sizeof(p->room) ? room : sizeof(p->room);
	return RC_OK;
}

/* RC_PERM: damaged, hold it. RC_AGAIN: not now. */
static enum rc
trouble(struct spool *sp, const struct err *e)
{
	if (e->rc == RC_PERM || e->sys == EBADMSG)
		return RC_PERM;
	if (e->sys == EIO)
		batch_lost(sp, e);
	else
		log_say(LOG_WARN, "not_read", e->text);
	sp->pause_ms = sp->now_ms + 1000;
	return RC_AGAIN;
}

static void
reroute(struct spool *sp, const struct parcel *p, uint64_t id)
{
	struct err e;

	for (unsigned i = 0; i < p->astray_count && batch_begin(sp); i++) {
		const struct astray *a = &p->astray[i];

		if (tables_reroute(sp->tables, id, a->n, str_of(a->name), &e) != RC_OK) {
			batch_lost(sp, &e);
			return;
		}
		route_row_due(sp, str_of(a->name), a->next_us);
	}
}

static enum rc
hand_rows(struct spool *sp, struct task *t, struct lane *l, struct parcel *p, struct err *e)
{
	if (parcel_fill(sp, p, t->id, e) != RC_OK)
		return trouble(sp, e);
	for (unsigned i = 0; i < p->bad_count; i++)
		hold_one(sp, t->id, p->bad[i], "the row is damaged");
	reroute(sp, p, t->id);
	if (p->work.rcpts.count == 0) {
		if (!p->more)
			schedule_drop(p->route->schedule, t);
		return sp->broken ? RC_AGAIN : RC_OK;
	}
	t->look = p->more;
	t->whole = !p->more && p->rows == p->work.rcpts.count;
	return send_parcel(sp, t, l, p, e);
}

/* One that cannot be read holds up no other: it is put off. False: it never can be. */
static bool
open_body(const struct task *t, struct parcel *p, struct err *e)
{
	if (body_open(t->id, p->work.size, &p->fd, e) == RC_OK)
		return true;
	struct buf why = BUF_ON(p->unread);
	buf_add(&why, str_of(e->text));
	return e->rc != RC_PERM;
}

static enum rc
hand_stored(struct spool *sp, struct route *r, struct task *t, struct lane *l, struct err *e)
{
	static struct parcel p;

	p.route = r;
	p.unread[0] = '\0';
	enum rc rc = read_parcel(sp, t, &p, e);
	if (rc != RC_OK)
		rc = trouble(sp, e);
	else if (!t->in_file || open_body(t, &p, e))
		rc = hand_rows(sp, t, l, &p, e);
	else
		rc = RC_PERM;
	tables_mail_end(sp->tables);
	fd_closep(&p.fd);
	return rc == RC_PERM ? hold_all(sp, r, t, *e) : rc;
}

/* ---- the turn ---- */

static void
refill(struct spool *sp, struct route *r)
{
	static struct due rows[SCHEDULE_ROWS_MOST];
	unsigned most = schedule_wants_rows(r->schedule, sp->wall_us);
	unsigned count;
	struct err e;

	if (most == 0)
		return;
	if (tables_due(sp->tables, route_str(r), schedule_cursor(r->schedule), most, rows,
	               &count, &e) != RC_OK) {
		(void)trouble(sp, &e); /* whatever it is, it pauses */
		return;
	}
	schedule_take_rows(r->schedule, rows, count, most, sp->wall_us);
}

/* A deliver gets so many in a row, to sync them together. */
#define LANE_RUN 64

static enum rc
hand_route(struct spool *sp, struct route *r, unsigned *handed, struct err *e)
{
	struct lane *l = NULL;
	struct task *t;
	enum rc rc = RC_OK;

	refill(sp, r);
	while (rc == RC_OK && route_takes(r) && (t = schedule_first(r->schedule)) != NULL) {
		if (l == NULL || l->credit == 0 || *handed % LANE_RUN == 0)
			l = schedule_lane_turn(r->schedule);
		if (l == NULL)
			break;
		rc = t->letter != NULL ? hand_letter(sp, r, t, l, e)
		                       : hand_stored(sp, r, t, l, e);
		(*handed)++;
	}
	return rc;
}

unsigned
hand_out(struct spool *sp)
{
	unsigned handed = 0;
	struct route *r;
	struct err e;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	{
		if (sp->broken || sp->draining || sp->now_ms < sp->pause_ms)
			break;
		if (hand_route(sp, r, &handed, &e) == RC_PERM) {
			log_say(LOG_ERROR, "handout", e.text);
			sp->pause_ms = sp->now_ms + 1000;
		}
	}
	return handed;
}
