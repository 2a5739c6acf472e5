/*
 * Borrowed octets: compare, find, cut. See str.h.
 */
#include <string.h>

#include "base/str.h"

struct str
str_of(const char *c)
{
	return (struct str){c, c == NULL ? 0 : strlen(c)};
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int
str_order(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

bool
str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool
str_starts(struct str s, struct str with)
{
	return s.n >= with.n && str_eq(str_slice(s, 0, with.n), with);
}

bool
str_istarts(struct str s, struct str with)
{
	return s.n >= with.n && str_ieq(str_slice(s, 0, with.n), with);
}

bool
str_iends(struct str s, struct str with)
{
	return s.n >= with.n && str_ieq(str_slice(s, s.n - with.n, s.n), with);
}

size_t
str_find(struct str s, char c)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

size_t
str_rfind(struct str s, char c)
{
	const char *at = s.n == 0 ? NULL : memrchr(s.p, c, s.n);

	return at == NULL ? s.n : (size_t)(at - s.p);
}

struct str
str_slice(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return from == 0 ? (struct str){s.p, to} : (struct str){s.p + from, to - from};
}

bool
str_cut(struct str *in, char sep, struct str *ret_head)
{
	if (in->n == 0)
		return false;
	size_t at = str_find(*in, sep);

	*ret_head = str_slice(*in, 0, at);
	*in = str_slice(*in, at + 1, in->n);
	return true;
}

struct str
str_trim(struct str s)
{
	size_t from = 0;
	size_t to = s.n;

	while (from < to && (s.p[from] == ' ' || s.p[from] == '\t'))
		from++;
	while (to > from && (s.p[to - 1] == ' ' || s.p[to - 1] == '\t'))
		to--;
	return str_slice(s, from, to);
}

bool
str_u64(struct str s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(s.p[i]))
			return false;
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
			return false;
	}
	if (value > max)
		return false;
	*ret = value;
	return true;
}

/* The second octet's range depends on the first: the table of RFC 3629 §4. */
static size_t
utf8_sequence(const unsigned char *p, size_t n)
{
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t need;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		need = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		need = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	if (p[0] == 0xed)
		high = 0x9f;
	if (p[0] == 0xf0)
		low = 0x90;
	if (p[0] == 0xf4)
		high = 0x8f;
	if (n < need || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return need;
}

bool
str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t at = 0; at < s.n;) {
		size_t step = utf8_sequence(p + at, s.n - at);

		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

bool
str_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

bool
str_is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}
