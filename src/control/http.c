/*
 * Collectors of metrics. See http.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/fd.h"
#include "base/log.h"
#include "control/http.h"
#include "control/http_request.h"

#define ACCEPTS_A_TURN 8
#define HEAD_OCTETS 512U

static const struct timeval deadline = {.tv_sec = HTTP_DEADLINE_MS / 1000};
/* So long nobody is accepted after there was nothing to accept with. */
static const struct timeval shortage_wait = {.tv_sec = 1};

enum life {
	HTTP_NONE,   /* a free place */
	HTTP_READS,  /* the request is still to come */
	HTTP_WAITS,  /* for the metrics */
	HTTP_WRITES, /* the answer */
	/* All is said. What the client says is read until it closes: RFC 9112 §9.6, a close
	 * over unread octets would take the answer away from it. */
	HTTP_LINGERS,
};

struct http_client {
	struct http *all;
	enum life life;
	int fd;
	uint64_t order; /* of coming */
	struct event *readable;
	struct event *writable;
	struct event *late;
	size_t in_n;
	char in[HTTP_REQUEST_MAX];
	char *out;
	size_t out_n;
	size_t out_at;
};

struct http {
	struct event_base *base;
	struct http_use use;
	struct event *acceptable; /* NULL: closed */
	struct event *again;      /* after a shortage */
	int fd;
	bool asked; /* scrape was called */
	uint64_t came;
	struct http_client client[HTTP_CLIENTS_MAX];
};

static const struct {
	unsigned status;
	const char *text;
} statuses[] = {
	{200, "OK"			     },
	{400, "Bad Request"                    },
	{404, "Not Found"                      },
	{405, "Method Not Allowed"             },
	{431, "Request Header Fields Too Large"},
	{503, "Service Unavailable"            },
	{505, "HTTP Version Not Supported"     },
};

static void on_acceptable(evutil_socket_t fd, short what, void *arg);
static void on_again(evutil_socket_t fd, short what, void *arg);
static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_late(evutil_socket_t fd, short what, void *arg);

struct http *
http_new(struct event_base *base, struct http_use use)
{
	struct http *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	*h = (struct http){.base = base, .use = use, .fd = -1};
	for (unsigned i = 0; i < HTTP_CLIENTS_MAX; i++)
		h->client[i].fd = -1;
	h->again = evtimer_new(base, on_again, h);
	return h->again == NULL ? http_free(h) : h;
}

enum rc
http_listen(struct http *h, int fd, struct err *e)
{
	CLEANUP(fd_closep) int own = fd;

	http_close(h);
	if (fd_nonblock(fd, e) != RC_OK)
		return e->rc;
	h->acceptable = event_new(h->base, fd, EV_READ | EV_PERSIST, on_acceptable, h);
	if (h->acceptable == NULL || event_add(h->acceptable, NULL) != 0) {
		http_close(h);
		return err_set(e, RC_TEMP, "cannot wait for collectors");
	}
	h->fd = fd_take(&own);
	return RC_OK;
}

void
http_close(struct http *h)
{
	if (h->acceptable != NULL)
		event_free(h->acceptable);
	h->acceptable = NULL;
	(void)evtimer_del(h->again); /* fails for one without a base only */
	fd_closep(&h->fd);
}

static void
drop(struct http_client *c)
{
	if (c->readable != NULL)
		event_free(c->readable);
	if (c->writable != NULL)
		event_free(c->writable);
	if (c->late != NULL)
		event_free(c->late);
	free(c->out);
	fd_closep(&c->fd);
	*c = (struct http_client){.fd = -1};
}

struct http *
http_free(struct http *h)
{
	if (h == NULL)
		return NULL;
	for (unsigned i = 0; i < HTTP_CLIENTS_MAX; i++)
		drop(&h->client[i]);
	if (h->again != NULL) {
		http_close(h);
		event_free(h->again);
	}
	free(h);
	return NULL;
}

/* ---- who comes ---- */

/* A free one; else the place of who came first of those that we owe nothing: their request has
 * not come, or is answered. NULL: all wait for an answer. */
static struct http_client *
find_place(struct http *h)
{
	struct http_client *first = NULL;

	for (unsigned i = 0; i < HTTP_CLIENTS_MAX; i++) {
		struct http_client *c = &h->client[i];

		if (c->life == HTTP_NONE)
			return c;
		if ((c->life == HTTP_READS || c->life == HTTP_LINGERS) &&
		    (first == NULL || c->order < first->order))
			first = c;
	}
	if (first != NULL)
		drop(first);
	return first;
}

static bool
start(struct http *h, struct http_client *c, int fd)
{
	*c = (struct http_client){.all = h, .life = HTTP_READS, .fd = fd, .order = ++h->came};
	c->readable = event_new(h->base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(h->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	c->late = evtimer_new(h->base, on_late, c);
	return c->readable != NULL && c->writable != NULL && c->late != NULL &&
	       event_add(c->readable, NULL) == 0 && event_add(c->late, &deadline) == 0;
}

static void
accept_one(struct http *h, int fd)
{
	CLEANUP(fd_closep) int own = fd;
	struct http_client *c = find_place(h);

	if (c == NULL)
		return;
	if (start(h, c, fd_take(&own)))
		on_readable(fd, EV_READ, c); /* its request may be there: before it gives way */
	else
		drop(c);
}

/* Where descriptors or memory are out, to look again at once would only turn the loop. */
static void
accept_later(struct http *h)
{
	struct err e;

	(void)err_sys(&e, "take a collector's connection"); /* makes the text */
	log_say(LOG_WARN, "accept_failed", e.text);
	(void)event_del(h->acceptable); /* these two need no memory: they exist */
	(void)evtimer_add(h->again, &shortage_wait);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;

	(void)fd;
	(void)what;
	if (event_add(h->acceptable, NULL) != 0)
		(void)evtimer_add(h->again, &shortage_wait);
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct http *h = arg;

	(void)what;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (got >= 0) {
			accept_one(h, got);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			accept_later(h);
		return; /* or nobody, or somebody who left meanwhile */
	}
}

/* ---- what they say, what they get ---- */

static const char *
text_of(unsigned status)
{
	for (size_t i = 0; i < LENGTH(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "";
}

/* The whole of an answer: RFC 9110 §15, §10.2.1 (Allow), §6.6.1 (Date). */
static void
answer(struct http_client *c, unsigned status, struct str body)
{
	size_t room = HEAD_OCTETS + body.n;
	struct buf b = {.p = malloc(room), .cap = room};

	if (b.p == NULL) {
		drop(c);
		return;
	}
	buf_clear(&b);
	buf_addf(&b, "HTTP/1.1 %u %s\r\nDate: ", status, text_of(status));
	date_add_http(&b, c->all->use.wall_us(c->all->use.arg));
	buf_addf(&b, "\r\nConnection: close\r\nContent-Length: %zu\r\n%s%s\r\n", body.n,
	         status == 405 ? "Allow: GET\r\n" : "",
	         status == 200 ? "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
	                       : "Content-Type: text/plain\r\n");
	buf_add(&b, body);
	c->out = b.p;
	c->out_n = b.n;
	c->life = HTTP_WRITES;
	(void)event_del(c->readable); /* fails only for an event that is not there */
	if (b.cut || event_add(c->writable, NULL) != 0)
		drop(c);
}

static void
refuse(struct http_client *c, unsigned status)
{
	char room[64];
	struct buf b = BUF_ON(room);

	buf_addf(&b, "%s\n", text_of(status));
	answer(c, status, buf_str(&b));
}

static void
take_request(struct http_client *c)
{
	struct http *h = c->all;
	unsigned status = http_request_read((struct str){c->in, c->in_n});

	if (status == 0)
		return;
	if (status != 200) {
		refuse(c, status);
		return;
	}
	c->life = HTTP_WAITS;
	(void)event_del(c->readable); /* fails only for an event that is not there */
	if (h->asked)
		return; /* one answer is for all who wait */
	h->asked = true;
	h->use.scrape(h->use.arg);
}

void
http_answer(struct http *h, struct str text)
{
	h->asked = false;
	for (unsigned i = 0; i < HTTP_CLIENTS_MAX; i++) {
		if (h->client[i].life != HTTP_WAITS)
			continue;
		if (text.n > 0)
			answer(&h->client[i], 200, text);
		else
			refuse(&h->client[i], 503);
	}
}

static bool
is_later(int number)
{
	return number == EAGAIN || number == EINTR;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	bool reads = c->life == HTTP_READS;
	char *to = reads ? c->in + c->in_n : c->in; /* afterwards nothing of it is looked at */
	ssize_t n = recv(fd, to, reads ? sizeof(c->in) - c->in_n : sizeof(c->in), MSG_DONTWAIT);

	(void)what;
	if (n < 0 && is_later(errno))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	if (!reads)
		return;
	c->in_n += (size_t)n;
	take_request(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	ssize_t n =
		send(fd, c->out + c->out_at, c->out_n - c->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)what;
	if (n < 0 && is_later(errno))
		return;
	if (n < 0) {
		drop(c);
		return;
	}
	c->out_at += (size_t)n;
	if (c->out_at < c->out_n)
		return;
	free(c->out);
	c->out = NULL;
	c->life = HTTP_LINGERS;
	(void)event_del(c->writable); /* fails only for an event that is not there */
	if (shutdown(fd, SHUT_WR) < 0 || event_add(c->readable, NULL) != 0)
		drop(c);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	drop(arg);
}
