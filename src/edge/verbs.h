/*
 * The verbs of SMTP: who may say what, when, and where it leads. verbs.c.
 */
#ifndef EDGE_VERBS_H
#define EDGE_VERBS_H

#include "edge/session.h"

enum verb_flags {
	VERB_SYNC = 1 << 0,  /* nothing may stand behind it: RFC 2920 §3.1 */
	VERB_JUNK = 1 << 1,  /* does no work: counted, see smtp_max_junk */
	VERB_BARE = 1 << 2,  /* has no argument */
	VERB_INNER = 1 << 3, /* not a command: the end of a message's content */
	VERB_SMTP = 1 << 4,  /* not where LMTP is spoken: RFC 2033 §4.1 */
	VERB_LMTP = 1 << 5,  /* only there */
	VERB_EACH = 1 << 6,  /* LMTP replies once for each recipient: RFC 2033 §4.2 */
};

struct verb {
	const char *name;
	unsigned in;       /* the states it may come in */
	enum state next;   /* after 2yz and 3yz */
	enum state failed; /* after 4yz and 5yz */
	unsigned flags;
	const char *stage; /* of its decisions */
	struct reply (*run)(struct session *s, struct str arg);
	const char *source; /* where it is specified */
};

extern const struct verb verbs[];
extern const size_t verb_count;

/* The row for this command line in the present state, run: a reply. */
struct reply verb_say(struct session *s, struct str line);

/* How many replies there are to this verb now: with LMTP one for each recipient. */
unsigned verb_replies(const struct session *s);

/* A row that is no command: "greeting", "." or "LAST". */
const struct verb *verb_inner(const char *name);

/* Our first words. */
struct reply verb_greet(struct session *s);

/* vault's answer to RCPT; REPLY_LATER while more of it is to come, or state is asked. */
struct reply verb_rcpt_answer(struct session *s, const struct msg_rcpt_answer *a);

/* What a state is called and what it waits for. */
const char *state_name(enum state st);

#endif
