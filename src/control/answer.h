/*
 * What the operator gets: lines of JSON, ASCII only. Rows are `{"row":{...}}`; each request
 * ends with `{"end":true,"more":false}` or `{"error":"...","exit":75}`, the exit status that
 * the command should have (sysexits.h).
 *
 * JSON has no text but UTF-8: in a text that is none, other octets, `"` and `\` stand as \xHH.
 */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include <jansson.h>

#include "base/buf.h"
#include "control/request.h"

/* The longest answer: a page of rows, each character escaped at its worst. */
#define ANSWER_OCTETS_MAX (512U << 10)

void answer_error(struct buf *b, int status, const char *text);

/* One line; <o> is used up. NULL is memory that was out. */
void answer_line(struct buf *b, json_t *o);
void answer_end(struct buf *b, bool more);

/* Values as all answers write them, the caller's; NULL when memory is out. */
json_t *answer_time(uint64_t wall_us);
json_t *answer_id(uint64_t id);

/* The whole answer to <q>. b->cut where memory or room was out. */
void answer_queue(struct buf *b, const struct request *q, const struct msg *m);
void answer_changed(struct buf *b, const struct request *q, const struct msg *m);
void answer_body(struct buf *b, const struct request *q, const struct msg *m);
void answer_copy(struct buf *b, const struct request *q, const struct msg *m);
void answer_journal(struct buf *b, const struct request *q, const struct msg *m);
void answer_senders(struct buf *b, const struct request *q, const struct msg *m);
void answer_user(struct buf *b, const struct request *q, const struct msg *m);

/* A row `{"text":".."}` a line of the report; its last is the error's where there is one. */
void answer_master(struct buf *b, const struct request *q, const struct msg *m);

#endif
