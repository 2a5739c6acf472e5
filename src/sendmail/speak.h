/*
 * `sendmail -bs`: a program's SMTP on its way to the server. Programs of UNIX end their lines
 * in LF: here each line gets its CRLF, in commands as in content, as other sendmails do it.
 * What BDAT counts is passed on as it is: the count is of these octets (RFC 3030 §2).
 *
 * Whether the lines behind DATA are content the server decides. So they are held until it has
 * answered everything in front of them.
 */
#ifndef SENDMAIL_SPEAK_H
#define SENDMAIL_SPEAK_H

#include "base/buf.h"

#define SPEAK_LINE_MAX 2048U /* octets of a line that are looked at: no command is longer */
#define SPEAK_GROWTH_MAX 2U  /* a line of LF alone becomes two octets */

enum speak_at {
	SPEAK_COMMAND,
	SPEAK_ASKED, /* behind DATA, or in front of the greeting: what follows is not known */
	SPEAK_CONTENT,
	SPEAK_CHUNK,
};

struct speak {
	enum speak_at at;
	uint64_t owed;             /* replies */
	uint64_t left;             /* octets of the chunk */
	char line[SPEAK_LINE_MAX]; /* the beginning of the present line */
	size_t line_n;             /* octets of it so far, those past the room too */
	bool cr;                   /* the latest octet of it is a CR */
	char reply[4];             /* the beginning of the server's present line */
	size_t reply_n;
};

/* Nothing goes before the greeting is there. */
void speak_start(struct speak *s);

/* Add what of <in> may go now to <out>, as it must go, and take it from <in>. <out> has room
 * for SPEAK_GROWTH_MAX times <in>. Something stays only while speak_waits. */
void speak_say(struct speak *s, struct str *in, struct buf *out);

/* What the server said. */
void speak_hear(struct speak *s, struct str octets);

/* Nothing more may go before the server answers. */
bool speak_waits(const struct speak *s);

#endif
