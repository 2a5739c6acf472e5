/*
 * SMTP commands as octets become structs: RFC 5321 §4.1, RFC 1870 (SIZE), RFC 6152 (8BITMIME),
 * RFC 6531 (SMTPUTF8), RFC 3461 (DSN), RFC 3030 (CHUNKING). Also the constants that edge, spool
 * and deliver share. Which command may come when, and whether an address is welcome, is edge's.
 *
 * Every parser returns NULL, or the refusal to be replied, with *ret untouched.
 */
#ifndef PROTO_SMTP_H
#define PROTO_SMTP_H

#include "proto/address.h"
#include "proto/problem.h"

/* mail_commit.flags of msg.def. Kept in the spool: a bit's meaning never changes. */
#define MAIL_8BIT BIT(0)     /* BODY=8BITMIME, RFC 6152 */
#define MAIL_SMTPUTF8 BIT(1) /* RFC 6531 §3.4 */
#define MAIL_RET_FULL BIT(2) /* RFC 3461 §4.3; neither bit: not given */
#define MAIL_RET_HDRS BIT(3)
#define MAIL_IN_FILE BIT(4) /* the writer holds the body; never set by smtp_mail_parse */

/* rcpt.notify of item.def, RFC 3461 §4.1; 0: not given. */
#define NOTIFY_NEVER BIT(0)
#define NOTIFY_SUCCESS BIT(1)
#define NOTIFY_FAILURE BIT(2)
#define NOTIFY_DELAY BIT(3)

#define SMTP_HELO_MAX 255  /* octets, as mail_commit.helo of msg.def */
#define SMTP_ENVID_MAX 100 /* octets as given, RFC 3461 §4.4 */
#define SMTP_ORCPT_MAX 500 /* octets as given, RFC 3461 §4.2 */

/* Both point into the line. Verbs compare with str_ieq: their case means nothing. */
struct smtp_command {
	struct str verb; /* never empty */
	struct str arg;  /* without spaces at its ends; may be empty */
};

/*
 * A command line without its CRLF. 500 5.5.2 for an empty line and for any control octet
 * (NUL, CR, LF, TAB, ...): none is part of any command. Octets over 0x7f pass.
 */
const struct smtp_problem *smtp_split(struct str line, struct smtp_command *ret) MUST_CHECK;

struct smtp_helo {
	struct str
		name;  /* points into the argument; at most SMTP_HELO_MAX octets, no controls */
	bool is_valid; /* a domain or an address literal as RFC 5321 §4.1.1.1 asks for */
};

/*
 * The argument of HELO or EHLO. Real clients send all sorts of names, so an odd one is no
 * refusal but a fact (is_valid). 501 5.5.4 where it is empty, too long or has controls.
 */
const struct smtp_problem *smtp_helo_parse(struct str arg, struct smtp_helo *ret) MUST_CHECK;

struct smtp_mail {
	struct path from;
	uint32_t flags;                 /* MAIL_... */
	uint64_t size;                  /* SIZE=: octets with CRLF; 0: not given */
	char envid[SMTP_ENVID_MAX + 1]; /* ENVID= decoded: printable ASCII; empty: not given */
};

/*
 * The argument of MAIL: "FROM:" path [SP parameters]. Spaces after the colon are tolerated
 * (many scripts send them); an address without brackets is not (RFC 5321 §4.1.1.2).
 * 501 bad syntax or value or a parameter twice, 553 5.6.7 a non-ASCII address without
 * SMTPUTF8, 555 5.5.4 a parameter that we do not offer (AUTH= among them: there are no logins).
 * A SIZE that fits no number is the largest one, so that the limit refuses it.
 */
const struct smtp_problem *smtp_mail_parse(struct str arg, struct smtp_mail *ret) MUST_CHECK;

struct smtp_rcpt {
	struct path to;
	uint8_t notify;                 /* NOTIFY_... */
	char orcpt[SMTP_ORCPT_MAX + 1]; /* ORCPT= decoded: "type;address"; empty: not given */
};

/* The argument of RCPT: "TO:" path [SP parameters]; <utf8>: the transaction has MAIL_SMTPUTF8.
 */
const struct smtp_problem *smtp_rcpt_parse(struct str arg, bool utf8,
                                           struct smtp_rcpt *ret) MUST_CHECK;

struct smtp_bdat {
	uint64_t size; /* octets of the chunk that follows */
	bool last;
};

/*
 * The argument of BDAT, RFC 3030 §2: size [SP "LAST"]. After a refusal nobody knows where the
 * next command starts: the caller closes.
 */
const struct smtp_problem *smtp_bdat_parse(struct str arg, struct smtp_bdat *ret) MUST_CHECK;

#endif
