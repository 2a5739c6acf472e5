/*
 * The process's own: what main.c (questions to one) and gather.c (questions to several) share.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "control/client.h"
#include "control/status.h"

struct event;
struct http;
struct role;

struct control {
	struct clients *clients;
	uint32_t last_ask;
	uint64_t refused;        /* strangers since the last line about them */
	uint64_t refused_log_ms; /* the next line not before */
	char *room;              /* where answers are built, ANSWER_OCTETS_MAX */
	struct buf values;       /* being read: values.h */
	struct known known;
	struct gathering gatherings[CLIENTS_MAX]; /* one a client at most */
	struct gathering poll;                    /* for the rates; nobody is told */
	struct event *poll_due;
	struct http *http;
	struct gathering scrape; /* for all collectors that wait */
	struct event *scrape_late;
	struct buf text; /* of the metrics; for collectors while it is fresh */
	uint64_t text_ms;
};

/* Never 0, which is nobody's. */
uint32_t control_next_ask(struct control *self);

/* False when memory is out. */
bool gather_open(struct role *r);
void gather_close(struct role *r);

/* All first links are there. */
void gather_begin(struct role *r);

/* <c> asks what several know. */
void gather(struct role *r, struct client *c, const struct request *q);

/* As clients_use.late: what is there is the answer. */
bool gather_late(void *arg, struct client *c);

/* One of them answered, or told its counts, or is gone. */
void gather_part(struct role *r, enum proc from, const struct msg *m, uint32_t ask);
void gather_counts(struct role *r, struct channel *from, const struct msg_metric_answer *m);
void gather_peer_down(struct role *r, const struct channel *c);

#endif
