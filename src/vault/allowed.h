/*
 * Which addresses users of the machine may send as, beyond their own: `sekisho user allow`. A
 * table of accounts.db.
 */
#ifndef VAULT_ALLOWED_H
#define VAULT_ALLOWED_H

#include "base/buf.h"
#include "base/err.h"

struct accounts;
struct allowed;
struct cfg;
struct users;

#define ALLOWED_NULL "<>" /* the null sender */

/* In the file of <a>, which must outlive it. */
enum rc allowed_open(struct accounts *a, struct allowed **ret, struct err *e) MUST_CHECK;

/* NULL is fine; returns NULL. */
struct allowed *allowed_close(struct allowed *w);

/*
 * Read a user's name and an address of ours, as an operator types them: *ret is the canonical
 * address, or ALLOWED_NULL. RC_PERM, in words for the operator.
 */
enum rc allowed_read(const struct cfg *cfg, struct str name, struct str address,
                     struct buf *ret, struct err *e) MUST_CHECK;

/* RC_PERM: nobody is called <name>. RC_TEMP: <users> is NULL, so that it cannot be told. */
enum rc allowed_user(const struct users *users, struct str name, struct err *e) MUST_CHECK;

/* <address> from allowed_read. Durable on return. RC_PERM: it is so already. */
enum rc allowed_add(struct allowed *w, struct str name, struct str address, uint64_t now_us,
                    struct err *e) MUST_CHECK;

/* Durable on return. RC_PERM: it was not allowed. */
enum rc allowed_drop(struct allowed *w, struct str name, struct str address,
                     struct err *e) MUST_CHECK;

enum rc allowed_has(struct allowed *w, struct str name, struct str address, bool *ret,
                    struct err *e) MUST_CHECK;

/* The rows after (<name>, <address>), in octet order, as accounts_list. */
typedef void allowed_each(void *arg, struct str name, struct str address, uint64_t added_us);
enum rc allowed_list(struct allowed *w, struct str name, struct str address, unsigned most,
                     allowed_each *each, void *arg, bool *ret_more, struct err *e) MUST_CHECK;

#endif
