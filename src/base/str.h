/*
 * struct str: borrowed octets with a length. Never owned, never written to, no NUL promised.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/defs.h"

struct str {
	const char *p;
	size_t n; /* octets */
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* the same within an initializer of a static table */
#define STR_INIT(literal) \
	{ \
		"" literal, sizeof(literal) - 1 \
	}
#define STR_NONE ((struct str){NULL, 0})
/* for printf's "%.*s"; lengths here are bounded far below INT_MAX */
#define STR_FMT(s) (int)(s).n, (s).p

/* All of <c>, a NUL-terminated string; NULL gives the empty str. */
struct str str_of(const char *c);

bool str_eq(struct str a, struct str b);

/* Below, equal to or above 0: octets in order, a beginning before what goes on. */
int str_order(struct str a, struct str b);

/* ASCII letters compare without case; all other octets as they are (RFC 5321 §2.4). */
bool str_ieq(struct str a, struct str b);
bool str_starts(struct str s, struct str with);
bool str_istarts(struct str s, struct str with);
bool str_iends(struct str s, struct str with);

/* Position of the first / last <c>, or s.n where there is none. */
size_t str_find(struct str s, char c);
size_t str_rfind(struct str s, char c);

/* s[from, to); positions past the end are the end. */
struct str str_slice(struct str s, size_t from, size_t to);

/*
 * Cut <in> at the first <sep>: *ret_head is what stands before it, <in> what stands after.
 * False, with nothing changed, where <in> is empty; without a <sep> the head is all of it.
 */
bool str_cut(struct str *in, char sep, struct str *ret_head);

/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/* Decimal digits only, all of <s>, at most <max>. False, *ret untouched, for anything else. */
bool str_u64(struct str s, uint64_t max, uint64_t *ret) MUST_CHECK;

/* Valid UTF-8: no overlong forms, no surrogates, nothing over U+10FFFF (RFC 3629 §3). */
bool str_is_utf8(struct str s);

/* Only octets below 0x80. */
bool str_is_ascii(struct str s);

/* No octet below 0x20 and no 0x7f. */
bool str_is_printable(struct str s);

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool
ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

#endif
