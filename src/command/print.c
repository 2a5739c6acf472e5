/*
 * Text for terminals. See print.h.
 */
#include "command/print.h"

#define ESCAPE_COLUMNS 4 /* \xHH */

/* Code points that show nothing or change how others are shown (Unicode 15, classes Cc, Cf). */
static const struct range {
	unsigned from;
	unsigned to;
} hidden[] = {
	{0x00,    0x1f   },
        {0x7f,    0x9f   },
        {0xad,    0xad   }, /* soft hyphen */
	{0x61c,   0x61c  }, /* Arabic letter mark */
	{0x180e,  0x180e },
        {0x200b,  0x200f }, /* zero width, marks of direction */
	{0x2028,  0x202e }, /* separators of lines, embeddings, overrides */
	{0x2060,  0x206f },
        {0xfeff,  0xfeff },
        {0xfff9,  0xfffb },
        {0xe0000, 0xe0fff}, /* tags */
};

static bool
is_hidden(unsigned code)
{
	for (size_t i = 0; i < LENGTH(hidden); i++)
		if (code >= hidden[i].from && code <= hidden[i].to)
			return true;
	return false;
}

/* Octets of the character at the head of <s>: 0 where it is no UTF-8. */
static size_t
character(struct str s, unsigned *ret_code)
{
	static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n > s.n || !str_is_utf8(str_slice(s, 0, n)))
		return 0;
	*ret_code = c & first_bits[n];
	for (size_t i = 1; i < n; i++)
		*ret_code = *ret_code << 6 | ((unsigned char)s.p[i] & 0x3f);
	return n;
}

/* The next character of <in>, and whether it is to be shown as it is. */
static struct str
next_character(struct str *in, bool *ret_plain)
{
	unsigned code = 0;
	size_t n = character(*in, &code);
	struct str one = str_slice(*in, 0, n == 0 ? 1 : n);

	*ret_plain = n > 0 && !is_hidden(code);
	*in = str_slice(*in, one.n, in->n);
	return one;
}

void
print_text(FILE *to, struct str s)
{
	while (s.n > 0) {
		bool plain;
		struct str one = next_character(&s, &plain);

		if (plain)
			(void)fwrite(one.p, 1, one.n, to);
		else
			for (size_t i = 0; i < one.n; i++)
				(void)fprintf(to, "\\x%02x", (unsigned char)one.p[i]);
	}
}

static size_t
columns(struct str s)
{
	size_t n = 0;

	while (s.n > 0) {
		bool plain;
		struct str one = next_character(&s, &plain);

		n += plain ? 1 : ESCAPE_COLUMNS * one.n;
	}
	return n;
}

void
print_column(FILE *to, struct str s, size_t width)
{
	struct str shown = s.n == 0 ? STR("-") : s;
	size_t n = columns(shown);

	print_text(to, shown);
	(void)fprintf(to, "%*s ", n < width ? (int)(width - n) : 0, "");
}
