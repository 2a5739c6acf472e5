/*
 * One end of a SOCK_SEQPACKET pair: bounded typed messages to and from one neighbour.
 *
 * Nobody waits to write: what the socket has no room for is queued up to CHANNEL_QUEUE_MAX
 * octets, past which channel_send says RC_AGAIN and the caller answers 4xx or lets its row
 * wait. Replies are bounded by what the neighbour may have outstanding, so for them the
 * queue suffices. A malformed message closes the channel, never the process.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "ipc/msg.h"

/* Octets. An edge may fill half of it with bodies: some 130 of the longest that a message
 * holds. */
#define CHANNEL_QUEUE_MAX (16U << 20)

struct channel;
struct event_base;

struct channel_use {
	/* One message; its texts live until this returns. A descriptor in it is now the
	 * callee's. */
	void (*got)(void *arg, struct channel *c, const struct msg *m);
	/* The neighbour is gone, all it had sent has been handled. Free the channel here or
	 * later. */
	void (*down)(void *arg, struct channel *c, const char *why);
	void *arg;
};

/* Takes <fd>; it is made non-blocking. NULL when memory is out, <fd> is then closed. */
struct channel *channel_new(struct event_base *base, int fd, enum proc me, enum proc peer,
                            unsigned index, struct channel_use use);

/*
 * Send or queue. The descriptor in <m>, if any, stays the caller's (a queued one is
 * duplicated). RC_AGAIN: full, or out of what a queued one needs. RC_TEMP: the neighbour is
 * gone. RC_PERM: over its bounds.
 */
enum rc channel_send(struct channel *c, const struct msg *m, struct err *e) MUST_CHECK;

/* Who is at the other end; its number among its kind. */
enum proc channel_peer(const struct channel *c);
unsigned channel_index(const struct channel *c);

/* Octets queued for the neighbour beyond what the socket holds. */
size_t channel_queued(const struct channel *c);

/* Something of the owner's, NULL at first. */
void channel_set_data(struct channel *c, void *data);
void *channel_data(const struct channel *c);

/*
 * Cut the neighbour off: <down> is called with <why> once the present call has returned to
 * the loop. For a message that decodes but that nobody honest sends.
 */
void channel_cut(struct channel *c, const char *why);

/* May be called from <got> and <down>. */
struct channel *channel_free(struct channel *c);

/* A pair of ends with close-on-exec and buffers for the largest message many times over. */
enum rc channel_pair(int ret_fds[2], struct err *e) MUST_CHECK;

#endif
