/*
 * The configuration that is in force, as text, for operators who compare.
 */
#ifndef CONTROL_VALUES_H
#define CONTROL_VALUES_H

#include "base/buf.h"
#include "control/request.h"

struct cfg;

/*
 * A page of it from the request's octet on: one row `{"text":"...","hash":"..."}`, <hash> being
 * the whole text's; and whether more follows. b->cut where memory was out. <text> is the whole
 * of it from the first page to the last, .p NULL at first, and forgotten when <c> changes.
 */
void answer_values(struct buf *b, const struct request *q, const struct cfg *c,
                   struct buf *text);
void values_forget(struct buf *text);

#endif
