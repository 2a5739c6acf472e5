/*
 * Collectors of metrics: one request, one answer, closed. They come by loopback and nobody asks
 * who they are, so all they can do is bounded and apart from the operator's socket: so many at
 * once, so many octets, so long; one who has not finished his request gives way to who comes.
 */
#ifndef CONTROL_HTTP_H
#define CONTROL_HTTP_H

#include "base/err.h"
#include "base/str.h"

#define HTTP_CLIENTS_MAX 8U
#define HTTP_DEADLINE_MS 10000 /* from accept to close; as long as Prometheus waits */

struct event_base;
struct http;

struct http_use {
	/* Somebody wants the metrics: http_answer, now or later. Not called again before. */
	void (*scrape)(void *arg);
	uint64_t (*wall_us)(void *arg);
	void *arg;
};

/* NULL when memory is out. */
struct http *http_new(struct event_base *base, struct http_use use);
struct http *http_free(struct http *h);

/* Accept from <fd>, ours from now on, until http_close. */
enum rc http_listen(struct http *h, int fd, struct err *e) MUST_CHECK;
void http_close(struct http *h);

/* All who wait get this text; empty: 503. It is copied. */
void http_answer(struct http *h, struct str text);

#endif
