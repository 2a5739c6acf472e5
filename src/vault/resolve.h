/*
 * Where mail for an address of ours goes: to which accounts. Pure but for asking whether an
 * account exists.
 *
 * An address is looked up in one table after the other: alias sections of sekisho.conf, virtual
 * tables, alias files, accounts; the same again without its plus extension (alice+x as alice).
 * What has none of all that goes to who catches all: the domain's catch_all, then a virtual
 * table's @domain. An alias wins over the account of its name, as Postfix's virtual aliases do,
 * and reaches what is there without it by naming itself: alias "alice" { to = {"alice", "bob"}
 * } keeps a copy. postmaster always exists (RFC 5321 §4.5.1): a domain without one, and without
 * a catch_all, has that of the home domain (cfg.h).
 *
 * In domains with mailboxes = system accounts are users of the machine, the same ones in each;
 * those outside system_uid_min to system_uid_max are system accounts: refused or discarded,
 * whoever catches all.
 *
 * What a file might say that could not be read is not known: whom it could concern has
 * RCPT_TROUBLE (maps.h).
 */
#ifndef VAULT_RESOLVE_H
#define VAULT_RESOLVE_H

#include "base/buf.h"
#include "base/err.h"
#include "cfg/cfg.h"
#include "policy/rcpt.h"

/* Bounds for one recipient; cfg refuses aliases that would go over them. */
#define RESOLVE_TARGETS_MAX CFG_ALIAS_MOST /* alias targets followed */
#define RESOLVE_DEPTH_MAX CFG_ALIAS_DEPTH  /* aliases of aliases */

struct maps;
struct resolve;

struct resolve_use {
	/* Does this account exist? RC_OK, or the whole answer is RCPT_TROUBLE. */
	enum rc (*has)(void *arg, struct str mailbox, bool *ret, struct err *e);
	/* A target of this alias, or of the catch_all where <alias> is empty, is no account:
	 * the operator's mistake. Told once for each alias. */
	void (*astray)(void *arg, struct str domain, struct str alias, struct str target);
	void *arg;
};

struct resolved {
	enum rcpt_verdict verdict;
	unsigned count;
	const struct str *mailboxes; /* RCPT_MAILBOXES: sorted, each once */
};

/* <cfg> and <maps> must outlive it; NULL: no files and no users of the machine. NULL when
 * memory is out. */
struct resolve *resolve_new(const struct cfg *cfg, const struct maps *maps,
                            struct resolve_use use);

/* NULL is fine; returns NULL. */
struct resolve *resolve_free(struct resolve *r);

/*
 * <local> is without quoting, in any case; <domain> as domain_parse prints it, empty only for
 * a postmaster without a domain. *ret is always filled, and its texts live until the next
 * call. RC_TEMP, with RCPT_TROUBLE: <has> failed, or memory is out.
 */
enum rc resolve_rcpt(struct resolve *r, struct str local, struct str domain,
                     struct resolved *ret, struct err *e) MUST_CHECK;

/* local@domain as accounts are named: address_key of a local part without quoting. */
void resolve_name(struct buf *b, struct str local, struct str domain);

#endif
