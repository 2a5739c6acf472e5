/*
 * The users of the machine as passwd(5) has them: names and uids, nothing else of it.
 */
#ifndef VAULT_USERS_H
#define VAULT_USERS_H

#include "base/err.h"
#include "base/str.h"

#define USERS_OCTETS_MAX (32U << 20) /* of passwd */
#define USERS_MOST 500000U

enum user_kind {
	USER_NONE,
	USER_MAILBOX, /* has one */
	USER_SYSTEM,  /* is there, but outside the range of uids that have mailboxes */
};

struct users;

/* Of a name that stands there twice the first counts, as for getpwnam(3). RC_PERM for more than
 * USERS_MOST, RC_TEMP where memory is out. */
enum rc users_read(struct str passwd, uint64_t uid_min, uint64_t uid_max, struct users **ret,
                   struct err *e) MUST_CHECK;

/* <name> exactly. */
enum user_kind users_find(const struct users *u, struct str name);

/* Letters' case does not count in an address: name@ is the mailbox of another user, whose name
 * has small letters only. */
bool users_is_anothers(const struct users *u, struct str name);

/* Whose uid it is, the first of several; empty: nobody's. Lives as long as <u>. */
struct str users_name(const struct users *u, uint32_t uid);

/* The next <most> names with a mailbox whose name@<domain> stands behind <after>, in the order
 * of these addresses. Returns how many; the texts live as long as <u>. */
unsigned users_list(const struct users *u, struct str domain, struct str after, struct str *ret,
                    unsigned most);

unsigned users_count(const struct users *u);

/* NULL is fine; returns NULL. */
struct users *users_free(struct users *u);

#endif
