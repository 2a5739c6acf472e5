/*
 * state: how many connections there are, over all edges, and how much each user of the machine
 * sends. In memory only; after a restart the edges say again what they hold. doc/state.md.
 */
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "ipc/metric.h"
#include "role/role.h"
#include "state/counts.h"
#include "state/rates.h"

#define RATE_USERS_MOST 4096 /* who send within the same hour; past it one waits */

struct state {
	struct counts *counts;
	struct rates *rates;
	struct metrics metrics;
	uint64_t since_us; /* wall clock of our start */
};

/* Memory and channels; nothing else. */
static const struct walls walls = {.folder = FOLDER_EMPTY, .files = 64 + PEERS_MAX};

static void
on_conn_open(struct role *r, struct channel *from, const struct msg *m)
{
	const struct msg_conn_open *open = &m->conn_open;
	enum counts_verdict verdict =
		counts_open(channel_data(from), open->session, &open->client, open->again != 0);
	struct state *self = r->self;
	struct err e;

	if (verdict == COUNTS_ABUSE) {
		channel_cut(from, "a session opened twice, or too many of them");
		return;
	}
	if (open->again != 0)
		return;
	if (verdict != COUNTS_WELCOME)
		self->metrics.n[METRIC_refused + (verdict == COUNTS_ALL)]++;
	struct msg answer = {
		.no = MSG_conn_verdict,
		.conn_verdict = {.session = open->session, .verdict = (uint8_t)verdict}
        };
	/* RC_TEMP: the edge is gone, and its end is about to be seen */
	if (channel_send(from, &answer, &e) != RC_OK && e.rc != RC_TEMP)
		channel_cut(from, "it does not read its answers");
}

static void
on_conn_close(struct role *r, struct channel *from, const struct msg *m)
{
	(void)r;
	if (!counts_close(channel_data(from), m->conn_close.session))
		channel_cut(from, "a session closed that was not open");
}

/* Root may do anything else too: it has a rate only where the operator gave it one. */
static uint64_t
rate_of(const struct role *r, const struct msg_rate_ask *ask)
{
	const struct cfg_local *l = cfg_local_find(r->cfg, ask->user);

	if (l != NULL && l->rate > 0)
		return l->rate;
	return ask->uid == 0 ? 0 : r->cfg->local_rate;
}

static void
on_rate_ask(struct role *r, struct channel *from, const struct msg *m)
{
	const struct msg_rate_ask *ask = &m->rate_ask;
	struct state *self = r->self;
	uint64_t rate = rate_of(r, ask);
	struct msg answer = {
		.no = MSG_rate_answer,
		.rate_answer = {
				.session = ask->session, .ask = ask->ask, .rate = (uint32_t)rate}
        };
	struct err e;

	if (rate > 0)
		answer.rate_answer.wait = rates_take(self->rates, ask->uid, rate, r->now_ms);
	self->metrics.n[METRIC_rate_refused] += answer.rate_answer.wait > 0;
	if (channel_send(from, &answer, &e) != RC_OK && e.rc != RC_TEMP)
		channel_cut(from, "it does not read its answers");
}

static void
on_status_ask(struct role *r, struct channel *from, const struct msg *m)
{
	const struct state *self = r->self;
	struct msg answer = {
		.no = MSG_state_status,
		.state_status = {.ask = m->status_ask.ask,
	                         .connections = (uint32_t)counts_all(self->counts),
	                         .clients = (uint32_t)counts_clients(self->counts)}
        };
	struct err e;

	if (channel_send(from, &answer, &e) == RC_AGAIN)
		channel_cut(from, "it does not read its answers");
}

static void
on_metric_ask(struct role *r, struct channel *from, const struct msg *m)
{
	const struct state *self = r->self;
	struct err e;

	if (metric_answer(from, STATE, m->metric_ask.ask, self->since_us, &self->metrics, &e) ==
	    RC_AGAIN)
		channel_cut(from, "it does not read its answers");
}

/* The sessions belong to the channel, not to the edge's number: an older channel of the same
 * edge may still be read to its end. */
static void
state_peer_up(struct role *r, struct channel *c)
{
	if (channel_peer(c) != EDGE)
		return;
	const struct state *self = r->self;
	struct counts_edge *edge = counts_edge_new(self->counts);

	channel_set_data(c, edge);
	if (edge == NULL) {
		log_say(LOG_ERROR, "peer_up", "no memory for an edge's sessions");
		channel_cut(c, "no memory for its sessions");
	}
}

static void
state_peer_down(struct role *r, struct channel *c)
{
	(void)r;
	channel_set_data(c, counts_edge_free(channel_data(c)));
}

static enum rc
state_open(struct role *r, struct err *e)
{
	static struct state self;
	struct table_secret secret;

	if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return err_sys(e, "draw a secret");
	r->self = &self;
	self.since_us = clock_wall_us();
	self.counts = counts_new((size_t)r->cfg->max_connections,
	                         (size_t)r->cfg->max_connections_client, secret);
	self.rates = rates_new(RATE_USERS_MOST, secret);
	if (self.counts == NULL || self.rates == NULL)
		return err_set(e, RC_TEMP, "no memory for the counts");
	return RC_OK;
}

static enum rc
state_reconfigure(struct role *r, const struct cfg *next, struct err *e)
{
	const struct state *self = r->self;

	(void)e;
	counts_limits(self->counts, (size_t)next->max_connections,
	              (size_t)next->max_connections_client);
	return RC_OK;
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_conn_open] = on_conn_open,   [MSG_conn_close] = on_conn_close,
	[MSG_rate_ask] = on_rate_ask,     [MSG_status_ask] = on_status_ask,
	[MSG_metric_ask] = on_metric_ask,
};

static const struct role_def def = {
	.me = STATE,
	.walls = &walls,
	.open = state_open,
	.peer_up = state_peer_up,
	.peer_down = state_peer_down,
	.reconfigure = state_reconfigure,
	.handlers = handlers,
};

int
main(int argc, char **argv)
{
	return role_main(&def, argc, argv);
}
