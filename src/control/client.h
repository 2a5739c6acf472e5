/*
 * The operators' connections: a line in, its whole answer out, then the next line. So a client
 * costs at most one request and one answer, and one that stops reading or writing is closed
 * at its deadline.
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <sys/types.h>

#include "control/request.h"

#define CLIENTS_MAX 16U

struct event_base;
struct channel;
struct client;
struct clients;

struct clients_use {
	/* A line without its LF, valid until this returns; answer now or later. */
	void (*line)(void *arg, struct client *c, struct str line);
	/* Its answer did not come in time. True: it has been answered all the same. */
	bool (*late)(void *arg, struct client *c);
	/* Somebody connected who may not: told so and closed. */
	void (*refused)(void *arg, uid_t uid, pid_t pid);
	void *arg;
	uint64_t deadline_ms; /* for a request to come, to be answered, to be read: each */
};

/* NULL when memory is out. */
struct clients *clients_new(struct event_base *base, struct clients_use use);

/*
 * Accept from <fd>, ours from now on. Served are root and the uid that called listen(2) on
 * it: master's. That one is what the kernel gives as the credentials of a listening socket.
 */
enum rc clients_listen(struct clients *cs, int fd, struct err *e) MUST_CHECK;

/* The client's one answer; it is copied. */
void client_answer(struct client *c, struct str lines);

/* An error line instead of it. */
void client_fail(struct client *c, int status, const char *text);

/* What it waits for, and through which channel, if only one; <ask> is not 0. */
void client_wait(struct client *c, const struct request *q, uint32_t ask,
                 const struct channel *via);
uint32_t client_waits_for(const struct client *c);
const struct request *client_request(const struct client *c);
uid_t client_uid(const struct client *c);

/* Who waits for this answer; NULL: nobody any more. */
struct client *clients_waiting(struct clients *cs, uint32_t ask);

/* That channel has ended: all who wait for an answer through it get this text instead. */
void clients_channel_gone(struct clients *cs, const struct channel *via, const char *text);

struct clients *clients_free(struct clients *cs);

#endif
