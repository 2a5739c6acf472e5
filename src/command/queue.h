/*
 * The queue as the operator sees it: one row a recipient that is not done.
 */
#ifndef COMMAND_QUEUE_H
#define COMMAND_QUEUE_H

#include "command/client.h"

struct call;

/*
 * A request for the rows that the options of <call> (NULL: none) choose, the caller's. NULL:
 * an option has no such value, <e> says which; EX_USAGE.
 */
json_t *queue_request(const struct call *call, const char *verb, struct err *e) MUST_CHECK;

/* All its pages; <request> is used up. Returns as client_ask does. */
int queue_pages(struct client *c, json_t *request, client_row *row, void *arg,
                struct err *e) MUST_CHECK;

/* The rows of message <id>. */
int queue_walk(struct client *c, uint64_t id, client_row *row, void *arg,
               struct err *e) MUST_CHECK;

/* One row in words, for a message that is shown by itself. */
void queue_print_row(const json_t *row);

/* A time of the row, to the second. */
struct str queue_seconds(const json_t *row, const char *key);
/* When its message came, wall clock; 0: its id is none. */
uint64_t queue_born_us(const json_t *row);
/* When it is tried again; what is held or on its way has no such time. */
struct str queue_next_try(const json_t *row);
/* `<>` of the null sender. */
struct str queue_sender(const json_t *row);

/* queue_list.c has one file a shape: mailq.c, queue_summary.c. */
client_work mailq_list, summary_list;

#endif
