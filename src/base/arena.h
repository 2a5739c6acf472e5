/*
 * What lives as long as a session, a transaction or a message comes from its arena and dies
 * with it in one call. Bounded: past <limit> octets an allocation is refused.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena;

/* NULL when memory is out. The first block is made with the first allocation. */
struct arena *arena_new(size_t limit);

/* Zeroed, aligned for any type; NULL past the limit or when memory is out. */
void *arena_alloc(struct arena *a, size_t octets) MUST_CHECK;
void *arena_array(struct arena *a, size_t count, size_t octets) MUST_CHECK;

/* A copy with a NUL behind it; .p is NULL where there was no room. */
struct str arena_str(struct arena *a, struct str s) MUST_CHECK;

/* NULL is fine; returns NULL. */
struct arena *arena_free(struct arena *a);

#endif
