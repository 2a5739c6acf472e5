/*
 * The sockets that master makes for others to accept from.
 */
#ifndef MASTER_LISTEN_H
#define MASTER_LISTEN_H

#include "base/buf.h"
#include "base/err.h"

struct cfg;

#define LISTEN_MAX 1000 /* msg listener.number is below */

struct listener {
	unsigned number; /* LISTENER_NUMBER of cfg.h */
	int fd;
};

/*
 * All sockets of the listen sections into <ret>, at most LISTEN_MAX. On failure those made
 * so far are closed. A `*` does without the family that the machine does not have. A UNIX
 * socket takes the place of one that nobody listens on; it gets its owner and mode here.
 */
enum rc listen_all(const struct cfg *c, struct listener *ret, unsigned *ret_count,
                   struct err *e) MUST_CHECK;

/* The operator's UNIX socket, mode 0600, in place of one left behind. */
enum rc listen_control(const struct cfg *c, int *ret_fd, struct err *e) MUST_CHECK;

/* Remove the operator's socket and those of the listen sections. */
void listen_remove(const struct cfg *c);

#endif
