/*
 * See hash.h.
 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "edge/hash.h"

struct hash {
	XXH3_state_t state; /* wants 64 octets' alignment */
};

struct hash *
hash_new(void)
{
	struct hash *h = aligned_alloc(_Alignof(struct hash), sizeof(*h));

	if (h != NULL)
		(void)XXH3_64bits_reset(&h->state); /* this and update fail for NULL only */
	return h;
}

void
hash_add(struct hash *h, struct str s)
{
	(void)XXH3_64bits_update(&h->state, s.p, s.n);
}

uint64_t
hash_value(const struct hash *h)
{
	return XXH3_64bits_digest(&h->state);
}

struct hash *
hash_free(struct hash *h)
{
	free(h);
	return NULL;
}

uint64_t
hash_once(struct str s)
{
	return XXH3_64bits(s.p, s.n);
}
