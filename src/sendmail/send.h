/*
 * One message to all its recipients, in as many transactions as the server wants.
 */
#ifndef SENDMAIL_SEND_H
#define SENDMAIL_SEND_H

#include "sendmail/args.h"
#include "sendmail/head.h"
#include "sendmail/input.h"
#include "sendmail/talk.h"

struct letter {
	const struct args *args;
	struct input *input;
	const struct head *head;
	const struct rcpts *rcpts;
	struct str sender; /* local@domain or a local part; empty: the null sender */
	struct str full_name;
	char *sent; /* by number of the recipient: 0 to come, 1 done with */
};

/*
 * Returns a code of sysexits: EX_OK where the server keeps it for every recipient. Otherwise
 * what went wrong first; each recipient that does not get it is named on standard error.
 */
int send_letter(struct talk *t, struct letter *l);

/* What a program that called sendmail understands of a reply. */
int send_status(const struct smtp_reply *r);

/* "sendmail: TEXT" on standard error; returns <status>. */
int send_say(int status, const char *fmt, ...) PRINTF(2, 3);

#endif
