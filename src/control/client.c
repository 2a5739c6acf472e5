/*
 * The operators' connections. See client.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/fd.h"
#include "base/log.h"
#include "control/answer.h"
#include "control/client.h"

#define ACCEPTS_A_TURN 16

/* So long nobody is accepted after there was nothing to accept with. */
static const struct timeval shortage_wait = {.tv_sec = 1};

enum life {
	CLIENT_NONE,   /* a free place */
	CLIENT_READS,  /* its request is still to come */
	CLIENT_WAITS,  /* for the answer */
	CLIENT_WRITES, /* the answer */
	CLIENT_LEAVES, /* closed after the answer */
};

struct client {
	struct clients *all;
	enum life life;
	int fd;
	uid_t uid;
	struct event *readable;
	struct event *writable;
	struct event *deadline;
	struct request request;
	uint32_t ask; /* 0: nothing asked */
	const struct channel *via;
	size_t in_n;
	char in[REQUEST_OCTETS_MAX];
	char *out;
	size_t out_n;
	size_t out_at;
};

struct clients {
	struct event_base *base;
	struct clients_use use;
	struct event *acceptable;
	struct event *again; /* after a shortage */
	int fd;
	uid_t owner;
	struct client client[CLIENTS_MAX];
};

static void on_acceptable(evutil_socket_t fd, short what, void *arg);
static void on_again(evutil_socket_t fd, short what, void *arg);
static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_deadline(evutil_socket_t fd, short what, void *arg);
static void next_line(struct client *c);

struct clients *
clients_new(struct event_base *base, struct clients_use use)
{
	struct clients *cs = calloc(1, sizeof(*cs));

	if (cs == NULL)
		return NULL;
	*cs = (struct clients){.base = base, .use = use, .fd = -1};
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		cs->client[i].fd = -1;
	return cs;
}

/* Who is at the other end; for a listening socket, who made it listen. */
static enum rc
credentials(int fd, struct ucred *ret, struct err *e)
{
	socklen_t n = sizeof(*ret);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &n) < 0)
		return err_sys(e, "credentials of the operator's socket");
	return RC_OK;
}

enum rc
clients_listen(struct clients *cs, int fd, struct err *e)
{
	CLEANUP(fd_closep) int own = fd;
	struct ucred owner;

	if (cs->acceptable != NULL)
		return err_set(e, RC_PERM, "there is an operator's socket already");
	if (credentials(fd, &owner, e) != RC_OK || fd_nonblock(fd, e) != RC_OK)
		return e->rc;
	cs->acceptable = event_new(cs->base, fd, EV_READ | EV_PERSIST, on_acceptable, cs);
	cs->again = evtimer_new(cs->base, on_again, cs);
	if (cs->acceptable == NULL || cs->again == NULL || event_add(cs->acceptable, NULL) != 0)
		return err_set(e, RC_TEMP, "cannot wait for operators");
	cs->owner = owner.uid;
	cs->fd = fd_take(&own);
	return RC_OK;
}

/* Off it goes, whatever it was doing; its place is free again. */
static void
client_drop(struct client *c)
{
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->deadline != NULL)
		event_free(c->deadline);
	free(c->out);
	fd_closep(&c->fd);
	*c = (struct client){.fd = -1};
}

struct clients *
clients_free(struct clients *cs)
{
	if (cs == NULL)
		return NULL;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		client_drop(&cs->client[i]);
	if (cs->acceptable != NULL)
		event_free(cs->acceptable);
	if (cs->again != NULL)
		event_free(cs->again);
	fd_closep(&cs->fd);
	free(cs);
	return NULL;
}

/* Each life has a deadline of its own. */
static bool
client_becomes(struct client *c, enum life life)
{
	uint64_t ms = c->all->use.deadline_ms;
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
	                     .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
	struct event *want = life == CLIENT_READS ? c->readable : c->writable;

	c->life = life;
	(void)event_del(c->readable); /* fails only for an event that is not there */
	(void)event_del(c->writable);
	return event_add(c->deadline, &tv) == 0 &&
	       (life == CLIENT_WAITS || event_add(want, NULL) == 0);
}

static bool
client_start(struct clients *cs, struct client *c, int fd, uid_t uid)
{
	*c = (struct client){.all = cs, .fd = fd, .uid = uid};
	c->readable = event_new(cs->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(cs->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->deadline = event_new(cs->base, -1, 0, on_deadline, c);
	if (c->readable == NULL || c->writable == NULL || c->deadline == NULL)
		return false;
	return client_becomes(c, CLIENT_READS);
}

static struct client *
free_place(struct clients *cs)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (cs->client[i].life == CLIENT_NONE)
			return &cs->client[i];
	return NULL;
}

/* One line to somebody who gets no place; what does not go at once does not go. */
static void
turn_away(int fd, int status, const char *text)
{
	char line[256];
	struct buf b = BUF_ON(line);

	answer_error(&b, status, text);
	(void)send(fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
accept_one(struct clients *cs, int fd)
{
	CLEANUP(fd_closep) int own = fd;
	struct ucred who;
	struct err e;
	struct client *c = free_place(cs);

	if (credentials(fd, &who, &e) != RC_OK)
		return;
	if (who.uid != 0 && who.uid != cs->owner) {
		turn_away(fd, EX_NOPERM, "not permitted");
		cs->use.refused(cs->use.arg, who.uid, who.pid);
		return;
	}
	if (c == NULL) {
		turn_away(fd, EX_TEMPFAIL, "too many operators at once, try again");
		return;
	}
	if (!client_start(cs, c, fd_take(&own), who.uid))
		client_drop(c);
}

/* Where descriptors or memory are out, to look again at once would only turn the loop. */
static void
accept_later(struct clients *cs)
{
	struct err e;

	(void)err_sys(&e, "take an operator's connection"); /* makes the text */
	log_say(LOG_WARN, "accept_failed", e.text);
	(void)event_del(cs->acceptable); /* these two need no memory: they exist */
	(void)evtimer_add(cs->again, &shortage_wait);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct clients *cs = arg;

	(void)fd;
	(void)what;
	if (event_add(cs->acceptable, NULL) != 0)
		(void)evtimer_add(cs->again, &shortage_wait);
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct clients *cs = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (got >= 0) {
			accept_one(cs, got);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			accept_later(cs);
		return; /* or nobody, or somebody who left meanwhile */
	}
}

/* ---- requests ---- */

static bool
is_later(int number)
{
	return number == EAGAIN || number == EINTR;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	ssize_t n = recv(fd, c->in + c->in_n, sizeof(c->in) - c->in_n, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && is_later(errno))
		return;
	if (n <= 0) {
		client_drop(c);
		return;
	}
	c->in_n += (size_t)n;
	next_line(c);
}

/* Hand on the first line there is, if there is one. */
static void
next_line(struct client *c)
{
	struct str in = {c->in, c->in_n};
	size_t n = str_find(in, '\n');

	if (n == in.n) {
		if (in.n == sizeof(c->in)) {
			client_fail(c, EX_PROTOCOL, "a request is at most 8192 octets");
			c->life = CLIENT_LEAVES;
		}
		return;
	}
	if (!client_becomes(c, CLIENT_WAITS)) {
		client_drop(c);
		return;
	}
	c->all->use.line(c->all->use.arg, c, str_slice(in, 0, n));
	c->in_n -= n + 1;
	memmove(c->in, c->in + n + 1, c->in_n);
}

void
client_wait(struct client *c, const struct request *q, uint32_t ask, const struct channel *via)
{
	c->request = *q;
	c->ask = ask;
	c->via = via;
}

uint32_t
client_waits_for(const struct client *c)
{
	return c->ask;
}

const struct request *
client_request(const struct client *c)
{
	return &c->request;
}

uid_t
client_uid(const struct client *c)
{
	return c->uid;
}

struct client *
clients_waiting(struct clients *cs, uint32_t ask)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (cs->client[i].life == CLIENT_WAITS && cs->client[i].ask == ask)
			return &cs->client[i];
	return NULL;
}

void
clients_channel_gone(struct clients *cs, const struct channel *via, const char *text)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (cs->client[i].life == CLIENT_WAITS && cs->client[i].via == via)
			client_fail(&cs->client[i], EX_TEMPFAIL, text);
}

/* ---- answers ---- */

void
client_answer(struct client *c, struct str lines)
{
	c->ask = 0;
	c->via = NULL;
	c->out = malloc(lines.n);
	if (c->out == NULL || !client_becomes(c, CLIENT_WRITES)) {
		c->life = CLIENT_LEAVES; /* at its deadline */
		return;
	}
	memcpy(c->out, lines.p, lines.n);
	c->out_n = lines.n;
	c->out_at = 0;
}

void
client_fail(struct client *c, int status, const char *text)
{
	char line[1024];
	struct buf b = BUF_ON(line);

	answer_error(&b, status, text);
	client_answer(c, buf_str(&b));
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	ssize_t n =
		send(fd, c->out + c->out_at, c->out_n - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)what;
	if (n < 0 && is_later(errno))
		return;
	c->out_at += n < 0 ? 0 : (size_t)n;
	if (n < 0 || (c->out_at == c->out_n && c->life == CLIENT_LEAVES)) {
		client_drop(c);
		return;
	}
	if (c->out_at < c->out_n)
		return;
	free(c->out);
	c->out = NULL;
	if (client_becomes(c, CLIENT_READS))
		next_line(c);
	else
		client_drop(c);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	if (c->life == CLIENT_WAITS && c->ask != 0) {
		if (c->all->use.late(c->all->use.arg, c))
			return;
		client_fail(c, EX_TEMPFAIL, "no answer in time, try again");
		return;
	}
	client_drop(c);
}
