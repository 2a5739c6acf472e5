/*
 * Content framing, once more: slowly and with the whole input in view. What fuzzers compare
 * the real thing with.
 */
#ifndef PROTO_CONTENT_SLOW_H
#define PROTO_CONTENT_SLOW_H

#include "base/str.h"

struct content_slow {
	char *p;        /* the caller's, as long as the input */
	size_t n;       /* octets of kept form */
	size_t taken;   /* octets of the input */
	size_t framing; /* of these, no part of the message */
	bool end;       /* of DATA was seen */
};

/* RFC 5321 §4.5.2 and our rule for stray octets. Not <dots>: BDAT, all of it. */
void content_read_slowly(struct str in, bool dots, struct content_slow *r);

#endif
