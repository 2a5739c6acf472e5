/*
 * Clients' connections: sockets and their sessions. One read, one write for what it led to.
 */
#ifndef EDGE_CONN_H
#define EDGE_CONN_H

#include "edge/session.h"

struct conn;
struct event_base;

#define CONNS_MAX EDGE_SESSIONS_MAX /* in one process */

/* The owner sets what stands above <slots>; the rest starts as zero. */
struct conns {
	struct event_base *base;
	struct session_env *env;
	/* The clocks, into env: called before anything that a socket starts. */
	void (*tick)(void *arg);
	void *arg;
	int spare_fd; /* given up to take and refuse a connection when descriptors are out */
	struct conn *slots[CONNS_MAX];
	uint16_t free_slots[CONNS_MAX]; /* those below <fresh> that are free again */
	unsigned free_count;
	unsigned fresh; /* the lowest slot never used */
	unsigned count; /* connections there are */
	uint32_t serial;
	int shortage;     /* errno of the last conns_accept, 0: there was none */
	uint64_t refused; /* for want of slots or descriptors, since conns_refused */
};

/*
 * Take connections from a listening socket: a bounded number a call. False: there is one, and
 * nothing to take it with, not even to refuse it; <shortage> says why. Who called waits, or the
 * loop would turn for nothing.
 */
bool conns_accept(struct conns *all, int listener, enum cfg_service service);

/* NULL where there is no such session (any more): an answer that came too late. */
struct session *conns_find(const struct conns *all, uint32_t number);

/* The session said or wants something new: write, read, close. It may be gone afterwards. */
void conns_attend(struct session *s);

/* Read what is there already, before the greeting: whoever speaks first shows now. */
void conns_look(struct session *s);

/* Call <each> for every session, and attend to it. */
void conns_walk(struct conns *all, void (*each)(struct session *s, uint32_t arg), uint32_t arg);

/* Once a second: deadlines; connections whose last reply nobody reads are cut. */
void conns_tick(struct conns *all);

/* Our end of a connection. */
bool conns_local(const struct conn *c, struct netaddr *ret);

uint64_t conns_refused(struct conns *all);

void conns_close_all(struct conns *all);

#endif
