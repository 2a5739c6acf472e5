/*
 * Whatever comes, in whatever pieces, becomes what a slow reader of the whole makes of it.
 * The first octet chooses DATA or BDAT and, by its other bits, the pieces.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	char *p;
	size_t n;     /* octets of kept form */
	size_t taken; /* octets of the input */
	bool end;
};

static bool
is(struct str s, size_t at, const char *octets)
{
	struct str with = str_of(octets);

	return at + with.n <= s.n && memcmp(s.p + at, with.p, with.n) == 0;
}

/* RFC 5321 §4.5.2 and our rule for stray octets, with the whole of the input in view. */
static void
read_slowly(struct str in, bool dots, struct result *r)
{
	bool start = true;

	for (size_t i = 0; i < in.n;) {
		bool was_start = start;

		start = false;
		if (dots && was_start && is(in, i, ".\r\n")) {
			r->end = true;
			r->taken = i + 3;
			return;
		}
		if (dots && was_start && in.p[i] == '.') {
			i++;
			/* what follows is in the line; a CR LF there would have been the end */
			continue;
		}
		if (is(in, i, "\r\n")) {
			r->p[r->n++] = '\n';
			start = i == 0 || in.p[i - 1] != '\r';
			i += 2;
			continue;
		}
		if (in.p[i] == '\r' && i + 1 == in.n && dots)
			break; /* what it is the next octet would say */
		r->p[r->n++] = in.p[i] == '\r' ? ' ' : in.p[i];
		i++;
	}
	r->taken = in.n;
}

static size_t
next_number(uint32_t *seed, size_t most)
{
	*seed = *seed * 1664525U + 1013904223U;
	return 1 + (*seed >> 16) % most;
}

static void
read_in_pieces(struct str in, bool dots, uint32_t seed, struct result *r)
{
	struct content c;
	char *room = malloc(64);

	assert(room != NULL);
	content_init(&c, dots ? CONTENT_DATA : CONTENT_BDAT);
	while (in.n > 0 && !r->end) {
		struct str piece = str_slice(in, 0, next_number(&seed, 40));
		size_t was = piece.n;
		struct buf out = {.p = room, .cap = 1 + next_number(&seed, 63)};

		r->end = content_take(&c, &piece, &out);
		assert(out.n > 0 || piece.n < was); /* every call gets on */
		memcpy(r->p + r->n, room, out.n);
		r->n += out.n;
		r->taken += was - piece.n;
		in = str_slice(in, was - piece.n, in.n);
	}
	if (!dots) {
		struct buf out = {.p = room, .cap = 2};

		assert(content_finish(&c, &out));
		memcpy(r->p + r->n, room, out.n);
		r->n += out.n;
	}
	free(room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct str in = {(const char *)data + 1, size - 1};
	bool dots = (data[0] & 1) == 0;
	struct result slow = {.p = malloc(size)};
	struct result fast = {.p = malloc(size)};

	assert(slow.p != NULL && fast.p != NULL);
	read_slowly(in, dots, &slow);
	read_in_pieces(in, dots, data[0] >> 1, &fast);
	assert(slow.end == fast.end && slow.taken == fast.taken);
	assert(slow.n == fast.n && memcmp(slow.p, fast.p, slow.n) == 0);
	free(slow.p);
	free(fast.p);
	return 0;
}
