/*
 * spool: the only owner of accepted mail. Its folder is its root: spool.db, and body/ with
 * the bodies that the writer makes.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "role/role.h"
#include "spool/spool.h"
#include "spool/users.h"

#define TICK_S 1
#define SHRINK_KEEP 4096 /* pages */
#define SHRINK_PAGES 1024

/* SQLite's, bodies opened and looked through, free space. */
static const char *const calls[] = {DB_CALLS, "lseek", "statfs", "getdents64", NULL};

/* Open ones, and bodies on their way to delivers that are behind: those count until they are
 * read, 16 delivers with all their credit. */
#define DESCRIPTORS (256U + 4U * PEERS_MAX + 16U * SCHEDULE_CREDIT)

static const struct walls walls = {
	.folder = FOLDER_FILES, .files = DESCRIPTORS, .writes = true, .calls = calls};

/*
 * Work gathers this long, or until there is so much of it: deliver syncs once for all it was
 * handed together. After a pause the first message goes out at once.
 */
#define HAND_OUT_MS 10
#define HAND_OUT_MANY 64

struct spool_main {
	struct spool spool;
	struct role *role;
	struct event *tick;
	struct event *soon; /* results wait for mail to share its sync, mail for more to go out
	                       with */
	uint64_t handed_ms; /* work went out last */
	uint64_t leave_ms;  /* draining: at the latest then */
};

/* The parts see time as it was when this turn's message was read. */
static struct spool *
spool_of(struct role *r)
{
	struct spool_main *self = r->self;

	self->spool.now_ms = r->now_ms;
	self->spool.wall_us = r->wall_us;
	return &self->spool;
}

static void
cut_if(struct channel *c, const char *why)
{
	if (why != NULL)
		channel_cut(c, why);
}

/* ---- messages ---- */

static void
on_mail_rcpts(struct role *r, struct channel *c, const struct msg *m)
{
	cut_if(c, keep_rcpts(spool_of(r), c, &m->mail_rcpts));
}

static void
on_mail_commit(struct role *r, struct channel *c, const struct msg *m)
{
	cut_if(c, keep_mail(spool_of(r), c, &m->mail_commit));
}

static void
on_mail_drop(struct role *r, struct channel *c, const struct msg *m)
{
	keep_drop(spool_of(r), c, m->mail_drop.id);
}

static void
on_work_want(struct role *r, struct channel *c, const struct msg *m)
{
	cut_if(c, settle_credit(spool_of(r), c, &m->work_want));
}

static void
on_work_done(struct role *r, struct channel *c, const struct msg *m)
{
	cut_if(c, settle_results(spool_of(r), c, &m->work_done));
}

static void
on_work_broken(struct role *r, struct channel *c, const struct msg *m)
{
	settle_broken(spool_of(r), c, m->work_broken.why);
}

static void
on_queue_ask(struct role *r, struct channel *c, const struct msg *m)
{
	struct spool *sp = spool_of(r);

	if (m->queue_ask.act == QUEUE_LIST)
		listing_answer(sp, c, &m->queue_ask);
	else
		operate(sp, c, &m->queue_ask);
	journal_flush(sp->journal, role_peer(r, STORE, 0));
}

/* What waits for its commit would be missing, and must not delay it. */
static void
on_copy_ask(struct role *r, struct channel *c, const struct msg *m)
{
	struct spool *sp = spool_of(r);
	sqlite3 *db = batch_commit(sp) ? tables_connection(sp->tables) : NULL;

	copying_answer(&sp->copy, db, c, &m->copy_ask, r->now_ms);
	if (!sp->copy.on)
		sp->sweep_ms = 0; /* bodies that were left for it may go */
}

static void
on_body_ask(struct role *r, struct channel *c, const struct msg *m)
{
	body_answer(spool_of(r), c, &m->body_ask);
}

static void
on_status_ask(struct role *r, struct channel *c, const struct msg *m)
{
	status_answer(spool_of(r), c, m->status_ask.ask);
}

static void
on_metric_ask(struct role *r, struct channel *c, const struct msg *m)
{
	status_metrics(spool_of(r), c, m->metric_ask.ask);
}

static void
on_deliver_for(struct role *r, struct channel *c, const struct msg *m)
{
	(void)c;
	users_deliver_for(spool_of(r), &m->deliver_for);
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_mail_rcpts] = on_mail_rcpts,   [MSG_mail_commit] = on_mail_commit,
	[MSG_mail_drop] = on_mail_drop,     [MSG_work_want] = on_work_want,
	[MSG_work_done] = on_work_done,     [MSG_work_broken] = on_work_broken,
	[MSG_deliver_for] = on_deliver_for, [MSG_queue_ask] = on_queue_ask,
	[MSG_status_ask] = on_status_ask,   [MSG_body_ask] = on_body_ask,
	[MSG_copy_ask] = on_copy_ask,       [MSG_metric_ask] = on_metric_ask,
};

static void
on_peer_up(struct role *r, struct channel *c)
{
	struct spool *sp = spool_of(r);
	const char *why = NULL;
	bool known = true;

	if (channel_peer(c) == EDGE) {
		known = keep_edge_up(sp, c);
		room_tell(sp, c);
	} else if (channel_peer(c) == DELIVER) {
		known = routes_deliver_up(sp, c, &why);
	}
	if (!known)
		why = "out of memory";
	cut_if(c, why);
}

static void
on_peer_down(struct role *r, struct channel *c)
{
	struct spool *sp = spool_of(r);

	routes_peer_down(sp, c);
	keep_edge_down(sp, c);
}

/* ---- life ---- */

/* Some pages an idle second: only once far more are free than a busy hour uses. */
static void
shrink(struct spool *sp)
{
	struct err e;

	if (sp->broken || tables_open_changes(sp->tables) ||
	    sp->now_ms - sp->batch.since_ms < TICK_S * 1000)
		return;
	if (tables_shrink(sp->tables, SHRINK_KEEP, SHRINK_PAGES, &e) != RC_OK)
		batch_lost(sp, &e);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct spool_main *self = arg;

	(void)fd;
	(void)what;
	role_tick(self->role);
	struct spool *sp = spool_of(self->role);
	room_look(sp);
	if (!sp->broken)
		db_copy_tick(&sp->copy, sp->now_ms);
	if (!sp->broken && !sp->copy.on)
		body_sweep(sp);
	routes_tick(sp);
	census_step(sp);
	shrink(sp);
}

/* The turn that follows does what there is to do. */
static void
on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static bool
may_leave(const struct spool_main *self)
{
	const struct spool *sp = &self->spool;

	if (self->role->now_ms >= self->leave_ms)
		return true;
	return TAILQ_EMPTY(&sp->boxes) && routes_out_count(sp) == 0;
}

static void
hand_out_gathered(struct spool_main *self)
{
	struct spool *sp = &self->spool;

	if (sp->now_ms - self->handed_ms < HAND_OUT_MS &&
	    routes_ready_count(sp) < HAND_OUT_MANY)
		return;
	if (hand_out(sp) > 0)
		self->handed_ms = sp->now_ms;
}

/* Something waits, and nobody but time brings the next turn. */
static bool
waits(const struct spool *sp)
{
	return !sp->broken && (tables_open_changes(sp->tables) || routes_wait(sp));
}

static void
on_turn(struct role *r)
{
	static const struct timeval wait = {.tv_usec = HAND_OUT_MS * 1000};
	struct spool_main *self = r->self;
	struct spool *sp = spool_of(r);

	if (batch_is_due(sp))
		(void)batch_commit(sp); /* what failed has been said and answered */
	users_turn(sp);
	hand_out_gathered(self);
	batch_checkpoint(sp);
	journal_flush(sp->journal, role_peer(r, STORE, 0));
	if (waits(sp) && !event_pending(self->soon, EV_TIMEOUT, NULL))
		(void)event_add(self->soon, &wait); /* else the tick comes by */
	if (sp->broken)
		role_quit(r, EX_IOERR);
	else if (sp->draining && may_leave(self))
		role_quit(r, EX_OK);
}

static void
on_drain(struct role *r, uint64_t most_ms)
{
	struct spool_main *self = r->self;

	self->spool.draining = true;
	self->leave_ms = r->now_ms + most_ms;
}

static enum rc
open_storage(struct spool *sp, struct err *e)
{
	struct table_secret secret;

	if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return err_sys(e, "draw a secret");
	if (tables_open("spool.db", &sp->tables, e) != RC_OK ||
	    tables_boot(sp->tables, &sp->boot, e) != RC_OK)
		return e->rc;
	sp->journal = journal_new();
	if (!routes_open(sp, secret) || sp->journal == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	return RC_OK;
}

static enum rc
open_timers(struct spool_main *self, struct err *e)
{
	static const struct timeval tick = {.tv_sec = TICK_S};

	self->tick = event_new(self->role->base, -1, EV_PERSIST, on_tick, self);
	self->soon = event_new(self->role->base, -1, 0, on_soon, self);
	if (self->tick == NULL || self->soon == NULL || event_add(self->tick, &tick) != 0)
		return err_set(e, RC_TEMP, "make timers");
	return RC_OK;
}

static void
take_values(struct spool *sp, const struct cfg *c)
{
	sp->cfg = c;
	sp->retry = (struct retry){.first_s = c->retry_first,
	                           .most_s = c->retry_most,
	                           .lifetime_s = c->queue_lifetime};
}

static enum rc
on_reconfigure(struct role *r, const struct cfg *next, struct err *e)
{
	struct spool *sp = spool_of(r);

	(void)e;
	take_values(sp, next);
	routes_reconfigure(sp);
	room_look(sp);
	return RC_OK;
}

static enum rc
on_open(struct role *r, struct err *e)
{
	static struct spool_main self;
	struct spool *sp = &self.spool;

	r->self = &self;
	self.role = r;
	TAILQ_INIT(&sp->boxes);
	sp->role = r;
	sp->since_us = clock_wall_us();
	take_values(sp, r->cfg);
	(void)spool_of(r);
	if (open_storage(sp, e) != RC_OK || open_timers(&self, e) != RC_OK)
		return e->rc;
	room_look(sp);
	return RC_OK;
}

static void
on_close(struct role *r)
{
	struct spool_main *self = r->self;
	struct spool *sp = &self->spool;

	(void)batch_commit(sp); /* what failed has been said and answered */
	journal_flush(sp->journal, role_peer(r, STORE, 0));
	event_free(self->tick);
	event_free(self->soon);
	if (!sp->broken)
		db_copy_stop(&sp->copy);
	if (!sp->broken) /* closing an SQLite database writes to it */
		sp->tables = tables_close(sp->tables);
}

int
main(int argc, char **argv)
{
	static const struct role_def def = {
		.me = SPOOL,
		.walls = &walls,
		.open = on_open,
		.turn = on_turn,
		.peer_up = on_peer_up,
		.peer_down = on_peer_down,
		.drain = on_drain,
		.reconfigure = on_reconfigure,
		.close = on_close,
		.handlers = handlers,
	};

	db_before_walls();
	return role_main(&def, argc, argv);
}
