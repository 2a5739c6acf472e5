/*
 * As whom a user of the machine may send.
 *
 *   root           any address of ours, and the null sender
 *   uid in system_uid_min to system_uid_max
 *                  NAME@ each domain of the machine's users, our host name and localhost;
 *                  what its section local or `sekisho user allow` lists
 *   other uids     what is listed so; where there is no section for them, their own
 *                  NAME@..., so that cron's mail and its like goes on
 *
 * Each with a +extension. The null sender has to be listed, as "<>".
 */
#ifndef VAULT_SENDERS_H
#define VAULT_SENDERS_H

#include "base/err.h"
#include "base/str.h"
#include "policy/sender.h"

struct cfg;

struct sender {
	struct str user; /* of the machine */
	uint32_t uid;
	bool anothers;    /* NAME@ is another user's mailbox: users_is_anothers */
	struct str local; /* what it wants to send as; both empty: the null sender */
	struct str domain;
};

/* Whether <user> has been allowed <address>, canonical or "<>", by the operator. */
typedef enum rc senders_allowed(void *arg, struct str user, struct str address, bool *ret,
                                struct err *e);

/* SENDER_TROUBLE with <e> where <allowed> could not tell; SENDER_NO_USER is the caller's. */
enum sender_verdict senders_judge(const struct cfg *c, const struct sender *s,
                                  senders_allowed *allowed, void *arg, struct err *e);

#endif
