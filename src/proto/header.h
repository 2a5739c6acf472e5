/*
 * Header fields, RFC 5322 §2.2: a walk over those of a message, and a writer for our own.
 * Works on kept form (lines end in LF); CRLF is read as well.
 */
#ifndef PROTO_HEADER_H
#define PROTO_HEADER_H

#include "base/buf.h"

#define HEADER_LINE_FOLD 78 /* columns that lines of ours keep to where they can, §2.1.1 */
#define HEADER_LINE_MAX 998 /* octets no line of ours passes, §2.1.1 */

/* All point into the header block. */
struct header_field {
	struct str
		name; /* without the colon and the blanks before it (obsolete syntax, §4.5) */
	struct str value; /* behind the colon, folding and all, without the last line end */
	struct str all;   /* the whole field with its last line end */
};

/*
 * The next field of *in, which then starts behind it. False at the end of the header: *in is
 * empty, or starts with the empty line, or with a line that is no field (there the body
 * starts). A block that was cut off in a field gives that field as far as it goes.
 * A whole walk reads each octet a fixed number of times.
 */
bool header_next(struct str *in, struct header_field *ret) MUST_CHECK;

struct header_hops {
	unsigned received; /* `Received:` fields */
	bool delivered;    /* a `Delivered-To:` has the mailbox asked for */
};

/*
 * What tells a loop, from the first KiB of a message: every hop writes on top, so a cut at any
 * place only counts less. <mailbox> as address_print prints it, compared as str_ieq does; empty
 * asks nothing.
 */
struct header_hops header_count_hops(struct str head, struct str mailbox);

/*
 * Add "name: value\n", folded at spaces. False, with nothing added, for a value with control
 * octets (a CR or LF would be a field of somebody else's making) or one that cannot be folded
 * into lines of HEADER_LINE_MAX; also where it does not fit, then with b->cut set.
 * <name> is ours: a literal.
 */
bool header_add_field(struct buf *b, const char *name, struct str value) MUST_CHECK;

#endif
