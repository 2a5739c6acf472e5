/*
 * Reads back what log_fields wrote: `event=decision rcpt="a b\x0a@c.example" code=550`.
 */
#ifndef BASE_LOGFMT_H
#define BASE_LOGFMT_H

#include "base/buf.h"

/*
 * Take one field off the front of <in>; *ret_value is as written between its quotes, if it
 * has any. False, with nothing changed, at the end of <in> and where no field stands there
 * (in->n tells which).
 */
bool logfmt_next(struct str *in, struct str *ret_key, struct str *ret_value) MUST_CHECK;

/* A value with each \xHH made one octet again: any octet may be among them. */
void logfmt_add_value(struct buf *b, struct str value);

#endif
