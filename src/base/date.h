/*
 * Dates as mail writes them, RFC 5322 §3.3, and as programs do, RFC 3339; always in +0000.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "base/buf.h"

/* Wall clock in microseconds since 1970 becomes "Tue, 1 Jul 2003 10:52:37 +0000". */
void date_add(struct buf *b, uint64_t wall_us);

/* As HTTP has it, RFC 9110 §5.6.7: "Tue, 01 Jul 2003 10:52:37 GMT". */
void date_add_http(struct buf *b, uint64_t wall_us);

/* The same as RFC 3339 has it, for operators and programs: "2003-07-01T10:52:37.000000Z". */
void date_add_rfc3339(struct buf *b, uint64_t wall_us);

#endif
