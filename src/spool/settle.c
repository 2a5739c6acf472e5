/*
 * What delivers report. A row goes only here: its delivery is durable. All else stays, to be
 * tried again or held for the operator.
 */
#include <errno.h>
#include <sys/random.h>

#include "base/log.h"
#include "spool/spool.h"

/* The lane of a deliver was made when it came; that of an endpoint is made with its first
 * credit. */
static struct lane *
lane_for(struct spool *sp, struct channel *c, struct str endpoint)
{
	struct route *r =
		channel_peer(c) == REMOTE ? route_endpoint(sp, endpoint) : route_of(c);

	if (r == NULL)
		return NULL;
	struct lane *l = schedule_lane(r->schedule, c);
	return l != NULL ? l : schedule_lane_new(r->schedule, c);
}

const char *
settle_credit(struct spool *sp, struct channel *c, const struct msg_work_want *m)
{
	struct lane *l = lane_for(sp, c, m->endpoint);

	if (l == NULL)
		return "credit for what it does not serve";
	l->credit += m->messages;
	if (l->credit > SCHEDULE_CREDIT)
		l->credit = SCHEDULE_CREDIT;
	return NULL;
}

/* One log line, one journal record, the same fields. */
static void
record(struct spool *sp, const struct task *t, const struct out_rcpt *o, const char *verdict,
       struct str reply)
{
	uint64_t delay_us = sp->wall_us > t->arrived_us ? sp->wall_us - t->arrived_us : 0;
	const struct kv *fields =
		KVS(kv_id("id", t->id), kv_str("rcpt", o->orig), kv_str("mailbox", o->mailbox),
	            kv_text("verdict", verdict), kv_str("reply", reply),
	            kv_num("delay_ms", delay_us / 1000));

	log_put(LOG_INFO, "delivery", fields);
	journal_add(sp->journal, t->id, sp->wall_us, "delivery", fields);
}

static uint64_t
chance_of(struct spool *sp)
{
	uint64_t chance = 0;

	/* without it the waits are still waits */
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = sp->now_ms;
	return chance;
}

static enum rc
put_off(struct spool *sp, struct route *r, const struct task *t, const struct out_rcpt *o,
        struct str reply, struct err *e)
{
	uint64_t next_us = sp->wall_us + retry_wait_us(&sp->retry, o->tries, chance_of(sp));

	sp->counts.deferred++;
	sp->metrics.n[METRIC_deferred + r->kind]++;
	record(sp, t, o, "deferred", reply);
	schedule_deferred(r->schedule, next_us);
	return tables_defer(sp->tables, t->id, o->n, next_us, reply, e);
}

static enum rc
settle_row(struct spool *sp, struct route *r, struct task *t, struct out_rcpt *o,
           const struct item_result *result, struct err *e)
{
	if (result->rc == RC_OK) {
		sp->counts.delivered++;
		sp->metrics.n[METRIC_delivered + r->kind]++;
		record(sp, t, o, "delivered", result->reply);
		return tables_drop_rcpt(sp->tables, t->id, o->n, e);
	}
	t->stay++;
	if (result->rc != RC_PERM &&
	    !retry_over(&sp->retry, t->arrived_us, sp->wall_us, o->tries + 1))
		return put_off(sp, r, t, o, result->reply, e);
	sp->counts.stopped++;
	sp->metrics.n[METRIC_stopped + r->kind]++;
	record(sp, t, o, "held", result->reply);
	return tables_hold(sp->tables, t->id, o->n, result->reply, e);
}

/* Its rows are as they were: they go out once more. */
static void
unsettled(struct task *t)
{
	t->stay++;
	t->look = true;
	t->whole = false;
}

static void
settle_one(struct spool *sp, struct route *r, struct task *t, struct out_rcpt *o,
           const struct item_result *result)
{
	struct err e;

	o->settled = true;
	t->out_left--;
	if (!batch_begin(sp)) {
		unsettled(t);
	} else if (settle_row(sp, r, t, o, result, &e) != RC_OK) {
		batch_lost(sp, &e);
		unsettled(t);
	}
}

/* RC_OK: rows of it remain. */
static enum rc
has_rows(struct spool *sp, const struct task *t, struct err *e)
{
	if (t->stay > 0)
		return RC_OK;
	if (!t->whole)
		return tables_has_rcpts(sp->tables, t->id, e);
	e->sys = ENOENT;
	return RC_PERM;
}

static void
finish(struct spool *sp, struct route *r, struct task *t)
{
	struct err e;
	bool stays = true;

	if (t->out_left > 0)
		return;
	if (has_rows(sp, t, &e) != RC_OK && e.sys == ENOENT && batch_begin(sp)) {
		stays = false;
		if (tables_drop_mail(sp->tables, t->id, &e) != RC_OK)
			batch_lost(sp, &e);
		else if (t->in_file)
			batch_add_body(sp, t->id);
	}
	schedule_done(r->schedule, t, stays);
}

/* All results of <m> that are of recipients out with <l>; how many. */
static unsigned
settle_lane(struct spool *sp, struct route *r, struct lane *l, const struct msg_work_done *m)
{
	struct task *t = schedule_find(r->schedule, m->id);
	struct list results = m->results;
	struct item_result result;
	unsigned count = 0;

	if (t == NULL || t->lane != l)
		return 0;
	while (item_next_result(&results, &result)) {
		struct out_rcpt *o = task_out(t, result.n);

		if (o == NULL)
			continue;
		count++;
		settle_one(sp, r, t, o, &result);
	}
	if (count > 0) {
		r->heard_ms = sp->now_ms;
		finish(sp, r, t);
	}
	return count;
}

/* A remote serves several endpoints, and a message may go to several of them at once. */
const char *
settle_results(struct spool *sp, struct channel *c, const struct msg_work_done *m)
{
	unsigned count = 0;
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	{
		struct lane *l = schedule_lane(r->schedule, c);

		if (l == NULL)
			continue;
		if (l->voided || sp->broken)
			return NULL; /* it counts no more; all it has goes out again */
		count += settle_lane(sp, r, l, m);
	}
	return count == m->results.count ? NULL : "results of what it does not have";
}

void
settle_refused(struct spool *sp, struct route *r, struct task *t, enum rc rc, struct str why)
{
	for (unsigned i = 0; i < t->out_count && !sp->broken; i++) {
		struct item_result result = {
			.n = (uint16_t)t->out[i].n, .rc = (uint8_t)rc, .reply = why};

		settle_one(sp, r, t, &t->out[i], &result);
	}
	finish(sp, r, t);
}

/* What is out with these counts no more; all but <c>, which knows, are told so. */
static void
void_lanes(struct route *r, const struct channel *c)
{
	struct msg m = {.no = MSG_work_void};
	struct lane *l = NULL;
	struct err e;

	while ((l = schedule_lane_next(r->schedule, l)) != NULL) {
		if (l->voided || l->channel == NULL)
			continue;
		l->voided = true;
		if (l->channel != c && channel_send(l->channel, &m, &e) == RC_AGAIN)
			channel_cut(l->channel, "does not read");
	}
}

/*
 * A sync failed for one: the kernel may have dropped what others wrote and will not say so
 * again. No unsettled batch of anybody counts; each leaves and comes back with fresh
 * descriptors, and what it had goes out again.
 *
 * In a user's home, which may be a file system of the user's own making, it says nothing of
 * others: it would be a way to stop everybody's mail. They hear of an error by descriptions of
 * their own, opened before their first write.
 */
void
settle_broken(struct spool *sp, struct channel *c, struct str why)
{
	struct route *r;

	log_put(LOG_ERROR, "deliver_broken",
	        KVS(kv_num("deliver", channel_index(c)), kv_str("why", why)));
	TAILQ_FOREACH(r, &sp->routes.list, link)
	if (channel_index(c) < DELIVER_USERS ? r->kind != ROUTE_ENDPOINT : r == route_of(c))
		void_lanes(r, c);
}
