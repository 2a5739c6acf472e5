/*
 * The role: its endpoints and its spool.
 */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include "remote/endpoint.h"
#include "role/role.h"

struct remote {
	struct role *role;
	struct channel *spool;
	struct endpoint *endpoints;
	unsigned endpoint_count;
	unsigned held; /* parcels, of all endpoints */
	uint32_t asks; /* connect_ask so far */
	struct event *every_second;
	bool leaving;
	uint64_t leave_by_ms;
};

/* <p> is settled: tell the spool, if it is the one that gave it. Frees it. */
void remote_report(struct remote *r, struct parcel *p);

/* It goes without a word: the spool that gave it is gone. */
void remote_drop(struct remote *r, struct parcel *p);

#endif
