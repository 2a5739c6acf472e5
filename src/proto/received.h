/*
 * Our Received: field, RFC 5321 §4.4, RFC 3848 and RFC 6531 §4.3 (the `with` words).
 */
#ifndef PROTO_RECEIVED_H
#define PROTO_RECEIVED_H

#include "base/buf.h"
#include "base/netaddr.h"

#define RECEIVED_MAX 1536 /* octets that any field of ours fits into, with the NUL */

struct received {
	struct str helo; /* as the client gave it: any octets */
	struct str rdns; /* verified name of the client; empty: unknown */
	struct netaddr client;
	struct str host; /* ours */
	bool esmtp;      /* greeted with EHLO */
	bool lmtp;       /* greeted with LHLO */
	bool tls;
	bool auth;
	bool utf8; /* the transaction has SMTPUTF8 */
	uint64_t id;
	struct str rcpt; /* printed address of the only recipient; empty: no `for` */
	uint64_t wall_us;
	struct str user; /* the local client's name; empty: a stranger */
};

/*
 * Add the field in kept form, folded, with its line end. What is no part of a domain or
 * literal in <helo> and <rdns> becomes `?`, so no client writes words of ours into it. False,
 * with nothing added, where <host> or <rcpt> have controls or the room does not suffice.
 */
bool received_add(struct buf *b, const struct received *r) MUST_CHECK;

#endif
