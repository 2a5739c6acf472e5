/*
 * remote: pulls work from the spool by credit and speaks LMTP with the servers that the
 * configuration names. It has no file, no folder, and no socket of its own making: master
 * connects, to what stands in the configuration and to nothing else.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "remote/remote.h"

#define RESULTS_ROOM (PARCEL_AIMS_MAX * 256U) /* work_done.results */

/* Beyond those of every role: how a connection went, and the bodies it is handed. */
static const char *const calls[] = {"getsockopt", "pread64", NULL};

/* Descriptors: CREDIT_ALL bodies, and the connections of all endpoints. */
static const struct walls walls = {
	.folder = FOLDER_EMPTY, .files = 8192, .writes = false, .calls = calls};

/* ---- to the spool ---- */

static void
say(struct remote *r, const struct msg *m)
{
	struct err e;

	if (r->spool == NULL || channel_send(r->spool, m, &e) == RC_OK)
		return;
	/* what it had given us is its again: it goes out once more */
	log_say(LOG_ERROR, "spool_unheard", e.text);
	channel_cut(r->spool, "does not take our answers");
	r->spool = NULL;
}

/* Each endpoint has its own credit: one that stands still holds up nobody. */
static void
want(struct remote *r)
{
	for (unsigned i = 0; i < r->endpoint_count && r->spool != NULL && !r->leaving; i++) {
		struct endpoint *ep = &r->endpoints[i];
		unsigned more = endpoint_wants(ep);

		if (more > 0)
			say(r, &(struct msg){
				       .no = MSG_work_want, .work_want = {more, ep->name}
                        });
	}
}

static void
tell_results(struct remote *r, const struct parcel *p)
{
	char room[RESULTS_ROOM];
	struct buf b = BUF_ON(room);
	unsigned count = 0;

	for (unsigned i = 0; i < p->aim_count; i++) {
		struct item_result result = {p->aims[i].n, (uint8_t)p->aims[i].rc,
		                             str_of(p->aims[i].why)};

		count += item_add_result(&b, &result);
	}
	say(r, &(struct msg){
		       .no = MSG_work_done, .work_done = {p->id, {count, buf_str(&b)}}
        });
}

void
remote_drop(struct remote *r, struct parcel *p)
{
	r->held--;
	(void)parcel_free(p);
}

void
remote_report(struct remote *r, struct parcel *p)
{
	if (!p->orphan)
		tell_results(r, p);
	remote_drop(r, p);
}

/* ---- from the spool ---- */

static struct endpoint *
find(struct remote *r, struct str name)
{
	for (unsigned i = 0; i < r->endpoint_count; i++)
		if (str_eq(r->endpoints[i].name, name))
			return &r->endpoints[i];
	return NULL;
}

/* An endpoint that we have not heard of is one of a newer configuration, or an older one. */
static void
take(struct remote *r, struct parcel *p, struct str name)
{
	struct endpoint *ep = find(r, name);

	r->held++;
	if (ep != NULL) {
		endpoint_take(ep, p);
		return;
	}
	parcel_settle_rest(p, RC_TEMP, STR("this process does not know the endpoint"));
	remote_report(r, p);
}

/* Without memory the message stays the spool's: a new channel gives it once more. */
static void
take_or_cut(struct role *r, struct channel *from, struct parcel *p, struct str name)
{
	if (p != NULL)
		take(r->self, p, name);
	else
		channel_cut(from, "out of memory");
}

static bool
is_ours(const struct role *r, const struct channel *from)
{
	/* what an older spool still had sent comes again from the new one */
	return ((const struct remote *)r->self)->spool == from;
}

static void
on_work(struct role *r, struct channel *from, const struct msg *m)
{
	if (is_ours(r, from))
		take_or_cut(r, from, parcel_of_work(&m->work), m->work.endpoint);
}

static void
on_work_file(struct role *r, struct channel *from, const struct msg *m)
{
	if (is_ours(r, from))
		take_or_cut(r, from, parcel_of_file(&m->work_file), m->work_file.endpoint);
	else
		(void)close(m->work_file.body);
}

/* ---- from master ---- */

static struct conn *
find_ask(const struct remote *r, uint32_t ask)
{
	struct conn *c;

	for (unsigned i = 0; i < r->endpoint_count; i++)
		LIST_FOREACH(c, &r->endpoints[i].conns, link)
	if (c->fd < 0 && c->ask == ask)
		return c;
	return NULL;
}

static void
on_connected(struct role *r, struct channel *from, const struct msg *m)
{
	struct conn *c = find_ask(r->self, m->connected.ask);

	(void)from;
	if (c != NULL)
		conn_connected(c, m->connected.socket);
	else
		(void)close(m->connected.socket); /* it came too late */
}

static void
on_connect_failed(struct role *r, struct channel *from, const struct msg *m)
{
	struct conn *c = find_ask(r->self, m->connect_failed.ask);
	char room[sizeof(c->dialog.why)];
	struct buf why = BUF_ON(room);

	(void)from;
	buf_add(&why, str_slice(m->connect_failed.why, 0, sizeof(room) - 1));
	if (c != NULL)
		conn_refused(c, room);
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_work] = on_work,
	[MSG_work_file] = on_work_file,
	[MSG_connected] = on_connected,
	[MSG_connect_failed] = on_connect_failed,
};

/* ---- life ---- */

static void
forget_all(struct remote *r)
{
	for (unsigned i = 0; i < r->endpoint_count; i++)
		endpoint_forget(&r->endpoints[i]);
}

static void
peer_up(struct role *r, struct channel *c)
{
	struct remote *self = r->self;

	forget_all(self);
	self->spool = c;
	want(self);
}

static void
peer_down(struct role *r, struct channel *c)
{
	struct remote *self = r->self;

	if (self->spool != c)
		return;
	self->spool = NULL;
	forget_all(self);
}

static void
turn(struct role *r)
{
	struct remote *self = r->self;

	for (unsigned i = 0; i < self->endpoint_count; i++)
		endpoint_pump(&self->endpoints[i]);
	want(self);
	if (self->leaving && (self->held == 0 || r->now_ms >= self->leave_by_ms) &&
	    (self->spool == NULL || channel_queued(self->spool) == 0))
		role_quit(r, EX_OK);
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	struct remote *self = r->self;

	(void)fd;
	(void)what;
	role_tick(r);
	for (unsigned i = 0; i < self->endpoint_count; i++)
		endpoint_tick(&self->endpoints[i]);
}

/* What was handed to us is finished: its credit was given. No more is. */
static void
leave_by(struct role *r, uint64_t ms)
{
	struct remote *self = r->self;

	self->leaving = true;
	self->leave_by_ms = ms;
}

static void
drain(struct role *r, uint64_t most_ms)
{
	leave_by(r, r->now_ms + most_ms);
}

static void
retire(struct role *r)
{
	/* none of ours waits longer for anything */
	leave_by(r, r->now_ms + (r->cfg->lmtp_wait + r->cfg->lmtp_wait_end) * 1000);
}

static enum rc
remote_open(struct role *r, struct err *e)
{
	static const struct timeval second = {.tv_sec = 1};
	static struct remote self;

	r->self = &self;
	self = (struct remote){.role = r, .endpoint_count = r->cfg->endpoint_count};
	self.endpoints = calloc(self.endpoint_count + 1U, sizeof(*self.endpoints));
	self.every_second = event_new(r->base, -1, EV_PERSIST, on_second, r);
	if (self.endpoints == NULL || self.every_second == NULL ||
	    event_add(self.every_second, &second) != 0)
		return err_set(e, RC_TEMP, "out of memory");
	for (unsigned i = 0; i < self.endpoint_count; i++)
		endpoint_init(&self.endpoints[i], &self, r->cfg->endpoints[i].name);
	return RC_OK;
}

static void
remote_close(struct role *r)
{
	struct remote *self = r->self;

	self->spool = NULL; /* what is not done stays the spool's */
	forget_all(self);
	event_free(self->every_second);
	free(self->endpoints);
}

int
main(int argc, char **argv)
{
	static const struct role_def def = {
		.me = REMOTE,
		.walls = &walls,
		.open = remote_open,
		.peer_up = peer_up,
		.peer_down = peer_down,
		.turn = turn,
		.drain = drain,
		.retire = retire,
		.close = remote_close,
		.handlers = handlers,
	};

	return role_main(&def, argc, argv);
}
