/*
 * Delivers of users of the machine: each runs as one of them, is started by master when mail
 * waits for that user, and let go when there is none, or when others wait for their turn.
 */
#ifndef SPOOL_USERS_H
#define SPOOL_USERS_H

#include "spool/route.h"

/* Each turn, before work is handed out: delivers are asked for and let go. */
void users_turn(struct spool *sp);

/* Master's answer to a deliver_want. */
void users_deliver_for(struct spool *sp, const struct msg_deliver_for *m);

/* The route whose deliver has that number and has no channel yet, or NULL. */
struct route *users_route_of(const struct spool *sp, unsigned index);

/* The channel to this route's deliver is gone. */
void users_deliver_gone(struct spool *sp, struct route *r);

#endif
