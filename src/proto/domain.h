/*
 * Domains and address literals, RFC 5321 §4.1.2 and §4.1.3, RFC 6531 §3.3, RFC 5890.
 *
 * One domain has one form: ASCII letters in lower case, U-labels as A-labels (IDNA2008), an
 * address literal as we print it. So two domains are the same exactly where their names are
 * the same octets, and a name can be asked for in DNS and looked up in tables as it is.
 */
#ifndef PROTO_DOMAIN_H
#define PROTO_DOMAIN_H

#include "base/buf.h"
#include "base/netaddr.h"
#include "proto/fault.h"

#define DOMAIN_MAX 255 /* octets, RFC 5321 §4.5.3.1.2 */
#define LABEL_MAX 63   /* octets, RFC 1035 §2.3.4 */

struct domain {
	char name[DOMAIN_MAX + 1]; /* its one form, NUL-terminated; has no NUL inside */
	bool is_literal;           /* "[192.0.2.1]" or "[IPv6:2001:db8::1]" */
	bool was_utf8;             /* came with U-labels */
	struct netaddr ip;         /* of a literal */
};

/*
 * All of <s> as a domain or an address literal. U-labels only where <utf8>, else
 * FAULT_not_ascii. Strict: labels of letters, digits and inner hyphens only, A-labels that
 * decode, no trailing dot, no name whose last label is a number (192.0.2.1 without brackets).
 * *ret is untouched on a fault.
 */
enum fault domain_parse(struct str s, bool utf8, struct domain *ret) MUST_CHECK;

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]". */
void domain_add_literal(struct buf *b, const struct netaddr *ip);

#endif
