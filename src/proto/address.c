/*
 * Mailboxes and paths. See address.h.
 *
 *     Path          = "<" [ A-d-l ":" ] Mailbox ">"
 *     A-d-l         = At-domain *( "," At-domain )        At-domain = "@" Domain
 *     Mailbox       = Local-part "@" ( Domain / address-literal )
 *     Local-part    = Dot-string / Quoted-string
 *     Dot-string    = Atom *("." Atom)                    Atom = 1*atext
 *     Quoted-string = DQUOTE *( qtextSMTP / "\" %d32-126 ) DQUOTE
 *
 * atext and qtextSMTP have all of non-ASCII UTF-8 as well: RFC 6531 §3.3.
 */
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>
#include <unistr.h>

#include "proto/address.h"

static enum fault take_local(struct str *in, struct buf *b);
static enum fault check_local(const char *local, bool utf8);
static enum fault take_route(struct str *in, bool *ret_routed);

enum fault
address_parse(struct str s, bool utf8, struct address *ret)
{
	struct address a = {.local = ""};
	struct buf b = BUF_ON(a.local);
	char room[MAILBOX_MAX + 1];
	struct buf printed = BUF_ON(room);

	if (s.n > MAILBOX_MAX)
		return FAULT_path_long;
	enum fault f = take_local(&s, &b);
	if (f == FAULT_none)
		f = check_local(a.local, utf8);
	if (f == FAULT_none)
		f = domain_parse(s, utf8, &a.domain);
	if (f != FAULT_none)
		return f;
	address_print(&printed, &a); /* A-labels are longer than the U-labels they come from */
	if (printed.cut)
		return FAULT_path_long;
	*ret = a;
	return FAULT_none;
}

/* Where the path that starts at s[0] ends: at a `>` outside of quotes, or s.n. */
static size_t
path_end(struct str s)
{
	bool quoted = false;

	for (size_t at = 0; at < s.n; at++) {
		if (quoted && s.p[at] == '\\')
			at++;
		else if (s.p[at] == '"')
			quoted = !quoted;
		else if (s.p[at] == '>' && !quoted)
			return at;
	}
	return s.n;
}

static enum fault
parse_inner(struct str s, enum path_of whose, bool utf8, struct path *p)
{
	if (s.n == 0) {
		p->kind = PATH_NULL;
		return whose == PATH_OF_SENDER ? FAULT_none : FAULT_null;
	}
	enum fault f = take_route(&s, &p->routed);
	if (f != FAULT_none)
		return f;
	if (whose == PATH_OF_RECIPIENT && !p->routed && str_ieq(s, STR("postmaster"))) {
		struct buf b = BUF_ON(p->address.local);

		p->kind = PATH_POSTMASTER; /* RFC 5321 §4.5.1 */
		buf_add(&b, s);
		return FAULT_none;
	}
	p->kind = PATH_MAILBOX;
	return address_parse(s, utf8, &p->address);
}

enum fault
path_parse(struct str *in, enum path_of whose, bool utf8, struct path *ret)
{
	struct path p = {.routed = false};
	size_t end = path_end(*in);

	if (end == in->n || in->p[0] != '<')
		return FAULT_no_bracket;
	if (end + 1 > PATH_OCTETS)
		return FAULT_path_long;
	enum fault f = parse_inner(str_slice(*in, 1, end), whose, utf8, &p);
	if (f != FAULT_none)
		return f;
	*in = str_slice(*in, end + 1, in->n);
	*ret = p;
	return FAULT_none;
}

/* The length of the domain that <s> starts with, up to `,` or `:`; a literal has colons inside.
 */
static size_t
route_domain(struct str s)
{
	size_t colon;
	size_t comma;

	if (str_starts(s, STR("[")))
		return str_find(s, ']') + 1;
	colon = str_find(s, ':');
	comma = str_find(s, ',');
	return colon < comma ? colon : comma;
}

/* A leftover of the 1980s, let alone with U-labels: those are refused. */
static enum fault
take_route(struct str *in, bool *ret_routed)
{
	while (str_starts(*in, STR("@"))) {
		struct str s = str_slice(*in, 1, in->n);
		struct domain ignored;
		size_t n = route_domain(s);

		if (domain_parse(str_slice(s, 0, n), false, &ignored) != FAULT_none || n >= s.n)
			return FAULT_route;
		*in = str_slice(s, n + 1, s.n);
		*ret_routed = s.p[n] == ':';
		if (*ret_routed)
			return FAULT_none;
		if (s.p[n] != ',' || !str_starts(*in, STR("@")))
			return FAULT_route;
	}
	return FAULT_none;
}

static bool
is_atext(char c)
{
	static const char specials[] = "!#$%&'*+-/=?^_`{|}~"; /* RFC 5322 §3.2.3 */

	return ascii_alpha(c) || ascii_digit(c) || (unsigned char)c >= 0x80 ||
	       (c != '\0' && memchr(specials, c, sizeof(specials) - 1) != NULL);
}

static bool
is_dot_string(struct str s)
{
	bool after_dot = true;

	for (size_t i = 0; i < s.n; i++) {
		bool dot = s.p[i] == '.';

		if (dot ? after_dot : !is_atext(s.p[i]))
			return false;
		after_dot = dot;
	}
	return !after_dot;
}

static enum fault
take_dot_string(struct str *in, struct buf *b)
{
	size_t n = 0;

	while (n < in->n && (is_atext(in->p[n]) || in->p[n] == '.'))
		n++;
	struct str local = str_slice(*in, 0, n);
	*in = str_slice(*in, n, in->n);
	if (n > 0 && !is_dot_string(local))
		return FAULT_local_dots;
	buf_add(b, local);
	return FAULT_none;
}

static enum fault
take_quoted_string(struct str *in, struct buf *b)
{
	size_t at = 1;

	for (; at < in->n && in->p[at] != '"'; at++) {
		if (in->p[at] == '\\') {
			at++;
			if (at == in->n || (unsigned char)in->p[at] >= 0x80)
				return FAULT_quote_char;
		}
		buf_addc(b, in->p[at]);
	}
	if (at == in->n)
		return FAULT_quote_open;
	*in = str_slice(*in, at + 1, in->n);
	return str_is_printable(buf_str(b)) ? FAULT_none : FAULT_quote_char;
}

/* The local part, unquoted into <b>, and the @ behind it. */
static enum fault
take_local(struct str *in, struct buf *b)
{
	enum fault f =
		str_starts(*in, STR("\"")) ? take_quoted_string(in, b) : take_dot_string(in, b);

	if (f != FAULT_none)
		return f;
	if (b->cut)
		return FAULT_local_long;
	if (in->n == 0)
		return FAULT_no_domain;
	if (in->p[0] != '@')
		return FAULT_local_char;
	*in = str_slice(*in, 1, in->n);
	return FAULT_none;
}

/*
 * Characters that no one sees but that change what is seen or how it is read: C1 controls
 * (U+0085 ends a line for some), marks and overrides of direction, line separators, U+FEFF.
 */
static bool
has_invisible(const char *local)
{
	static const struct {
		ucs4_t from;
		ucs4_t to;
	} ranges[] = {
		{0x80,    0x9f   },
                {0x200e,  0x200f },
                {0x2028,  0x202e },
                {0x2060,  0x206f },
		{0xfeff,  0xfeff },
                {0xfff9,  0xfffb },
                {0xe0000, 0xe007f}
        };
	ucs4_t c;

	for (const uint8_t *p = u8_next(&c, (const uint8_t *)local); p != NULL;
	     p = u8_next(&c, p))
		for (size_t i = 0; i < LENGTH(ranges); i++)
			if (c >= ranges[i].from && c <= ranges[i].to)
				return true;
	return false;
}

/* RFC 6532 §3.1 asks for NFC; two spellings of one name would be two mailboxes that look the
 * same. */
static enum fault
check_nfc(struct str local)
{
	uint8_t room[LOCAL_MAX * 4]; /* NFC lengthens UTF-8 at most threefold */
	size_t n = sizeof(room);
	uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)local.p, local.n, room, &n);

	if (nfc == NULL)
		return FAULT_no_memory;
	bool same = str_eq(local, (struct str){(const char *)nfc, n});
	if (nfc != room)
		free(nfc);
	return same ? FAULT_none : FAULT_local_nfc;
}

static enum fault
check_local(const char *local, bool utf8)
{
	struct str s = str_of(local);

	if (s.n == 0)
		return FAULT_local_empty;
	if (s.p[0] == '-') /* a command behind an alias would take it for an option */
		return FAULT_local_hyphen;
	if (str_is_ascii(s))
		return FAULT_none;
	if (!utf8)
		return FAULT_not_ascii;
	if (!str_is_utf8(s))
		return FAULT_local_utf8;
	if (has_invisible(local))
		return FAULT_local_control;
	return check_nfc(s);
}

bool
address_was_utf8(const struct address *a)
{
	return a->domain.was_utf8 || !str_is_ascii(str_of(a->local));
}

static void
add_quoted(struct buf *b, struct str local)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, local.p[i]);
	}
	buf_addc(b, '"');
}

static void
print_with(struct buf *b, struct str local, struct str domain)
{
	if (local.n == 0 || is_dot_string(local))
		buf_add(b, local);
	else
		add_quoted(b, local);
	if (domain.n > 0) {
		buf_addc(b, '@');
		buf_add(b, domain);
	}
}

void
address_print(struct buf *b, const struct address *a)
{
	print_with(b, str_of(a->local), str_of(a->domain.name));
}

void
address_key(struct buf *b, const struct address *a)
{
	char room[LOCAL_MAX + 1];
	struct buf lower = BUF_ON(room);

	buf_add_lower(&lower, str_of(a->local));
	print_with(b, buf_str(&lower), str_of(a->domain.name));
}
