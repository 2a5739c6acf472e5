/*
 * What vault says of one recipient of ours (msg rcpt_answer).
 */
#ifndef POLICY_RCPT_H
#define POLICY_RCPT_H

enum rcpt_verdict {
	RCPT_MAILBOXES, /* it leads to the accounts listed with it */
	RCPT_NO_SUCH,   /* no account, alias or catch-all */
	RCPT_NOT_OURS,  /* not a domain of ours: edge should not have asked */
	RCPT_LOOP,    /* the alias leads back to itself, or to more than we follow: our trouble,
	                 4xx */
	RCPT_TROUBLE, /* the accounts cannot be read now: 4xx */
	RCPT_DISCARD, /* taken and thrown away, with a record: a system account, or /dev/null */
};

#endif
