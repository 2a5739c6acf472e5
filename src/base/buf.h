/*
 * struct buf: a bounded text being built. A piece that does not fit is left out whole and
 * <cut> is set; so one test at the end suffices. Always NUL-terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

struct buf {
	char *p;
	size_t n;   /* octets in use, without the NUL */
	size_t cap; /* octets of room, with the NUL */
	bool cut;   /* something did not fit */
};

static inline char *
buf_room(char *p)
{
	p[0] = '\0';
	return p;
}

/* An empty text in an array, whose octets are no more what they were. */
#define BUF_ON(array) ((struct buf){.p = buf_room(array), .cap = sizeof(array)})

void buf_add(struct buf *b, struct str s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_addv(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);

/* The lowest <octets> (at most 8) of a number, little-endian. */
void buf_add_le(struct buf *b, unsigned octets, uint64_t value);

/* ASCII letters in lower case. */
void buf_add_lower(struct buf *b, struct str s);

/*
 * One line's worth of hostile text: control octets, DEL, invalid UTF-8, `"` and `\` become
 * \xHH; so do UTF-8's own controls, line separators and marks that turn the direction of
 * writing. Every octet takes four at most. Left out whole where it does not fit.
 */
void buf_add_escaped(struct buf *b, struct str s);

void buf_clear(struct buf *b);

static inline struct str
buf_str(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

#endif
