/*
 * xtext. See xtext.h.
 *
 *     xtext   = *( xchar / hexchar )
 *     xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
 *     hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
 */
#include "proto/xtext.h"

static int
hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The octet at *at, and *at behind it; -1 where there is none that may be. */
static int
take_octet(struct str in, size_t *at)
{
	char c = in.p[(*at)++];

	if (c != '+')
		return c > ' ' && c <= '~' && c != '=' ? c : -1;
	if (in.n - *at < 2)
		return -1;
	int high = hex_digit(in.p[(*at)++]);
	int low = hex_digit(in.p[(*at)++]);
	int octet = high < 0 || low < 0 ? -1 : high * 16 + low;
	return octet >= ' ' && octet <= '~' ? octet : -1;
}

bool
xtext_add_decoded(struct buf *b, struct str in)
{
	size_t start = b->n;
	bool good = true;

	for (size_t at = 0; at < in.n && good && !b->cut;) {
		int octet = take_octet(in, &at);

		good = octet >= 0;
		if (good)
			buf_addc(b, (char)octet);
	}
	if (good && !b->cut)
		return true;
	b->n = start; /* all of it or nothing */
	b->p[start] = '\0';
	return false;
}

void
xtext_add(struct buf *b, struct str in)
{
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] > ' ' && in.p[i] <= '~' && in.p[i] != '+' && in.p[i] != '=')
			buf_addc(b, in.p[i]);
		else
			buf_addf(b, "+%02X", (unsigned char)in.p[i]);
}
