/*
 * Replies of an SMTP or LMTP server as its client reads them: RFC 5321 §4.2, with enhanced
 * status codes (RFC 2034, RFC 3463), and what an EHLO or LHLO reply offers.
 *
 * What a server says is as hostile as what a client says: one that repeats the message's own
 * words in a refusal could be made to say "250" on a line that ends in a bare LF. So only CR LF
 * ends a line, and no line has any other control octet but a tab.
 */
#ifndef PROTO_SMTP_REPLY_H
#define PROTO_SMTP_REPLY_H

#include "base/buf.h"
#include "base/err.h"

#define REPLY_LINE_MAX \
	2048U                /* octets with CRLF; RFC 5321 §4.5.3.1.5 has 512, some have more \
	                      */
#define REPLY_LINES_MAX 128U /* of one reply */
#define REPLY_TEXT_MAX 200U  /* octets of text that are kept of all its lines */

/* What an EHLO or LHLO reply offers of what we may use. */
#define OFFER_PIPELINING BIT(0) /* RFC 2920 */
#define OFFER_8BITMIME BIT(1)   /* RFC 6152 */
#define OFFER_SMTPUTF8 BIT(2)   /* RFC 6531 */
#define OFFER_SIZE BIT(3)       /* RFC 1870 */
#define OFFER_DSN BIT(4)        /* RFC 3461 */

struct smtp_reply {
	unsigned code;                 /* 200 to 599; 0 while there is no line yet */
	unsigned lines;                /* so far */
	uint32_t offers;               /* OFFER_... of lines after the first */
	char dsn[sizeof("5.999.999")]; /* of the first line, class as the code's; empty: none */
	char text[REPLY_TEXT_MAX + 1]; /* one line, printable UTF-8; dsn not repeated */
};

void smtp_reply_init(struct smtp_reply *r);

/*
 * Take whole lines off <in> until the reply is complete. RC_AGAIN: there must be more; what is
 * left of <in> is the beginning of a line. RC_PERM: not a reply; what follows means nothing any
 * more. <r> is smtp_reply_init's, or what was left by RC_AGAIN.
 */
enum rc smtp_reply_take(struct smtp_reply *r, struct str *in, struct err *e) MUST_CHECK;

/* "550 5.1.1 no such user" */
void smtp_reply_print(struct buf *b, const struct smtp_reply *r);

/* Its class: 2yz RC_OK, 4yz RC_TEMP, 5yz RC_PERM; 3yz RC_AGAIN: the server waits for more. */
enum rc smtp_reply_rc(const struct smtp_reply *r);

#endif
