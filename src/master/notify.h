/*
 * What master tells the service manager: sd_notify(3)'s protocol, one datagram of lines to
 * the socket that $NOTIFY_SOCKET names. Without that socket all of this does nothing.
 *
 * Written here and not linked from libsystemd: the protocol is this one datagram, promised to
 * stay, and the library would bring liblzma, libzstd, liblz4, libgcrypt and libcap into the
 * one process that stays root.
 */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include "base/err.h"

struct event_base;
struct notify;

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment. *ret is NULL where
 * nobody wants to be told. RC_PERM for a socket that cannot be one, RC_TEMP where it cannot be
 * reached. The watchdog is answered from <base>'s loop: a loop that hangs is noticed.
 */
enum rc notify_open(struct event_base *base, struct notify **ret, struct err *e) MUST_CHECK;

/* NULL is fine, here and below; returns NULL. */
struct notify *notify_close(struct notify *n);

/*
 * How it stands, one of these at a time. What the manager's socket has no room for is said
 * again from the loop until it fits: a lost READY would be a failed start.
 */
void notify_ready(struct notify *n);
void notify_started(struct notify *n);   /* notify_ready, if it is the first */
void notify_reloading(struct notify *n); /* notify_ready follows, whatever came of it */
void notify_stopping(struct notify *n);

/* One line for `systemctl status`. */
void notify_status(struct notify *n, const char *fmt, ...) PRINTF(2, 3);

/* Starting or stopping, whichever is under way, may take so long from now. */
void notify_extend(struct notify *n, uint64_t most_ms);

#endif
