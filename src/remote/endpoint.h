/*
 * One endpoint of the configuration: the parcels that wait for it, its connections, and whether
 * it lives. One that does not is tried again ever more rarely, so that not each message costs a
 * connection; the spool gets no credit for it meanwhile, and what is here already goes back.
 */
#ifndef REMOTE_ENDPOINT_H
#define REMOTE_ENDPOINT_H

#include "remote/conn.h"

#define CREDIT_ALL 1024U /* parcels that all endpoints of the process may hold */
#define CREDIT_MOST 256U /* and one of them */
#define CREDIT_PROBE \
	8U /* of one that was down, when it is tried again: the rest waits in the spool */

struct remote;

struct endpoint {
	struct remote *remote;
	struct str name; /* cfg_endpoint's */
	struct parcels waiting;
	unsigned waiting_count;
	unsigned held;      /* those, and what the connections have */
	unsigned credit;    /* parcels that the spool may still send */
	struct conns conns; /* the last used first */
	unsigned conn_count;
	unsigned proved_count; /* whose server took our LHLO */
	unsigned most;         /* connections, until <most_until_ms>: it refused more */
	uint64_t most_until_ms;
	unsigned failures; /* since it last lived */
	uint64_t down_until_ms;
	char why[251]; /* it is down */
};

void endpoint_init(struct endpoint *ep, struct remote *r, struct str name);

/* How many more parcels the spool may send: counted as said. */
unsigned endpoint_wants(struct endpoint *ep);

/* A parcel for it, which is reported sooner or later. */
void endpoint_take(struct endpoint *ep, struct parcel *p);

/* Give the parcels that wait to connections. */
void endpoint_pump(struct endpoint *ep);

/* About once a second. */
void endpoint_tick(struct endpoint *ep);

/* The spool that gave the parcels is gone: nothing is begun for it any more, and the credit
 * that it had is void. */
void endpoint_forget(struct endpoint *ep);

/* ---- what its connections say ---- */

/* Its server took our LHLO. */
void endpoint_proved(struct endpoint *ep);

/* The connection has done with <p>: report it, or it comes once more. */
void endpoint_done(struct endpoint *ep, struct parcel *p, bool left);

/* It is about to be freed; <why>: it never was of use. NULL: it was. */
void endpoint_closed(struct endpoint *ep, struct conn *c, const char *why);

#endif
