/*
 * Dates as mail writes them, RFC 5322 §3.3, always in +0000.
 */
#ifndef PROTO_DATE_H
#define PROTO_DATE_H

#include "base/buf.h"

/* Wall clock in microseconds since 1970 becomes "Tue, 1 Jul 2003 10:52:37 +0000". */
void date_add(struct buf *b, uint64_t wall_us);

#endif
