/*
 * Work from the spool to the batch, and its outcomes back. See work.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "deliver/batch.h"
#include "deliver/work.h"
#include "role/role.h"

#define RESULTS_MAX 32U /* in one work_done, as msg.def has it */
#define RESULTS_ROOM (RESULTS_MAX * 256U)

/*
 * A user's process syncs so often at most: many of them share a disk, each has little, and each
 * sync waits for what all have written. The first message after a pause does not wait.
 */
#define GATHER_MS 40

struct deliver {
	struct batch *batch;
	struct channel *spool; /* whose work the batch is; NULL while there is none */
	unsigned finished;     /* messages handled since the last work_want */
	bool leaving;          /* takes no more work; leaves when all it said is sent */
	int status;            /* with which it leaves */
	uint64_t settled_ms;   /* when a user's process last synced */
	struct event *soon;    /* brings the turn that syncs; NULL: every turn does */
};

/* The turn that follows does what there is to do. */
static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	role_tick(arg);
}

enum rc
work_open(struct role *r, const struct disk_calls *disk_calls, struct err *e)
{
	struct deliver *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	r->self = d;
	if (r->user.n > 0 && (d->soon = evtimer_new(r->base, on_soon, r)) == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	return batch_open(r->user, r->index, r->cfg->hostname, disk_calls, &d->batch, e);
}

void
work_close(struct role *r)
{
	struct deliver *d = r->self;

	if (d != NULL)
		d->batch = batch_free(d->batch);
	if (d != NULL && d->soon != NULL)
		event_free(d->soon);
	free(d);
	r->self = NULL;
}

static void
say(struct deliver *d, const struct msg *m)
{
	struct err e;

	if (d->spool == NULL || channel_send(d->spool, m, &e) == RC_OK)
		return;
	/* it does not listen: what it had given us is its again, to be done once more */
	log_say(LOG_ERROR, "spool_unheard", e.text);
	channel_cut(d->spool, "does not take our answers");
	d->spool = NULL;
}

static void
want(struct deliver *d, unsigned messages)
{
	if (messages > 0)
		say(d, &(struct msg){.no = MSG_work_want, .work_want.messages = messages});
}

/* The outcomes of one message that stand together from <i> on: returns where they end. */
static unsigned
report_one(struct deliver *d, unsigned i)
{
	char room[RESULTS_ROOM];
	struct buf b = BUF_ON(room);
	uint64_t id = batch_outcome(d->batch, i)->id;
	unsigned count = 0;

	for (; i < batch_count(d->batch) && count < RESULTS_MAX; i++, count++) {
		const struct outcome *o = batch_outcome(d->batch, i);
		struct item_result result = {o->n, (uint8_t)o->rc, str_of(o->why)};

		if (o->id != id || !item_add_result(&b, &result))
			break;
	}
	assert(count > 0); /* a single result fits, and has no controls */
	say(d, &(struct msg){
		       .no = MSG_work_done, .work_done = {id, {count, buf_str(&b)}}
        });
	return i;
}

static void
report(struct deliver *d)
{
	for (unsigned i = 0; i < batch_count(d->batch);)
		i = report_one(d, i);
	batch_clear(d->batch);
}

static void
leave(struct deliver *d, int status)
{
	if (!d->leaving)
		d->status = status;
	d->leaving = true;
}

/* Nothing we write from now on can be known to be durable: a new process can. */
static void
leave_broken(struct deliver *d, const char *why)
{
	log_say(LOG_ERROR, "deliver_broken", why);
	say(d, &(struct msg){.no = MSG_work_broken, .work_broken = {str_of(why)}});
	leave(d, EX_IOERR);
}

static void
settle(struct deliver *d)
{
	struct err e;
	bool broken;

	if (batch_count(d->batch) == 0)
		return;
	broken = batch_sync(d->batch, &e) != RC_OK;
	report(d);
	if (broken)
		leave_broken(d, e.text);
}

/* By the mailbox's domain, as the configuration is now. */
static uint64_t
quota_of(const struct cfg *cfg, struct str mailbox)
{
	size_t at = str_rfind(mailbox, '@');
	const struct cfg_domain *d =
		cfg_domain_find(cfg, str_slice(mailbox, at + 1, mailbox.n));

	return d == NULL ? 0 : d->quota;
}

static void
deliver_message(struct role *r, const struct mail *m, struct list rcpts)
{
	struct deliver *d = r->self;
	struct item_rcpt to;

	while (!d->leaving && item_next_rcpt(&rcpts, &to)) {
		batch_set_quota(d->batch, quota_of(r->cfg, to.mailbox));
		batch_put(d->batch, m, &to);
		if (batch_full(d->batch))
			settle(d);
	}
	d->finished++;
}

static bool
is_ours(const struct deliver *d, const struct channel *from)
{
	/* what an older spool still had sent comes again from the new one */
	return from == d->spool && !d->leaving;
}

static void
on_work(struct role *r, struct channel *from, const struct msg *m)
{
	const struct msg_work *w = &m->work;
	struct mail mail = {.id = w->id,
	                    .seq = w->seq,
	                    .again = w->again != 0,
	                    .size = w->size,
	                    .hash = w->hash,
	                    .sender = w->sender,
	                    .body = w->body,
	                    .body_fd = -1};

	if (is_ours(r->self, from))
		deliver_message(r, &mail, w->rcpts);
}

static void
on_work_file(struct role *r, struct channel *from, const struct msg *m)
{
	const struct msg_work_file *w = &m->work_file;
	CLEANUP(fd_closep) int body = w->body;
	struct mail mail = {.id = w->id,
	                    .seq = w->seq,
	                    .again = w->again != 0,
	                    .size = w->size,
	                    .hash = w->hash,
	                    .sender = w->sender,
	                    .body_fd = body};

	if (is_ours(r->self, from))
		deliver_message(r, &mail, w->rcpts);
}

/* Somebody else's sync failed. Its error may be about our files, and was told only once. */
static void
on_work_void(struct role *r, struct channel *from, const struct msg *m)
{
	struct deliver *d = r->self;

	(void)m;
	if (!is_ours(d, from))
		return;
	log_say(LOG_WARN, "deliver_void", "another process could not sync: leaving");
	batch_undo(d->batch, "another process could not sync");
	batch_clear(d->batch);
	leave(d, EX_IOERR);
}

void
work_peer_up(struct role *r, struct channel *c)
{
	struct deliver *d = r->self;

	batch_clear(d->batch); /* the spool that gave it is gone; the new one gives it again */
	d->spool = c;
	d->finished = 0;
	if (!d->leaving)
		want(d, WORK_CREDIT);
}

void
work_peer_down(struct role *r, struct channel *c)
{
	struct deliver *d = r->self;

	if (d->spool == c) {
		batch_clear(d->batch);
		d->spool = NULL;
	}
}

/* More may come to share the sync. */
static bool
gathers(struct role *r)
{
	struct deliver *d = r->self;
	uint64_t age_ms = r->now_ms - d->settled_ms;

	if (batch_count(d->batch) == 0)
		return false;
	if (d->soon == NULL || d->leaving || age_ms >= GATHER_MS) {
		d->settled_ms = r->now_ms;
		return false;
	}
	struct timeval wait = {.tv_usec = (suseconds_t)(GATHER_MS - age_ms) * 1000};

	if (!event_pending(d->soon, EV_TIMEOUT, NULL))
		(void)evtimer_add(d->soon, &wait); /* no memory is needed */
	return true;
}

void
work_turn(struct role *r)
{
	struct deliver *d = r->self;

	if (gathers(r))
		return;
	settle(d);
	if (batch_moved(d->batch) && !d->leaving) {
		log_say(LOG_INFO, "maildir_moved", "another one takes its place: leaving");
		leave(d, EX_TEMPFAIL);
	}
	if (d->leaving) {
		if (d->spool == NULL || channel_queued(d->spool) == 0)
			role_quit(r, d->status);
		return;
	}
	want(d, d->finished);
	d->finished = 0;
}

void
work_drain(struct role *r, uint64_t most_ms)
{
	struct deliver *d = r->self;

	(void)most_ms; /* a batch takes milliseconds */
	settle(d);
	leave(d, EX_OK);
}

role_handler *const work_handlers[MSG_NO_MAX] = {
	[MSG_work] = on_work,
	[MSG_work_file] = on_work_file,
	[MSG_work_void] = on_work_void,
};
