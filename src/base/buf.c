/*
 * Bounded text. See buf.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static size_t
room(const struct buf *b)
{
	return b->cap - b->n - 1; /* one octet stays for the NUL */
}

void
buf_add(struct buf *b, struct str s)
{
	if (s.n > room(b)) {
		b->cut = true;
		return;
	}
	if (s.n > 0)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	b->p[b->n] = '\0';
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, (struct str){&c, 1});
}

void
buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	size_t free_octets = room(b);
	int wrote = vsnprintf(b->p + b->n, free_octets + 1, fmt, ap);

	if (wrote < 0 || (size_t)wrote > free_octets) {
		b->cut = true;
		b->p[b->n] = '\0';
		return;
	}
	b->n += (size_t)wrote;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(b, fmt, ap);
	va_end(ap);
}

void
buf_add_le(struct buf *b, unsigned octets, uint64_t value)
{
	char le[8];

	for (unsigned i = 0; i < octets; i++)
		le[i] = (char)(value >> (8 * i) & 0xff);
	buf_add(b, (struct str){le, octets});
}

void
buf_add_lower(struct buf *b, struct str s)
{
	size_t start = b->n;

	buf_add(b, s);
	for (size_t i = start; i < b->n; i++)
		b->p[i] = ascii_lower(b->p[i]);
}

/*
 * Octets of a valid UTF-8 sequence at <p> that a reader's screen would obey instead of show:
 * C1 controls (U+0080 to U+009F; U+009B starts terminal commands), line separators (U+2028,
 * U+2029) and what turns the direction of writing (U+200E, U+200F, U+202A to U+202E, U+2066 to
 * U+2069). 0 for any other.
 */
static size_t
unseen_octets(const unsigned char *p, size_t n)
{
	if (n >= 2 && p[0] == 0xc2 && p[1] <= 0x9f)
		return 2;
	if (n < 3 || p[0] != 0xe2)
		return 0;
	if (p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)))
		return 3;
	return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9 ? 3 : 0;
}

static void
add_hex(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char code[] = {'\\', 'x', hex[c >> 4], hex[c & 15]};

	buf_add(b, (struct str){code, sizeof(code)});
}

void
buf_add_escaped(struct buf *b, struct str s)
{
	size_t start = b->n;
	bool was_cut = b->cut;
	bool utf8 = str_is_utf8(s);

	const unsigned char *p = (const unsigned char *)s.p;
	size_t hidden = 0; /* octets still to come of a sequence that is escaped whole */

	b->cut = false;
	for (size_t i = 0; i < s.n && !b->cut; i++) {
		unsigned char c = p[i];
		bool plain = c >= 0x20 && c != 0x7f && c != '"' && c != '\\';

		if (hidden == 0 && utf8)
			hidden = unseen_octets(p + i, s.n - i);
		if (hidden > 0)
			hidden--;
		else if (plain && (c < 0x80 || utf8)) {
			buf_addc(b, (char)c);
			continue;
		}
		add_hex(b, c);
	}
	if (b->cut) {
		b->n = start;
		b->p[start] = '\0';
	}
	b->cut = b->cut || was_cut;
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->cut = false;
	b->p[0] = '\0';
}
