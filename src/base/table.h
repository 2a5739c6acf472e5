/*
 * A bounded hash table of fixed-size keys and values, in one allocation that never grows.
 * Keys are compared octet by octet: zero a key struct before filling it. Places are drawn by
 * SipHash-2-4 under a secret, so a peer cannot choose keys that collide.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/defs.h"

struct table;

struct table_secret {
	uint64_t k[2];
};

/* At most <most> entries. NULL when memory is out. */
struct table *table_new(size_t key_octets, size_t value_octets, size_t most,
                        struct table_secret secret);

/* The value, or NULL. Valid until the next table_put or table_drop. */
void *table_get(const struct table *t, const void *key);

/* The value there is, or a new zeroed one; NULL where the table is full. */
void *table_put(struct table *t, const void *key) MUST_CHECK;

bool table_drop(struct table *t, const void *key);

size_t table_count(const struct table *t);

/*
 * Walk: start with *at = 0; false at the end. The table must not change on the way, but the
 * values may. Keys and values are aligned to 8 octets.
 */
bool table_next(const struct table *t, size_t *at, const void **ret_key, void **ret_value);

struct table *table_free(struct table *t);

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
uint64_t siphash(struct table_secret secret, const void *p, size_t n);

#endif
