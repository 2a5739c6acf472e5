/*
 * Whoever owns a mailbox, for `sekisho user`: through the running server or, where none runs,
 * from vault's files themselves.
 */
#ifndef COMMAND_OWNERS_H
#define COMMAND_OWNERS_H

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"

#define ADDRESS_ROOM 321 /* octets of an address in msg.def, and the NUL */

struct accounts;
struct allowed;
struct call;
struct cfg;
struct client;
struct users;

/* One of the two ways is there. */
struct owners {
	const struct cfg *cfg;
	struct client *server;
	struct accounts *file;
	struct allowed *allowed; /* with <file> */
	struct users *users;     /* likewise; NULL where the configuration needs none */
};

/* What one of the commands does; returns what to exit with, having said what failed. */
typedef int owners_work(struct owners *u, const struct call *call);

/* A whole command: configuration, one of the ways, work. */
int owners_run(const struct call *call, owners_work *work) MUST_CHECK;

/* What a command exits with. */
int owners_status(enum rc rc);

/* Ask the server to change something; <request> is used up. */
int owners_ask(struct owners *u, json_t *request, struct err *e) MUST_CHECK;

/* One that the operator allowed to <user>, until it returns. <added> as RFC 3339 has it. */
typedef void owners_sender(void *arg, struct str user, struct str address, struct str added);

/* All of them, in the order of users and addresses. */
int owners_senders(struct owners *u, owners_sender *each, void *arg, struct err *e) MUST_CHECK;

#endif
