/*
 * One connection to an endpoint: the descriptor that master gave, reading, writing, waiting.
 * What is spoken is dialog's.
 */
#ifndef REMOTE_CONN_H
#define REMOTE_CONN_H

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "remote/dialog.h"

#define CONN_IN 4096U   /* octets: more than a line, REPLY_LINE_MAX */
#define CONN_OUT 65536U /* octets; an envelope of PARCEL_AIMS_MAX recipients fits */

struct endpoint;

struct conn {
	LIST_ENTRY(conn) link;
	struct endpoint *endpoint;
	struct dialog dialog;
	uint32_t ask; /* of the connect_ask that it comes from */
	int fd;       /* -1: master was asked */
	bool open;    /* it has connected */
	bool proved;
	struct parcel *checking; /* its body is read before it is sent */
	struct event readable;
	struct event writable;
	struct event again; /* the check goes on */
	uint64_t deadline_ms;
	unsigned replies; /* heard when the deadline was set */
	char in[CONN_IN];
	size_t in_n;
	char out_room[CONN_OUT];
	struct buf out;
	size_t out_at; /* octets of it that have left */
};

LIST_HEAD(conns, conn);

/* Ask master for a connection. NULL where memory is out or it cannot be asked. */
struct conn *conn_new(struct endpoint *ep);

struct conn *conn_free(struct conn *c);

/* master's answers. Both may free <c>. */
void conn_connected(struct conn *c, int fd);
void conn_refused(struct conn *c, const char *why);

/* Has nothing to do, and could have. */
bool conn_is_idle(const struct conn *c);

/* Deliver <p> over it, which is idle. May free <c>. */
void conn_give(struct conn *c, struct parcel *p);

/* Deadlines. May free <c>. */
void conn_tick(struct conn *c);

/* End it, if it has a parcel that may still be called back: nothing of it counts. May free <c>.
 */
void conn_recall(struct conn *c);

#endif
