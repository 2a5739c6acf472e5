/*
 * Logical lines of Postfix's text tables: postmap(1), aliases(5), virtual(5).
 *
 * A line that begins with a blank continues the one before it. Empty lines, and those whose
 * first character is a `#`, are nothing wherever they stand, between a line and its
 * continuation too.
 */
#ifndef PROTO_LINES_H
#define PROTO_LINES_H

#include "base/buf.h"

#define LINES_ROOM 65536U /* octets of one logical line, with a NUL */

struct lines {
	struct str rest;
	unsigned number; /* of physical lines read */
	char *room;      /* LINES_ROOM octets: the present line */
};

struct line {
	unsigned number; /* of its first physical line, from 1 */
	struct str text; /* without blanks at its end; lives until the next one */
	bool cut;        /* it is longer than LINES_ROOM: <text> is its beginning */
};

/* <room> has LINES_ROOM octets and is the caller's, as the text is. */
struct lines lines_of(struct str text, char *room);

/* False behind the last one. */
bool lines_next(struct lines *l, struct line *ret) MUST_CHECK;

/* What separates words in these files: the C locale's isspace. */
bool lines_blank(char c);

#endif
