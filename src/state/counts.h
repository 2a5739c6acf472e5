/*
 * How many connections there are: of each client (an IPv4 address, an IPv6 /64) and in all,
 * over all edges. What an edge says is checked: a session opens once and closes once.
 */
#ifndef STATE_COUNTS_H
#define STATE_COUNTS_H

#include "base/netaddr.h"
#include "base/table.h"

struct counts;
struct counts_edge;

enum counts_verdict {
	/* as in msg conn_verdict */
	COUNTS_WELCOME = 0,
	COUNTS_CLIENT = 1, /* too many from this client */
	COUNTS_ALL = 2,    /* too many in all */
	/* no honest edge sends this: a session opened twice, or over EDGE_SESSIONS_MAX */
	COUNTS_ABUSE = 3,
};

/* NULL when memory is out. */
struct counts *counts_new(size_t most_all, size_t most_client, struct table_secret secret);

/* Other limits from now on: for those that come. */
void counts_limits(struct counts *c, size_t most_all, size_t most_client);

/* Edges first; NULL is fine; returns NULL. */
struct counts *counts_free(struct counts *c);

/* One edge's sessions: made and freed with its channel. NULL when memory is out. */
struct counts_edge *counts_edge_new(struct counts *c);

/* Uncounts what it still has open. NULL is fine; returns NULL. */
struct counts_edge *counts_edge_free(struct counts_edge *edge);

/*
 * A session begins; it is to be closed, whatever the verdict. <again>: it was welcome before
 * we were started, so it counts and is not judged.
 */
enum counts_verdict counts_open(struct counts_edge *edge, uint32_t session,
                                const struct netaddr *client, bool again) MUST_CHECK;

/* A session ends. False where it was not open. */
bool counts_close(struct counts_edge *edge, uint32_t session) MUST_CHECK;

/* Counted connections in all, the clients that hold them, and connections of one client. */
size_t counts_all(const struct counts *c);
size_t counts_clients(const struct counts *c);
size_t counts_client(const struct counts *c, const struct netaddr *client);

#endif
