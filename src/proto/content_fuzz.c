/*
 * Whatever comes, in whatever pieces, becomes what a slow reader of the whole makes of it.
 * The first octet chooses DATA or BDAT and, by its other bits, the pieces.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/content.h"
#include "proto/content_slow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
next_number(uint32_t *seed, size_t most)
{
	*seed = *seed * 1664525U + 1013904223U;
	return 1 + (*seed >> 16) % most;
}

static void
read_in_pieces(struct str in, bool dots, uint32_t seed, struct content_slow *r)
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
	r->framing = (size_t)c.framing;
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
	struct content_slow slow = {.p = malloc(size)};
	struct content_slow fast = {.p = malloc(size)};

	assert(slow.p != NULL && fast.p != NULL);
	content_read_slowly(in, dots, &slow);
	read_in_pieces(in, dots, data[0] >> 1, &fast);
	assert(slow.end == fast.end && slow.taken == fast.taken);
	assert(!slow.end || slow.framing == fast.framing);
	assert(slow.n == fast.n && memcmp(slow.p, fast.p, slow.n) == 0);
	free(slow.p);
	free(fast.p);
	return 0;
}
