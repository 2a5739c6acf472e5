/*
 * The sockets that master makes for others to accept from.
 */
#ifndef MASTER_LISTEN_H
#define MASTER_LISTEN_H

#include "base/buf.h"
#include "base/err.h"

struct cfg;

#define LISTEN_MAX 131 /* CFG_LISTENS_MOST and local_socket, of both families; metrics */

struct listener {
	unsigned number; /* LISTENER_NUMBER of cfg.h, or LISTENER_METRICS */
	int fd;
	char path[108]; /* of a UNIX socket; else empty */
};

struct listeners {
	struct listener all[LISTEN_MAX];
	unsigned count;
};

/*
 * All sockets of the listen sections into <ret>. On failure those made here are closed. A `*`
 * does without the family that the machine does not have. A UNIX socket takes the place of one
 * that nobody listens on; it gets its owner and mode here.
 */
enum rc listen_all(const struct cfg *c, struct listeners *ret, struct err *e) MUST_CHECK;

/*
 * The same for the configuration that follows <was>, whose sockets <old> are: an address that
 * both have keeps its socket, which stands in both then.
 */
enum rc listen_next(const struct cfg *c, const struct cfg *was, const struct listeners *old,
                    struct listeners *ret, struct err *e) MUST_CHECK;

/* Close those that <keep> does not have, and remove their UNIX sockets. */
void listen_close(struct listeners *l, const struct listeners *keep);

/* Owner and mode of each UNIX socket, as the configuration has them now. A failure is logged.
 */
void listen_settle(const struct cfg *c);

/* The operator's UNIX socket, mode 0600, in place of one left behind. */
enum rc listen_control(const struct cfg *c, int *ret_fd, struct err *e) MUST_CHECK;

/* Remove the operator's socket and those of the listen sections. */
void listen_remove(const struct cfg *c);

#endif
