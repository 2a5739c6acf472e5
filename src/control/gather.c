/*
 * What several know: status and metrics are put together of what master, state and spool say,
 * and of what the roles count. An operator's question, a collector's and our own are each a
 * gathering; all that answer clear what it awaits.
 */
#include <stdlib.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/http.h"
#include "role/role.h"

#define SCRAPE_MS 5000 /* so long a collector waits for those that do not answer */
#define FRESH_MS 1000  /* and none is told anything newer than that */

static void on_scrape(void *arg);
static void on_scrape_late(evutil_socket_t fd, short what, void *arg);
static void on_poll(evutil_socket_t fd, short what, void *arg);

uint32_t
control_next_ask(struct control *self)
{
	if (++self->last_ask == 0)
		self->last_ask = 1;
	return self->last_ask;
}

static uint64_t
wall_us(void *arg)
{
	struct role *r = arg;

	role_tick(r);
	return r->wall_us;
}

bool
gather_open(struct role *r)
{
	struct control *self = r->self;

	self->known.tally.since_us = clock_wall_us();
	self->http = http_new(
		r->base, (struct http_use){.scrape = on_scrape, .wall_us = wall_us, .arg = r});
	self->scrape_late = evtimer_new(r->base, on_scrape_late, r);
	self->poll_due = event_new(r->base, -1, EV_PERSIST, on_poll, r);
	self->text = (struct buf){.p = malloc(ANSWER_OCTETS_MAX), .cap = ANSWER_OCTETS_MAX};
	return self->http != NULL && self->scrape_late != NULL && self->poll_due != NULL &&
	       self->text.p != NULL;
}

void
gather_close(struct role *r)
{
	struct control *self = r->self;

	self->http = http_free(self->http);
	event_free(self->scrape_late);
	event_free(self->poll_due);
	free(self->text.p);
	self->text = (struct buf){.p = NULL};
}

/* ---- it is all there ---- */

static void
write_metrics(struct role *r, const struct gathering *g)
{
	struct control *self = r->self;

	buf_clear(&self->text);
	metrics_text(&self->text, &self->known, g, r->wall_us);
	self->text_ms = self->text.cut ? 0 : r->now_ms;
}

static void
finish_scrape(struct role *r)
{
	struct control *self = r->self;

	(void)evtimer_del(self->scrape_late); /* fails for one without a base only */
	write_metrics(r, &self->scrape);
	http_answer(self->http, self->text.cut ? STR_NONE : buf_str(&self->text));
}

static void
answer(struct role *r, const struct gathering *g, struct client *c)
{
	struct control *self = r->self;
	struct buf b = {.p = self->room, .cap = ANSWER_OCTETS_MAX};

	buf_clear(&b);
	if (request_is(client_request(c), "metrics")) {
		write_metrics(r, g);
		answer_metrics(&b, buf_str(&self->text));
		b.cut = b.cut || self->text.cut;
	} else {
		answer_status(&b, &self->known, g, r->now_ms, r->wall_us);
	}
	if (b.cut)
		client_fail(c, EX_TEMPFAIL, "out of memory, try again");
	else
		client_answer(c, buf_str(&b));
}

static void
finish(struct role *r, struct gathering *g)
{
	struct control *self = r->self;
	struct client *c = clients_waiting(self->clients, g->ask);

	g->ask = 0;
	if (g == &self->scrape)
		finish_scrape(r);
	else if (g == &self->poll)
		pace_note(&self->known.pace, r->now_ms, tally_pace(&self->known.tally));
	else if (c != NULL)
		answer(r, g, c);
}

static void
finish_if_over(struct role *r, struct gathering *g)
{
	if (g->ask != 0 && gathering_over(g))
		finish(r, g);
}

/* ---- questions ---- */

static void
ask_one(const struct role *r, struct gathering *g, enum proc of)
{
	struct channel *peer = of == MASTER ? NULL : role_peer(r, of, 0);
	struct msg m = {.no = MSG_status_ask, .status_ask.ask = g->ask};
	struct err e;
	enum rc rc = RC_TEMP;

	if (of == MASTER)
		rc = role_tell_master(r, &m, &e);
	else if (peer != NULL)
		rc = channel_send(peer, &m, &e);
	if (rc != RC_OK)
		gathering_miss(g, of);
}

static bool
ask_counts_of(const struct role *r, const struct gathering *g, enum proc of, unsigned index)
{
	struct channel *peer = role_peer(r, of, index);
	struct msg m = {.no = MSG_metric_ask, .metric_ask.ask = g->ask};
	struct err e;

	return peer != NULL && channel_send(peer, &m, &e) == RC_OK;
}

/* Who is not there has said all he will say. */
static void
ask_counts(const struct role *r, struct gathering *g)
{
	static const enum proc single[] = {STATE, VAULT, SPOOL};

	for (size_t i = 0; i < LENGTH(single); i++)
		if (ask_counts_of(r, g, single[i], 0))
			g->counts |= (unsigned)single[i];
	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (ask_counts_of(r, g, EDGE, i))
			g->edges |= UINT64_C(1) << i;
}

static void
ask_all(struct role *r, struct gathering *g)
{
	unsigned of = g->awaited;

	ask_counts(r, g); /* before: who answers both answers in this order */
	for (unsigned i = 0; i < PROC_COUNT; i++)
		if ((of & (unsigned)proc_of(i)) != 0)
			ask_one(r, g, proc_of(i));
	finish_if_over(r, g);
}

/* A place of nobody's, or of one who left: clients are no more than places. */
static struct gathering *
free_place(struct control *self)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (self->gatherings[i].ask == 0 ||
		    clients_waiting(self->clients, self->gatherings[i].ask) == NULL)
			return &self->gatherings[i];
	return NULL;
}

void
gather(struct role *r, struct client *c, const struct request *q)
{
	struct control *self = r->self;
	struct gathering *g = free_place(self);

	if (g == NULL) {
		client_fail(c, EX_TEMPFAIL, "too many ask at once, try again");
		return;
	}
	gathering_begin(g, control_next_ask(self), q->verb->of);
	client_wait(c, q, g->ask, NULL);
	ask_all(r, g);
}

static void
on_scrape(void *arg)
{
	static const struct timeval most = {.tv_sec = SCRAPE_MS / 1000};
	struct role *r = arg;
	struct control *self = r->self;
	struct gathering *g = &self->scrape;

	role_tick(r);
	/* however many ask, and however often, the others are asked once a second for them */
	if (self->text_ms != 0 && r->now_ms - self->text_ms < FRESH_MS) {
		http_answer(self->http, buf_str(&self->text));
		return;
	}
	gathering_begin(g, control_next_ask(self), STATE | SPOOL | MASTER);
	(void)evtimer_add(self->scrape_late, &most); /* no memory is needed: it exists */
	ask_all(r, g);
}

static void
on_scrape_late(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	struct control *self = r->self;

	(void)fd;
	(void)what;
	role_tick(r);
	gathering_miss(&self->scrape, ANY | MASTER);
	finish_if_over(r, &self->scrape);
}

/* So that there are rates when somebody asks, and little is lost with one that is killed. */
static void
on_poll(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	struct control *self = r->self;

	(void)fd;
	(void)what;
	role_tick(r);
	gathering_miss(&self->poll, ANY | MASTER); /* the last one; it is late */
	finish_if_over(r, &self->poll);
	gathering_begin(&self->poll, control_next_ask(self), 0);
	ask_all(r, &self->poll);
}

void
gather_begin(struct role *r)
{
	static const struct timeval every = {.tv_sec = PACE_EVERY_MS / 1000};
	struct control *self = r->self;

	self->known.tally.again = r->again;
	if (event_add(self->poll_due, &every) != 0)
		log_say(LOG_ERROR, "rates", "out of memory");
	on_poll(-1, 0, r);
}

/* ---- answers ---- */

static void
each(struct role *r, void (*what)(struct gathering *g, enum proc of, unsigned index),
     enum proc of, unsigned index)
{
	struct control *self = r->self;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		what(&self->gatherings[i], of, index);
		finish_if_over(r, &self->gatherings[i]);
	}
	what(&self->scrape, of, index);
	finish_if_over(r, &self->scrape);
	what(&self->poll, of, index);
	finish_if_over(r, &self->poll);
}

static struct gathering *
find(struct control *self, uint32_t ask)
{
	if (ask == 0)
		return NULL;
	if (self->scrape.ask == ask)
		return &self->scrape;
	if (self->poll.ask == ask)
		return &self->poll;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (self->gatherings[i].ask == ask)
			return &self->gatherings[i];
	return NULL;
}

bool
gather_late(void *arg, struct client *c)
{
	struct role *r = arg;
	struct gathering *g = find(r->self, client_waits_for(c));

	if (g == NULL)
		return false;
	role_tick(r);
	gathering_miss(g, ANY | MASTER);
	finish(r, g);
	return true;
}

void
gather_part(struct role *r, enum proc from, const struct msg *m, uint32_t ask)
{
	struct gathering *g = find(r->self, ask);

	if (g != NULL && gathering_take(g, from, m))
		finish_if_over(r, g);
}

void
gather_counts(struct role *r, struct channel *from, const struct msg_metric_answer *m)
{
	struct control *self = r->self;
	struct gathering *g = find(self, m->ask);

	if (!tally_take(&self->known.tally, channel_peer(from), channel_index(from), m)) {
		channel_cut(from, "counts that are none of its");
		return;
	}
	if (g == NULL)
		return;
	gathering_counted(g, channel_peer(from), channel_index(from), false);
	finish_if_over(r, g);
}

static void
gone(struct gathering *g, enum proc of, unsigned index)
{
	if (of != EDGE)
		gathering_miss(g, of);
	else
		gathering_counted(g, of, index, true); /* the others tell of themselves */
}

void
gather_peer_down(struct role *r, const struct channel *c)
{
	struct control *self = r->self;

	tally_lost(&self->known.tally, channel_peer(c), channel_index(c));
	each(r, gone, channel_peer(c), channel_index(c));
}
