/*
 * What the operator gets: lines of JSON, ASCII only. Rows are `{"row":{...}}`; each request
 * ends with `{"end":true,"more":false}` or `{"error":"...","exit":75}`, the exit status that
 * the command should have (sysexits.h).
 *
 * JSON has no text but UTF-8: in a text that is none, other octets, `"` and `\` stand as \xHH.
 */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include "base/buf.h"
#include "control/request.h"

/* The longest answer: a page of rows, each character escaped at its worst. */
#define ANSWER_OCTETS_MAX (512U << 10)

void answer_error(struct buf *b, int status, const char *text);

/* The whole answer to <q>. b->cut where memory or room was out. */
void answer_queue(struct buf *b, const struct request *q, const struct msg *m);
void answer_journal(struct buf *b, const struct request *q, const struct msg *m);
void answer_user(struct buf *b, const struct request *q, const struct msg *m);

#endif
