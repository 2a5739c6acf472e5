/*
 * accounts.db: who has a mailbox here. Owned by vault; `sekisho user` opens the same file, as
 * vault's uid, while no server runs or beside one.
 *
 * Addresses are kept as address_key prints them: local part in lower case, quoted only where
 * needed, in the canonical domain. That text names the account everywhere.
 */
#ifndef VAULT_ACCOUNTS_H
#define VAULT_ACCOUNTS_H

#include "base/buf.h"
#include "base/err.h"

#define ACCOUNTS_FILE "accounts.db"
#define ACCOUNTS_VERSION 2 /* its user_version; a newer one is refused */

struct accounts;
struct cfg;

/* Open or make the file, and read it through once: a damaged one is RC_PERM. */
enum rc accounts_open(const char *path, struct accounts **ret, struct err *e) MUST_CHECK;

/* For allowed.c, which has a table of its own in it. */
struct sqlite3;
struct sqlite3 *accounts_db(struct accounts *a);

/* NULL is fine; returns NULL. */
struct accounts *accounts_close(struct accounts *a);

/* For a copy of it (db_copy.h). */
struct sqlite3;
struct sqlite3 *accounts_connection(struct accounts *a);

/*
 * Read <address>, as an operator types it, into the text that names its account. RC_PERM, in
 * words for the operator: no address, not a domain of ours, a domain that is only another
 * name for one (the text has the right address), one whose mailboxes are the machine's users',
 * a name no folder can have.
 */
enum rc accounts_name(const struct cfg *cfg, struct str address, struct buf *ret,
                      struct err *e) MUST_CHECK;

/* <name> from accounts_name, as below. Durable on return. RC_PERM: it exists. */
enum rc accounts_add(struct accounts *a, struct str name, uint64_t now_us,
                     struct err *e) MUST_CHECK;

/* Durable on return; what was delivered stays where it is. RC_PERM: there is no such account.
 */
enum rc accounts_remove(struct accounts *a, struct str name, struct err *e) MUST_CHECK;

/*
 * Whether <name> has an account. From memory where it was asked for since the last change;
 * a change by somebody else is seen from the next accounts_refresh on.
 */
enum rc accounts_has(struct accounts *a, struct str name, bool *ret, struct err *e) MUST_CHECK;

/* Once a loop turn, before the first accounts_has: forget what may be old. */
enum rc accounts_refresh(struct accounts *a, struct err *e) MUST_CHECK;

/*
 * The accounts after <after>, in octet order, at most <most>: <each> is called with each, its
 * address living until it returns. *ret_more: there are more behind the last.
 */
typedef void accounts_each(void *arg, struct str address, uint64_t added_us);
enum rc accounts_list(struct accounts *a, struct str after, unsigned most, accounts_each *each,
                      void *arg, bool *ret_more, struct err *e) MUST_CHECK;

#endif
