/*
 * Clients' connections over libevent. See conn.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/fd.h"
#include "edge/conn.h"

#define ACCEPT_BATCH 64      /* connections taken in one loop turn, then others have theirs */
#define READ_OCTETS 65536U   /* at once */
#define LINGER_OCTETS 65536U /* read and thrown away behind the last reply */
#define LINGER_MS 2000U
#define LAST_REPLY_MS 5000U /* until it must have left */
#define SLOT_BITS 15

struct conn {
	struct conns *all;
	struct session *session;
	struct event readable;
	struct event writable;
	int fd;
	unsigned slot;
	bool reading;
	bool writing;
	bool dead;      /* the client is gone; we only wait for spool's answer */
	bool lingering; /* the last reply has left, we wait for the client to close */
	size_t lingered;
	uint64_t close_by; /* 0: the session is not over */
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

/* ---- birth and death ---- */

static bool
take_slot(struct conns *all, unsigned *ret)
{
	if (all->free_count > 0)
		*ret = all->free_slots[--all->free_count];
	else if (all->fresh < CONNS_MAX)
		*ret = all->fresh++;
	else
		return false;
	return true;
}

static void
conn_free(struct conn *c)
{
	struct conns *all = c->all;

	/* an event that is not there is no failure worth knowing */
	(void)event_del(&c->readable);
	(void)event_del(&c->writable);
	(void)session_free(c->session);
	fd_closep(&c->fd);
	all->slots[c->slot] = NULL;
	all->free_slots[all->free_count++] = (uint16_t)c->slot;
	all->count--;
	free(c);
}

/* Nothing is left to serve it with: it is told so. */
static void
say_sorry(struct conns *all, int fd)
{
	static const char sorry[] = "421 4.3.2 too many connections, try later\r\n";
	ssize_t told = write(fd, sorry, sizeof(sorry) - 1);

	(void)told; /* where it fails the close tells as much */
	all->refused++;
}

/* Takes <fd>. */
static void
conn_new(struct conns *all, int fd, const struct netaddr *client, enum cfg_service service)
{
	struct conn *c = calloc(1, sizeof(*c));
	unsigned slot;

	if (c == NULL || !take_slot(all, &slot)) {
		free(c);
		say_sorry(all, fd);
		(void)close(fd);
		return;
	}
	*c = (struct conn){.all = all, .fd = fd, .slot = slot};
	all->slots[slot] = c;
	all->count++;
	/* these fail for a base without a backend only */
	(void)event_assign(&c->readable, all->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	(void)event_assign(&c->writable, all->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->session =
		session_new(all->env, all->serial++ << SLOT_BITS | slot, client, service, c);
	if (c->session == NULL) {
		say_sorry(all, fd);
		conn_free(c);
		return;
	}
	conns_attend(c->session);
}

struct session *
conns_find(const struct conns *all, uint32_t number)
{
	unsigned slot = number & (BIT(SLOT_BITS) - 1);
	struct conn *c = slot < CONNS_MAX ? all->slots[slot] : NULL;

	return c != NULL && c->session->number == number ? c->session : NULL;
}

/* ---- accepting ---- */

/* No descriptor is left, so the queue would never shrink: give up the spare one, take a
 * connection, tell it, and take the spare one back. */
static bool
refuse_one(struct conns *all, int listener)
{
	fd_closep(&all->spare_fd);
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		say_sorry(all, fd);
		(void)close(fd);
	}
	all->spare_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd >= 0;
}

/* Who connected: an address, or the uid that the kernel vouches for. */
static bool
client_of(int fd, const struct sockaddr_storage *from, struct netaddr *ret)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	if (from->ss_family != AF_UNIX)
		return netaddr_of((const struct sockaddr *)from, ret);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		return false;
	*ret = netaddr_local(who.uid);
	return true;
}

/* The machine has none to give; it tells so again and again until it has. */
static bool
is_shortage(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM || number == ENOBUFS;
}

/* False where there is no more, or no use in trying now. */
static bool
accept_one(struct conns *all, int listener, enum cfg_service service)
{
	struct sockaddr_storage from;
	socklen_t n = sizeof(from);
	struct netaddr client;
	int fd = accept4(listener, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && is_shortage(errno)) {
		all->shortage = errno;
		return refuse_one(all, listener);
	}
	if (fd < 0)
		return errno != EAGAIN; /* of that one connection: the next may be whole */
	if (client_of(fd, &from, &client))
		conn_new(all, fd, &client, service);
	else
		(void)close(fd);
	return true;
}

bool
conns_accept(struct conns *all, int listener, enum cfg_service service)
{
	int i = 0;

	all->shortage = 0;
	while (i < ACCEPT_BATCH && accept_one(all, listener, service))
		i++;
	return i > 0 || all->shortage == 0;
}

/* ---- reading and writing ---- */

static void
watch(struct event *ev, bool *on, bool want)
{
	if (want == *on)
		return;
	*on = want;
	/* memory being out leaves the connection to its deadline */
	(void)(want ? event_add(ev, NULL) : event_del(ev));
}

/* False where the connection is broken. */
static bool
write_out(struct conn *c)
{
	struct str out = session_output(c->session);

	while (out.n > 0) {
		ssize_t n = write(c->fd, out.p, out.n);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		session_wrote(c->session, (size_t)n);
		out = session_output(c->session);
	}
	return true;
}

/* A decision that spool still owes is waited for even when the client is gone: it is logged. */
static void
conn_gone(struct conn *c)
{
	if (!session_commits(c->session)) {
		conn_free(c);
		return;
	}
	c->dead = true;
	watch(&c->readable, &c->reading, false);
	watch(&c->writable, &c->writing, false);
}

/* All has been said. To close with unread octets would make the kernel send a reset, which
 * may reach the client before our last reply does: let it close first, for a while. */
static void
conn_last(struct conn *c)
{
	if (session_parted(c->session) || c->all->env->draining ||
	    shutdown(c->fd, SHUT_WR) < 0) {
		conn_free(c);
		return;
	}
	c->lingering = true;
	c->close_by = c->all->env->now_ms + LINGER_MS;
	watch(&c->writable, &c->writing, false);
	watch(&c->readable, &c->reading, true);
}

void
conns_attend(struct session *s)
{
	struct conn *c = s->conn;

	if (c->lingering)
		return;
	if (c->dead || !write_out(c)) {
		conn_gone(c);
		return;
	}
	bool unsent = session_output(s).n > 0;
	if (session_over(s) && !unsent) {
		conn_last(c);
		return;
	}
	if (session_over(s) && c->close_by == 0)
		c->close_by = c->all->env->now_ms + LAST_REPLY_MS;
	watch(&c->writable, &c->writing, unsent);
	/* while an answer is awaited the event stays: most clients are silent then too */
	if (session_wants_input(s))
		watch(&c->readable, &c->reading, true);
}

/* One for all connections of the process: a read is taken or copied before the next one. */
static char read_room[READ_OCTETS];

static void
linger(struct conn *c)
{
	ssize_t n = read(c->fd, read_room, sizeof(read_room));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->lingered += (size_t)n;
	if (n <= 0 || c->lingered > LINGER_OCTETS)
		conn_free(c);
}

/* False where the client has closed or is broken. */
static bool
read_in(struct conn *c)
{
	ssize_t n = read(c->fd, read_room, sizeof(read_room));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n > 0)
		session_feed(c->session, (struct str){read_room, (size_t)n});
	return n > 0;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->all->tick(c->all->arg);
	if (c->lingering)
		linger(c);
	else if (!session_wants_input(c->session))
		watch(&c->readable, &c->reading, false);
	else if (read_in(c))
		conns_attend(c->session);
	else
		conn_gone(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->all->tick(c->all->arg);
	conns_attend(c->session);
}

void
conns_look(struct session *s)
{
	struct conn *c = s->conn;

	(void)read_in(c); /* an end is found again by who reads next */
}

/* ---- all of them ---- */

void
conns_walk(struct conns *all, void (*each)(struct session *s, uint32_t arg), uint32_t arg)
{
	for (unsigned i = 0; i < all->fresh; i++)
		if (all->slots[i] != NULL) {
			each(all->slots[i]->session, arg);
			conns_attend(all->slots[i]->session);
		}
}

void
conns_tick(struct conns *all)
{
	for (unsigned i = 0; i < all->fresh; i++) {
		struct conn *c = all->slots[i];

		if (c == NULL)
			continue;
		bool was_over = session_over(c->session);
		session_tick(c->session);
		if (was_over && c->close_by != 0 && all->env->now_ms >= c->close_by)
			conn_free(c);
		else if (session_over(c->session) != was_over ||
		         session_output(c->session).n > 0)
			conns_attend(c->session);
	}
}

bool
conns_local(const struct conn *c, struct netaddr *ret)
{
	struct sockaddr_storage here;
	socklen_t n = sizeof(here);

	return getsockname(c->fd, (struct sockaddr *)&here, &n) == 0 &&
	       netaddr_of((const struct sockaddr *)&here, ret);
}

uint64_t
conns_refused(struct conns *all)
{
	uint64_t refused = all->refused;

	all->refused = 0;
	return refused;
}

void
conns_close_all(struct conns *all)
{
	for (unsigned i = 0; i < all->fresh; i++)
		if (all->slots[i] != NULL)
			conn_free(all->slots[i]);
}
