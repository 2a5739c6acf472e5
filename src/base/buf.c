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
buf_add_lower(struct buf *b, struct str s)
{
	size_t start = b->n;

	buf_add(b, s);
	for (size_t i = start; i < b->n; i++)
		b->p[i] = ascii_lower(b->p[i]);
}

void
buf_add_escaped(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	size_t start = b->n;
	bool was_cut = b->cut;
	bool utf8 = str_is_utf8(s);

	b->cut = false;
	for (size_t i = 0; i < s.n && !b->cut; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain =
			c >= 0x20 && c != 0x7f && c != '"' && c != '\\' && (c < 0x80 || utf8);

		if (plain) {
			buf_addc(b, (char)c);
		} else {
			char code[] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
			buf_add(b, (struct str){code, sizeof(code)});
		}
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
