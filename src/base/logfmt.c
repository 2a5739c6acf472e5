/*
 * logfmt as log.c writes it. See logfmt.h.
 *
 *   fields = field *(SP field)        key   = 1*(ALPHA / DIGIT / "_")
 *   field  = key "=" value            value = 1*plain / DQUOTE *(plain / SP / "=" / escape)
 * DQUOTE escape = "\x" 2HEXDIG             plain = any octet over SP but DQUOTE, "\", DEL
 */
#include "base/logfmt.h"

static bool
is_key_octet(char c)
{
	return ascii_alpha(c) || ascii_digit(c) || c == '_';
}

/* The value of a hex digit, or -1. */
static int
hex_of(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Octets of the escape that <s> starts with, or 0. */
static size_t
escape_octets(struct str s)
{
	bool is = s.n >= 4 && s.p[0] == '\\' && s.p[1] == 'x' && hex_of(s.p[2]) >= 0 &&
	          hex_of(s.p[3]) >= 0;

	return is ? 4 : 0;
}

/* <s> begins behind the opening quote; false where no closing one comes. */
static bool
take_quoted(struct str s, struct str *ret_value, struct str *ret_rest)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != '"') {
		size_t step = s.p[n] == '\\' ? escape_octets(str_slice(s, n, s.n)) : 1;

		if (step == 0)
			return false;
		n += step;
	}
	*ret_value = str_slice(s, 0, n);
	*ret_rest = str_slice(s, n + 1, s.n);
	return n < s.n;
}

static bool
take_plain(struct str s, struct str *ret_value, struct str *ret_rest)
{
	size_t n = str_find(s, ' ');

	*ret_value = str_slice(s, 0, n);
	*ret_rest = str_slice(s, n, s.n);
	return n > 0 && str_find(*ret_value, '"') == n && str_find(*ret_value, '\\') == n;
}

bool
logfmt_next(struct str *in, struct str *ret_key, struct str *ret_value)
{
	struct str value;
	struct str rest;
	size_t n = 0;

	while (n < in->n && is_key_octet(in->p[n]))
		n++;
	if (n == 0 || n == in->n || in->p[n] != '=')
		return false;
	struct str behind = str_slice(*in, n + 1, in->n);
	bool quoted = behind.n > 0 && behind.p[0] == '"';
	bool good = quoted ? take_quoted(str_slice(behind, 1, behind.n), &value, &rest)
	                   : take_plain(behind, &value, &rest);
	if (!good || (rest.n > 0 && rest.p[0] != ' '))
		return false;
	*ret_key = str_slice(*in, 0, n);
	*ret_value = value;
	*in = str_slice(rest, 1, rest.n);
	return true;
}

void
logfmt_add_value(struct buf *b, struct str value)
{
	while (value.n > 0) {
		size_t step = escape_octets(value);
		int octet =
			step == 0 ? value.p[0] : hex_of(value.p[2]) << 4 | hex_of(value.p[3]);

		buf_addc(b, (char)(unsigned char)octet);
		value = str_slice(value, step == 0 ? 1 : step, value.n);
	}
}
