/*
 * Delivers for users of the machine: spool asks for one, it is started as that user in that
 * user's home, linked to spool, and leaves when spool lets it go or ends itself.
 *
 * One user has one process at a time; there are at most system_delivers. One that dies is not
 * replaced: spool asks again, and waits longer the more often that happens. Whatever a user
 * does to such a process or to the home is that user's trouble alone: nothing of a home is
 * touched here, and nobody waits for one that does not answer.
 */
#ifndef MASTER_USERS_H
#define MASTER_USERS_H

struct house;
struct msg;
struct slot;

/* What spool says; what a user's deliver says. */
void users_want(struct slot *spool, const struct msg *m);
void users_release(struct slot *spool, const struct msg *m);
void users_unable(struct slot *s, const struct msg *m);

/* It has lost its channel to spool: only a new one gets another. */
void users_lost(struct slot *s);

/* spool ended: what it had asked for is nobody's. */
void users_all_leave(struct house *h);

#endif
