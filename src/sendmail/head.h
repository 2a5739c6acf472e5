/*
 * The header of a message that a program hands in: who it is for, and what it lacks. Pure text
 * in kept form (lines end in LF), as Postfix's sendmail and cleanup treat it.
 */
#ifndef SENDMAIL_HEAD_H
#define SENDMAIL_HEAD_H

#include "base/buf.h"
#include "sendmail/rcpts.h"

struct head {
	bool resent; /* there are Resent-... fields: they are who sends it now */
	bool has_from;
	bool has_date;
	bool has_id;
};

/*
 * What <text>, the header alone, has. <to>, where it is not NULL, gets the recipients of To, Cc
 * and Bcc; where there are Resent- ones, those alone. RC_PERM where they cannot be read.
 */
enum rc head_read(struct str text, struct rcpts *to, struct head *ret,
                  struct err *e) MUST_CHECK;

/* What stands in for what is missing. */
struct head_add {
	struct str origin; /* the domain of a name without one */
	struct str sender; /* local@domain; empty: the null sender */
	struct str full_name;
	struct str date;
	struct str id; /* without brackets */
};

/*
 * Add the header as it leaves: without Bcc, Resent-Bcc, Return-Path and Content-Length; names
 * without a domain in address fields get <origin>; From, Date and Message-ID where they are
 * missing (their Resent- kin where it is resent). b->cut where it does not fit.
 */
void head_write(struct str text, const struct head *h, const struct head_add *add,
                struct buf *b);

#endif
