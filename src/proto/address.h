/*
 * Mailboxes and paths, RFC 5321 §4.1.2 with RFC 6531 §3.3.
 *
 * A struct address is a value: it may be copied, owns nothing and points nowhere. Its local
 * part is without quoting, so "a.b"@x and a.b@x are one address. `%`, `!` and `+` are octets
 * like any other: nothing here routes by them.
 */
#ifndef PROTO_ADDRESS_H
#define PROTO_ADDRESS_H

#include "proto/domain.h"

#define LOCAL_MAX 64    /* octets without quoting, RFC 5321 §4.5.3.1.1 */
#define PATH_OCTETS 256 /* octets with brackets and route, RFC 5321 §4.5.3.1.3 */
#define MAILBOX_MAX 254 /* octets as printed: a path without its brackets */

struct address {
	char local[LOCAL_MAX + 1]; /* unquoted, case as given, NUL-terminated, no NUL inside */
	struct domain domain;      /* name is "" only for PATH_POSTMASTER */
};

enum path_kind {
	PATH_NULL,       /* <>, senders only */
	PATH_POSTMASTER, /* <postmaster>, recipients only: that of the host which receives */
	PATH_MAILBOX,
};

struct path {
	enum path_kind kind;
	/*
	 * A source route <@a,@b:u@c> stood before the mailbox. It is dropped, as RFC 5321
	 * appendix C wants; whoever decides relaying sees that the client asked for a route.
	 */
	bool routed;
	/* All zero for PATH_NULL. PATH_POSTMASTER: local alone; the caller sets its own domain.
	 */
	struct address address;
};

/*
 * All of <s> as local@domain, without brackets. Non-ASCII only where <utf8> (SMTPUTF8), else
 * FAULT_not_ascii. *ret is untouched on a fault.
 */
enum fault address_parse(struct str s, bool utf8, struct address *ret) MUST_CHECK;

/*
 * A path with its brackets at the start of *in, which then is what stands behind the `>`.
 * *in and *ret are untouched on a fault.
 */
enum fault path_parse(struct str *in, enum path_of whose, bool utf8,
                      struct path *ret) MUST_CHECK;

/* True where either part was given with non-ASCII: it may travel only with SMTPUTF8. */
bool address_was_utf8(const struct address *a);

/*
 * The canonical form: quoted only where needed, the local part's case kept. At most
 * MAILBOX_MAX octets; address_parse of it gives the same address, and it has no controls.
 * The address of a PATH_POSTMASTER is printed without @, that of a PATH_NULL as nothing.
 */
void address_print(struct buf *b, const struct address *a);

/*
 * The form to look up and to compare by: the canonical form with the local part's ASCII
 * letters in lower case. Non-ASCII letters keep their case (RFC 6530 §10.1: only the
 * receiving host knows its users' script).
 */
void address_key(struct buf *b, const struct address *a);

#endif
