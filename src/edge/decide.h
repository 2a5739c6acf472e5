/*
 * A decision is a row of reasons.def, a reply and one line in log and journal.
 */
#ifndef EDGE_DECIDE_H
#define EDGE_DECIDE_H

#include "edge/reply.h"
#include "policy/reason.h"

struct session;
struct smtp_problem;

/* <to>: the recipient it is about, or empty. The reply carries the transaction's id. */
struct reply decide(struct session *s, enum reason why, struct str to);

/* A command of a transaction that cannot be understood: REASON_syntax with the parser's codes.
 */
struct reply decide_problem(struct session *s, const struct smtp_problem *p, struct str said);

/* The reply alone, for what is no decision about a message. */
struct reply reason_reply(enum reason why);

#endif
