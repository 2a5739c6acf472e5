/*
 * One reply to a client: RFC 5321 §4.2, with enhanced status code (RFC 2034).
 */
#ifndef EDGE_REPLY_H
#define EDGE_REPLY_H

#include "base/buf.h"

struct session;

struct reply {
	uint16_t code;    /* 0: it comes when an awaited answer does */
	bool close;       /* the session ends with it */
	const char *dsn;  /* NULL where the reply has none: greetings, EHLO, 354 */
	const char *text; /* one line; a constant */
	uint64_t id;      /* of the transaction, 0: none; added to the text */
	/* Instead of the text: adds "CODE-..." lines and the last one. */
	void (*lines)(const struct session *s, struct buf *b);
};

#define REPLY_LATER ((struct reply){.code = 0})

#define REPLY_OCTETS_MAX 1024U /* all lines of the longest reply: EHLO's */

void reply_print(const struct session *s, const struct reply *r, struct buf *b);

#endif
