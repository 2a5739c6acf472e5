/*
 * Users of this machine: vault knows whom a uid may send as, state how much it has sent.
 */
#ifndef EDGE_LOCAL_H
#define EDGE_LOCAL_H

#include "edge/session.h"

struct path;

/* At MAIL. */
struct reply local_ask_sender(struct session *s, const struct path *from);

/* At RCPT, behind vault's yes: it becomes the reply's last word. */
struct reply local_ask_rate(struct session *s);

/* EHLO's lines for them: the domain that a name without one belongs to. */
void local_offers(const struct session *s, struct buf *b);

/* "uid:33", or nothing for a stranger: mail_commit.origin of msg.def. */
void local_origin(const struct session *s, struct buf *b);

#endif
