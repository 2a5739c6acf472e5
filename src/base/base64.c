/*
 * Base 64. See base64.h.
 */
#include "base/base64.h"

static const struct str letters =
	STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

void
base64_add(struct buf *b, struct str octets)
{
	if (b->cut || (octets.n + 2) / 3 * 4 >= b->cap - b->n) {
		b->cut = true;
		return;
	}
	for (size_t i = 0; i < octets.n; i += 3) {
		unsigned long group = 0;

		for (size_t j = 0; j < 3; j++)
			group = group << 8 |
			        (i + j < octets.n ? (unsigned char)octets.p[i + j] : 0U);
		for (size_t j = 0; j < 4; j++)
			buf_addc(b, i + j > octets.n ? '='
			                             : letters.p[group >> (18 - 6 * j) & 63]);
	}
}

/* -1: no letter of ours. */
static int
value_of(char c)
{
	size_t at = str_find(letters, c);

	return at < letters.n ? (int)at : -1;
}

/* Four letters as octets; how many, 0: they are none. */
static size_t
read_group(struct str four, bool last, char out[3])
{
	size_t pad = last && four.p[3] == '=' ? 1U + (four.p[2] == '=') : 0U;
	unsigned long group = 0;

	for (size_t j = 0; j < 4; j++) {
		int value = j >= 4 - pad ? 0 : value_of(four.p[j]);

		if (value < 0)
			return 0;
		group = group << 6 | (unsigned long)value;
	}
	for (size_t j = 0; j < 3; j++)
		out[j] = (char)(group >> (16 - 8 * j) & 255);
	/* one text for the same octets: what padding leaves over is zero */
	if ((group & ((1UL << 8 * pad) - 1)) != 0)
		return 0;
	return 3 - pad;
}

bool
base64_read(struct str text, char *room, size_t most, size_t *ret_n)
{
	size_t n = 0;

	if (text.n % 4 != 0)
		return false;
	for (size_t i = 0; i < text.n; i += 4) {
		char out[3];
		size_t got = read_group(str_slice(text, i, i + 4), i + 4 == text.n, out);

		if (got == 0 || got > most - n)
			return false;
		for (size_t j = 0; j < got; j++)
			room[n++] = out[j];
	}
	*ret_n = n;
	return true;
}
