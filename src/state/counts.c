/*
 * Two tables: sessions of each edge, and clients of all. See counts.h.
 */
#include <stdlib.h>

#include "ipc/proc.h"
#include "state/counts.h"

struct counts {
	size_t most_all;
	size_t most_client;
	size_t all;
	struct table_secret secret;
	struct table *clients; /* struct netaddr -> uint32_t; none has 0 */
};

struct counts_edge {
	struct counts *counts;
	struct table *sessions; /* uint32_t -> struct session */
};

struct session {
	struct netaddr client;
	bool counted; /* false: it was refused */
};

struct counts *
counts_new(size_t most_all, size_t most_client, struct table_secret secret)
{
	struct counts *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct counts){
		.most_all = most_all, .most_client = most_client, .secret = secret};
	/* after a restart, or by lower limits, more may be held than would be let in */
	c->clients = table_new(sizeof(struct netaddr), sizeof(uint32_t), 2 * EDGE_SESSIONS_MAX,
	                       secret);
	return c->clients == NULL ? counts_free(c) : c;
}

void
counts_limits(struct counts *c, size_t most_all, size_t most_client)
{
	c->most_all = most_all;
	c->most_client = most_client;
}

struct counts *
counts_free(struct counts *c)
{
	if (c != NULL)
		(void)table_free(c->clients);
	free(c);
	return NULL;
}

struct counts_edge *
counts_edge_new(struct counts *c)
{
	struct counts_edge *edge = calloc(1, sizeof(*edge));

	if (edge == NULL)
		return NULL;
	edge->counts = c;
	edge->sessions = table_new(sizeof(uint32_t), sizeof(struct session), EDGE_SESSIONS_MAX,
	                           c->secret);
	return edge->sessions == NULL ? counts_edge_free(edge) : edge;
}

static void
uncount(struct counts *c, const struct session *s)
{
	if (!s->counted)
		return;
	uint32_t *held = table_get(c->clients, &s->client);

	c->all--;
	if (--*held == 0)
		(void)table_drop(c->clients, &s->client); /* it is there: <held> lies in it */
}

struct counts_edge *
counts_edge_free(struct counts_edge *edge)
{
	size_t at = 0;
	const void *key;
	void *session;

	if (edge == NULL)
		return NULL;
	while (edge->sessions != NULL && table_next(edge->sessions, &at, &key, &session))
		uncount(edge->counts, session);
	(void)table_free(edge->sessions);
	free(edge);
	return NULL;
}

static enum counts_verdict
judge(const struct counts *c, const struct netaddr *client)
{
	const uint32_t *held = table_get(c->clients, client);

	if (held != NULL && *held >= c->most_client)
		return COUNTS_CLIENT;
	return c->all >= c->most_all ? COUNTS_ALL : COUNTS_WELCOME;
}

enum counts_verdict
counts_open(struct counts_edge *edge, uint32_t session, const struct netaddr *client,
            bool again)
{
	struct counts *c = edge->counts;
	struct netaddr one = netaddr_client(client);

	if (table_get(edge->sessions, &session) != NULL)
		return COUNTS_ABUSE;
	struct session *s = table_put(edge->sessions, &session);
	if (s == NULL)
		return COUNTS_ABUSE;
	enum counts_verdict verdict = again ? COUNTS_WELCOME : judge(c, &one);
	if (verdict != COUNTS_WELCOME)
		return verdict;
	uint32_t *held = table_put(c->clients, &one);
	if (held == NULL)
		return COUNTS_ALL;
	*s = (struct session){.client = one, .counted = true};
	++*held;
	c->all++;
	return COUNTS_WELCOME;
}

bool
counts_close(struct counts_edge *edge, uint32_t session)
{
	const struct session *s = table_get(edge->sessions, &session);

	if (s == NULL)
		return false;
	uncount(edge->counts, s);
	return table_drop(edge->sessions, &session);
}

size_t
counts_all(const struct counts *c)
{
	return c->all;
}

size_t
counts_clients(const struct counts *c)
{
	return table_count(c->clients);
}

size_t
counts_client(const struct counts *c, const struct netaddr *client)
{
	struct netaddr one = netaddr_client(client);
	const uint32_t *held = table_get(c->clients, &one);

	return held == NULL ? 0 : *held;
}
