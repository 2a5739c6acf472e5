/*
 * Connections to servers. See conn.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "remote/remote.h"

#define IDLE_MS \
	5000U /* a connection that nothing comes for is the server's to use otherwise \
	       */
#define PARTING_MS 2000U /* for the reply to QUIT */

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_again(evutil_socket_t fd, short what, void *arg);
static void go_on(struct conn *c);

static struct role *
role_of(const struct conn *c)
{
	return c->endpoint->remote->role;
}

/* ---- time ---- */

/* RFC 5321 §4.5.3.2 by state; a reply that drips gains nothing by it. */
static uint64_t
patience_ms(const struct conn *c)
{
	const struct cfg *cfg = role_of(c)->cfg;

	if (!c->open)
		return cfg->lmtp_connect * 1000;
	switch (c->dialog.state) {
	case DIALOG_IDLE:
		return IDLE_MS;
	case DIALOG_QUIT:
		return PARTING_MS;
	case DIALOG_ANSWERS:
		return cfg->lmtp_wait_end * 1000;
	default:
		return cfg->lmtp_wait * 1000;
	}
}

static void
wait_anew(struct conn *c)
{
	c->replies = c->dialog.replies;
	c->deadline_ms = role_of(c)->now_ms + patience_ms(c);
}

/* ---- birth and death ---- */

struct conn *
conn_new(struct endpoint *ep)
{
	struct remote *r = ep->remote;
	struct msg m = {
		.no = MSG_connect_ask, .connect_ask = {.ask = ++r->asks, .endpoint = ep->name}
        };
	struct conn *c = malloc(sizeof(*c)); /* its rooms are not worth clearing */
	struct err e;

	if (c == NULL)
		return NULL;
	memset(c, 0, offsetof(struct conn, in));
	c->endpoint = ep;
	c->ask = m.connect_ask.ask;
	c->fd = -1;
	c->in_n = c->out_at = 0;
	c->out = BUF_ON(c->out_room);
	dialog_init(&c->dialog, r->role->cfg->hostname);
	/* fails for a base without a backend only */
	(void)evtimer_assign(&c->again, r->role->base, on_again, c);
	if (role_tell_master(r->role, &m, &e) != RC_OK) {
		log_say(LOG_WARN, "connect_ask", e.text);
		free(c);
		return NULL;
	}
	wait_anew(c);
	return c;
}

struct conn *
conn_free(struct conn *c)
{
	if (c->fd >= 0) {
		(void)event_del(&c->readable);
		(void)event_del(&c->writable);
		(void)close(c->fd);
	}
	(void)event_del(&c->again);
	free(c);
	return NULL;
}

/* The end: what it had is settled, or goes back to the queue. */
static void
finish(struct conn *c)
{
	struct endpoint *ep = c->endpoint;
	struct parcel *p = dialog_take_done(&c->dialog);

	if (p != NULL)
		endpoint_done(ep, p, c->dialog.left);
	if (c->checking != NULL)
		endpoint_done(ep, c->checking, true);
	c->checking = NULL;
	endpoint_closed(ep, c, c->proved ? NULL : c->dialog.why);
	(void)conn_free(c);
}

static void
lost(struct conn *c, const char *why)
{
	dialog_lost(&c->dialog, why, c->out_at < c->out.n);
	finish(c);
}

/* ---- master's answers ---- */

void
conn_refused(struct conn *c, const char *why)
{
	lost(c, why);
}

void
conn_connected(struct conn *c, int fd)
{
	struct event_base *base = role_of(c)->base;

	c->fd = fd;
	/* these fail for a base without a backend only */
	(void)event_assign(&c->readable, base, fd, EV_READ | EV_PERSIST, on_readable, c);
	(void)event_assign(&c->writable, base, fd, EV_WRITE, on_writable, c);
	if (event_add(&c->writable, NULL) != 0)
		lost(c, "out of memory");
}

/* Writable for the first time: it has connected, or could not. */
static bool
opened(struct conn *c)
{
	int failed = 0;
	socklen_t n = sizeof(failed);
	char room[128];
	struct buf why = BUF_ON(room);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failed, &n) < 0)
		failed = errno;
	if (failed == 0 && event_add(&c->readable, NULL) == 0) {
		c->open = true;
		wait_anew(c);
		return true;
	}
	buf_addf(&why, "connect: %s", failed == 0 ? "out of memory" : strerror(failed));
	lost(c, room);
	return false;
}

/* ---- reading and writing ---- */

struct why {
	char c[128];
};

static struct why
why_of(const char *what, int error)
{
	struct why w;
	struct buf b = BUF_ON(w.c);

	buf_addf(&b, "%s: %s", what, error == 0 ? "closed by the server" : strerror(error));
	return w;
}

/* False where the connection has ended: *ret_error is 0 or why. */
static bool
read_in(struct conn *c, int *ret_error)
{
	ssize_t n = read(c->fd, c->in + c->in_n, sizeof(c->in) - c->in_n);
	struct str in = {c->in, c->in_n + (n > 0 ? (size_t)n : 0)};

	*ret_error = n < 0 ? errno : 0;
	if (n < 0)
		return *ret_error == EAGAIN || *ret_error == EINTR;
	dialog_hear(&c->dialog, &in, c->out_at < c->out.n);
	memmove(c->in, in.p, in.n); /* half a line: shorter than the room, or it is over */
	c->in_n = in.n;
	return n > 0;
}

static bool
write_out(struct conn *c)
{
	while (c->out_at < c->out.n) {
		ssize_t n = write(c->fd, c->out.p + c->out_at, c->out.n - c->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		c->out_at += (size_t)n;
	}
	wait_anew(c);
	return true;
}

/* What there is to say, until the kernel takes no more. False: the connection is gone. */
static bool
speak(struct conn *c)
{
	for (;;) {
		if (c->out_at == c->out.n) {
			buf_clear(&c->out);
			c->out_at = 0;
			dialog_speak(&c->dialog, &c->out);
		}
		if (c->out.n == 0)
			return true;
		if (!write_out(c))
			return false;
		if (c->out_at < c->out.n)
			return event_add(&c->writable, NULL) == 0;
	}
}

/* After whatever happened: say what follows, hand over what is done. May free <c>. */
static void
go_on(struct conn *c)
{
	int error;

	if (!speak(c)) {
		struct why w = why_of("write", errno);

		(void)read_in(c, &error); /* its last words tell more than the error does */
		lost(c, w.c);
		return;
	}
	if (c->dialog.proved && !c->proved) {
		c->proved = true;
		endpoint_proved(c->endpoint);
	}
	if (c->dialog.state == DIALOG_OVER) {
		finish(c);
		return;
	}
	struct parcel *p = dialog_take_done(&c->dialog);
	if (p != NULL)
		endpoint_done(c->endpoint, p, false);
	if (p != NULL || c->dialog.replies != c->replies)
		wait_anew(c);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	int error;

	(void)fd;
	(void)what;
	role_tick(role_of(c));
	if (read_in(c, &error))
		go_on(c);
	else
		lost(c, why_of("read", error).c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	role_tick(role_of(c));
	if (c->open || opened(c))
		go_on(c);
}

/* ---- parcels ---- */

bool
conn_is_idle(const struct conn *c)
{
	return c->open && c->checking == NULL && c->dialog.state == DIALOG_IDLE &&
	       c->dialog.parcel == NULL;
}

/* A long body is read bit by bit: others have their turns between. */
static void
check_on(struct conn *c)
{
	static const struct timeval at_once = {0};
	struct parcel *p = c->checking;
	struct err e;
	enum rc rc = parcel_check(p, &e);

	if (rc == RC_AGAIN && evtimer_add(&c->again, &at_once) == 0)
		return;
	if (rc == RC_AGAIN)
		(void)err_set(&e, RC_TEMP, "out of memory");
	c->checking = NULL;
	if (rc == RC_OK)
		dialog_begin(&c->dialog, p);
	else
		parcel_settle_rest(p, rc == RC_PERM ? RC_PERM : RC_TEMP, str_of(e.text));
	if (rc != RC_OK)
		endpoint_done(c->endpoint, p, false);
	wait_anew(c);
	go_on(c);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	role_tick(role_of(c));
	check_on(c);
}

void
conn_give(struct conn *c, struct parcel *p)
{
	c->checking = p;
	check_on(c);
}

void
conn_recall(struct conn *c)
{
	struct parcel *p = c->checking != NULL ? c->checking : c->dialog.parcel;

	if (p == NULL)
		return;
	p->orphan = true;
	/* behind the dot nothing can be called back: the server ends it, and it comes twice */
	if (c->dialog.state != DIALOG_ANSWERS)
		lost(c, "called back");
}

void
conn_tick(struct conn *c)
{
	if (c->checking != NULL || role_of(c)->now_ms < c->deadline_ms)
		return;
	if (c->dialog.state == DIALOG_IDLE) {
		dialog_quit(&c->dialog);
		wait_anew(c);
		go_on(c);
	} else {
		lost(c, c->open ? "timeout" : "connect: timeout");
	}
}
