/*
 * What the operator may ask: one JSON object a line, `{"verb":"explain","id":"06d..."}`. The
 * table of verbs in request.c is all there is.
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include "ipc/msg.h"

#define REQUEST_OCTETS_MAX 8192U /* one line, with its LF */
#define ADDRESS_OCTETS_MAX 320U  /* as in msg.def */
#define QUEUE_PAGE 32U           /* rows in one answer */

struct request;

struct verb {
	const char *name;
	enum proc of;       /* who knows; several, each a part of it: gathers */
	enum msg_no answer; /* and says so with; MSG_NO_MAX where several do */
	unsigned needs;     /* parameters, as bits of request.c */
	unsigned may;
	bool changes; /* what the house holds: worth a line in the log */
	void (*ask)(const struct request *q, uint32_t ask, struct msg *ret);
};

struct request {
	const struct verb *verb;
	uint64_t id;
	unsigned given; /* parameters, as bits of request.c */
	uint16_t n;     /* recipient's number */
	uint32_t skip;  /* records */
	size_t address_n;
	char address[ADDRESS_OCTETS_MAX];
};

/*
 * Read one line, without its LF. Nothing in *ret points into it. RC_PERM: not JSON, a verb
 * nobody knows, a parameter missing, unknown, given twice or out of its bounds.
 */
enum rc request_read(struct str line, struct request *ret, struct err *e) MUST_CHECK;

/* The question for the process that knows; its texts live as long as <q>. */
void request_ask(const struct request *q, uint32_t ask, struct msg *ret);

struct str request_address(const struct request *q);

/* Whether several know, and what some of them say is an answer. */
bool request_gathers(const struct request *q);

/* Whether it asks for one message's rows only. */
bool request_one(const struct request *q);

#endif
