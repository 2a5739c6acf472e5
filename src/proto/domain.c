/*
 * Domains and address literals. See domain.h.
 *
 *     Domain          = sub-domain *("." sub-domain)                          RFC 5321 §4.1.2
 *     sub-domain      = Let-dig [Ldh-str] / U-label                           RFC 6531 §3.3
 *     address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]"  RFC 5321 §4.1.3
 *
 * General-address-literal has no registered tag, so none is known here.
 */
#include <idn2.h>
#include <string.h>

#include "proto/domain.h"

/* Strict IDNA2008: no mapping, so one name cannot be written in two ways; input is NFC or
 * refused. */
#define IDNA_FLAGS IDN2_NO_TR46

static enum fault parse_literal(struct str s, struct domain *d);
static enum fault parse_ascii(struct str s, struct domain *d);
static enum fault parse_utf8(struct str s, struct domain *d);

enum fault
domain_parse(struct str s, bool utf8, struct domain *ret)
{
	struct domain d = {.is_literal = false};
	enum fault f;

	if (s.n == 0)
		return FAULT_domain_empty;
	if (s.n > DOMAIN_MAX)
		return FAULT_domain_long;
	if (s.p[0] == '[')
		f = parse_literal(s, &d);
	else if (str_is_ascii(s))
		f = parse_ascii(s, &d);
	else
		f = utf8 ? parse_utf8(s, &d) : FAULT_not_ascii;
	if (f == FAULT_none)
		*ret = d;
	return f;
}

void
domain_add_literal(struct buf *b, const struct netaddr *ip)
{
	buf_addf(b, netaddr_is_v4(ip) ? "[%s]" : "[IPv6:%s]", netaddr_text(ip).c);
}

static enum fault
parse_literal(struct str s, struct domain *d)
{
	struct buf b = BUF_ON(d->name);

	if (s.p[s.n - 1] != ']')
		return FAULT_literal;
	struct str inner = str_slice(s, 1, s.n - 1);
	bool v6 = str_istarts(inner, STR("IPv6:"));
	if (v6)
		inner = str_slice(inner, STR("IPv6:").n, inner.n);
	bool has_colon = str_find(inner, ':') < inner.n;
	if (has_colon != v6 || !netaddr_parse(inner, &d->ip))
		return FAULT_literal;
	d->is_literal = true;
	domain_add_literal(&b, &d->ip); /* fits: INET6_ADDRSTRLEN and 7 octets */
	return FAULT_none;
}

static enum fault
check_label(struct str label)
{
	if (label.n == 0)
		return FAULT_domain_dot;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];

		if (c == '@')
			return FAULT_domain_at;
		if (!ascii_alpha(c) && !ascii_digit(c) && c != '-')
			return FAULT_label_char;
	}
	if (label.n > LABEL_MAX)
		return FAULT_label_long;
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return FAULT_label_hyphen;
	return FAULT_none;
}

static bool
is_number(struct str label)
{
	for (size_t i = 0; i < label.n; i++)
		if (!ascii_digit(label.p[i]))
			return false;
	return true;
}

/* All labels of an ASCII name; *ret_alabel where one claims to be an A-label. */
static enum fault
check_name(struct str s, bool *ret_alabel)
{
	for (;;) {
		size_t dot = str_find(s, '.');
		struct str label = str_slice(s, 0, dot);
		enum fault f = check_label(label);

		if (f != FAULT_none)
			return f;
		if (str_istarts(label, STR("xn--")))
			*ret_alabel = true;
		if (dot == s.n) /* no top-level domain is a number (RFC 3696 §2): 192.0.2.1 */
			return is_number(label) ? FAULT_domain_number : FAULT_none;
		s = str_slice(s, dot + 1, s.n);
	}
}

/* <name> in A-labels, into <b>. A-labels within it must decode to U-labels that encode to them.
 */
static enum fault
add_alabels(struct buf *b, const char *name)
{
	uint8_t *ascii = NULL;
	int rc = idn2_lookup_u8((const uint8_t *)name, &ascii, IDNA_FLAGS);

	if (rc == IDN2_OK)
		buf_add_lower(b, str_of((const char *)ascii));
	idn2_free(ascii);
	if (rc == IDN2_MALLOC)
		return FAULT_no_memory;
	return rc == IDN2_OK && !b->cut ? FAULT_none : FAULT_domain_idna;
}

static enum fault
parse_ascii(struct str s, struct domain *d)
{
	struct buf b = BUF_ON(d->name);
	bool alabel = false;
	enum fault f = check_name(s, &alabel);

	if (f != FAULT_none)
		return f;
	buf_add_lower(&b, s);
	if (!alabel)
		return FAULT_none;
	char room[DOMAIN_MAX + 1];
	struct buf again = BUF_ON(room);
	f = add_alabels(&again, d->name);
	return f == FAULT_none && !str_eq(buf_str(&again), buf_str(&b)) ? FAULT_domain_idna : f;
}

static enum fault
parse_utf8(struct str s, struct domain *d)
{
	char room[DOMAIN_MAX + 1];
	struct buf lower = BUF_ON(room);
	struct buf b = BUF_ON(d->name);
	bool alabel = false;

	if (!str_is_utf8(s) || !str_is_printable(s)) /* a NUL would end the library's input */
		return FAULT_domain_idna;
	buf_add_lower(&lower,
	              s); /* ASCII letters have no case in domains; others are as given */
	enum fault f = add_alabels(&b, room);
	if (f != FAULT_none)
		return f;
	d->was_utf8 = true;
	return check_name(buf_str(&b), &alabel);
}
