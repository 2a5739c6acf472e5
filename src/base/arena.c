/*
 * Arenas: blocks that double up to 16 KiB, freed together. See arena.h.
 */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define BLOCK_FIRST 512U  /* octets */
#define BLOCK_MOST 16384U /* octets; a larger piece has a block of its own */

struct block {
	struct block *next;
	size_t cap;
	size_t used;
	alignas(max_align_t) char octets[];
};

struct arena {
	struct block *blocks;
	size_t limit;
	size_t taken; /* octets of all blocks */
};

struct arena *
arena_new(size_t limit)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->limit = limit;
	return a;
}

static struct block *
block_add(struct arena *a, size_t need)
{
	size_t cap = a->blocks == NULL ? BLOCK_FIRST : a->blocks->cap * 2;

	if (cap > BLOCK_MOST)
		cap = BLOCK_MOST;
	if (cap < need)
		cap = need;
	if (cap > a->limit - a->taken)
		cap = need;
	if (cap > a->limit - a->taken)
		return NULL;
	struct block *b = calloc(1, sizeof(*b) + cap);
	if (b == NULL)
		return NULL;
	b->cap = cap;
	b->next = a->blocks;
	a->blocks = b;
	a->taken += cap;
	return b;
}

void *
arena_alloc(struct arena *a, size_t octets)
{
	if (octets > a->limit || octets > SIZE_MAX / 2) /* so that rounding up stays in range */
		return NULL;
	size_t need = (octets + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct block *b = a->blocks;

	if (b == NULL || need > b->cap - b->used)
		b = block_add(a, need);
	if (b == NULL)
		return NULL;
	void *at = b->octets + b->used;
	b->used += need;
	return at;
}

void *
arena_array(struct arena *a, size_t count, size_t octets)
{
	size_t all;

	if (__builtin_mul_overflow(count, octets, &all))
		return NULL;
	return arena_alloc(a, all);
}

struct str
arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (p == NULL)
		return STR_NONE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

struct arena *
arena_free(struct arena *a)
{
	if (a == NULL)
		return NULL;
	for (struct block *b = a->blocks; b != NULL;) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
	free(a);
	return NULL;
}
