/*
 * Channels over libevent. See channel.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/fd.h"
#include "ipc/channel.h"

#define TURN_BATCHES 16         /* read in one loop turn, then others have theirs */
#define SOCKET_OCTETS (1 << 20) /* each buffer */

struct packet {
	struct packet *next;
	int fd; /* -1, or a duplicate to travel along */
	size_t n;
	char octets[];
};

struct channel {
	int fd;
	enum proc me;
	enum proc peer;
	unsigned index;
	struct channel_use use;
	struct event *readable;
	struct event *writable;
	struct packet *first;
	struct packet **last;
	size_t queued;   /* octets */
	bool mute;       /* the neighbour no longer reads; what it sent is still read */
	bool busy;       /* inside use.got or use.down */
	bool freed;      /* channel_free was called while busy */
	const char *why; /* set by channel_cut */
	void *data;
};

/* One process, one loop, one message being written at a time. */
static char out_room[MSG_OCTETS_MAX + 2];

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

struct channel *
channel_new(struct event_base *base, int fd, enum proc me, enum proc peer, unsigned index,
            struct channel_use use)
{
	CLEANUP(fd_closep) int own = fd;
	struct err e;
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct channel){.fd = fd, .me = me, .peer = peer, .index = index, .use = use};
	c->last = &c->first;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	if (c->readable == NULL || c->writable == NULL || fd_nonblock(fd, &e) != RC_OK ||
	    event_add(c->readable, NULL) != 0) {
		c->fd = -1;
		return channel_free(c);
	}
	(void)fd_take(&own);
	return c;
}

static struct packet *
packet_free(struct packet *p)
{
	struct packet *next = p->next;

	fd_closep(&p->fd);
	free(p);
	return next;
}

struct channel *
channel_free(struct channel *c)
{
	if (c == NULL)
		return NULL;
	if (c->busy) {
		c->freed = true;
		return NULL;
	}
	while (c->first != NULL)
		c->first = packet_free(c->first);
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	fd_closep(&c->fd);
	free(c);
	return NULL;
}

enum proc
channel_peer(const struct channel *c)
{
	return c->peer;
}

unsigned
channel_index(const struct channel *c)
{
	return c->index;
}

size_t
channel_queued(const struct channel *c)
{
	return c->queued;
}

void
channel_set_data(struct channel *c, void *data)
{
	c->data = data;
}

void *
channel_data(const struct channel *c)
{
	return c->data;
}

void
channel_cut(struct channel *c, const char *why)
{
	c->why = why;
	event_active(c->readable, EV_READ, 0);
}

static ssize_t
packet_send(int to, const char *octets, size_t n, int fd)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)octets, .iov_len = n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		h.msg_control = control.room;
		h.msg_controllen = sizeof(control.room);
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	return sendmsg(to, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static enum rc
queue_packet(struct channel *c, struct str octets, int fd, struct err *e)
{
	if (c->queued + octets.n > CHANNEL_QUEUE_MAX)
		return err_set(e, RC_AGAIN, "the channel to %s is full", proc_name(c->peer));
	struct packet *p = malloc(sizeof(*p) + octets.n);
	if (p == NULL)
		return err_set(e, RC_AGAIN, "no memory to queue for %s", proc_name(c->peer));
	*p = (struct packet){.fd = -1, .n = octets.n};
	memcpy(p->octets, octets.p, octets.n);
	if (fd >= 0 && (p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0) {
		(void)packet_free(p);
		return err_set(e, RC_AGAIN, "no descriptor to queue for %s",
		               proc_name(c->peer));
	}
	*c->last = p;
	c->last = &p->next;
	c->queued += p->n;
	if (event_add(c->writable, NULL) != 0)
		return err_set(e, RC_TEMP, "wait for room to %s", proc_name(c->peer));
	return RC_OK;
}

static bool
is_full(int number)
{
	return number == EAGAIN || number == ENOBUFS || number == EINTR;
}

enum rc
channel_send(struct channel *c, const struct msg *m, struct err *e)
{
	struct buf b = BUF_ON(out_room);
	int fd;

	if (c->mute || c->why != NULL)
		return err_set(e, RC_TEMP, "%s is gone", proc_name(c->peer));
	if (msg_encode(c->me, c->peer, m, &b, &fd, e) != RC_OK)
		return e->rc;
	if (c->first != NULL)
		return queue_packet(c, buf_str(&b), fd, e);
	if (packet_send(c->fd, b.p, b.n, fd) >= 0)
		return RC_OK;
	if (is_full(errno))
		return queue_packet(c, buf_str(&b), fd, e);
	/* unix(7): more of our descriptors are on their way, unread, than we may have open */
	if (errno == ETOOMANYREFS)
		return err_set(e, RC_AGAIN, "too many descriptors on their way to %s",
		               proc_name(c->peer));
	c->mute = true; /* the reader will find the end and say so */
	return err_set(e, RC_TEMP, "%s is gone", proc_name(c->peer));
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *c = arg;

	(void)fd;
	(void)what;
	while (c->first != NULL) {
		if (!c->mute &&
		    packet_send(c->fd, c->first->octets, c->first->n, c->first->fd) < 0) {
			if (is_full(errno) || errno == ETOOMANYREFS)
				return;
			c->mute = true;
		}
		c->queued -= c->first->n;
		c->first = packet_free(c->first);
	}
	c->last = &c->first;
	(void)event_del(c->writable); /* fails for an event that is not there: it is */
}

/* The descriptor that came along, or -1. Any beyond the first were not asked for. */
static int
descriptor_of(struct msghdr *h, bool *ret_many)
{
	int first = -1;

	*ret_many = false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (first < 0) {
				first = fd;
			} else {
				*ret_many = true;
				(void)close(fd);
			}
		}
	}
	return first;
}

/* What one call receives at most: what a neighbour sent in one loop turn is seldom more. */
#define BATCH 8

struct received {
	struct mmsghdr heads[BATCH];
	struct iovec iovs[BATCH];
	alignas(struct cmsghdr) char controls[BATCH][CMSG_SPACE(4 * sizeof(int))];
	/* the largest message and one octet to see a longer one */
	char rooms[BATCH][MSG_OCTETS_MAX + 1];
};

/* One process, one loop: a batch is handled whole before another channel is read. */
static struct received in;

/* How many came; 0: none now, -1: the end, or a reset that hides what is still queued, once. */
static int
receive(struct channel *c)
{
	for (int i = 0; i < BATCH; i++) {
		in.iovs[i] = (struct iovec){in.rooms[i], sizeof(in.rooms[i])};
		in.heads[i].msg_hdr = (struct msghdr){.msg_iov = &in.iovs[i],
		                                      .msg_iovlen = 1,
		                                      .msg_control = in.controls[i],
		                                      .msg_controllen = sizeof(in.controls[i])};
	}
	int count = recvmmsg(c->fd, in.heads, BATCH, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	if (count >= 0)
		return count;
	return is_full(errno) ? 0 : -1;
}

/*
 * Hand on number <i> of the batch; why the channel is over, or NULL. Once it is (<over>), only
 * the descriptor that came along is taken care of.
 */
static const char *
hand_on(struct channel *c, int i, const char *over)
{
	static struct err e; /* outlives this call: its text may be the reason */
	const struct mmsghdr *h = &in.heads[i];
	struct msg m;
	bool many;
	CLEANUP(fd_closep) int fd = descriptor_of(&in.heads[i].msg_hdr, &many);

	if (c->freed || over != NULL)
		return over;
	if (h->msg_len == 0)
		return "closed";
	if (many || (h->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return "a message too long or with too many descriptors";
	if (msg_decode(c->peer, c->me, (struct str){in.rooms[i], h->msg_len}, fd, &m, &e) !=
	    RC_OK)
		return e.text;
	(void)fd_take(&fd);
	c->use.got(c->use.arg, c, &m);
	return c->why;
}

/* Read until nothing is left or others must have their turn; why the channel is over, or NULL.
 */
static const char *
read_turn(struct channel *c)
{
	const char *why = c->why;
	int resets = 0;

	for (int turn = 0; turn < TURN_BATCHES && why == NULL && !c->freed; turn++) {
		int count = receive(c);

		if (count < 0 && resets++ == 0)
			continue;
		if (count < 0)
			return "receive failed";
		for (int i = 0; i < count; i++)
			why = hand_on(c, i, why);
		if (count < BATCH)
			break; /* the socket is empty: the loop will say when it is not */
	}
	return why;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *c = arg;
	const char *why;

	(void)fd;
	(void)what;
	c->busy = true;
	why = read_turn(c);
	if (why != NULL && !c->freed) {
		c->mute = true;
		(void)event_del(c->readable); /* fails only for an event that is not there */
		c->use.down(c->use.arg, c, why);
	}
	c->busy = false;
	if (c->freed)
		(void)channel_free(c);
}

enum rc
channel_pair(int ret_fds[2], struct err *e)
{
	int size = SOCKET_OCTETS;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return err_sys(e, "make a channel");
	for (int i = 0; i < 2; i++) {
		/* FORCE needs root; without it the system's most is what we get */
		if (setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
			(void)setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &size,
			                 sizeof(size));
	}
	return RC_OK;
}
