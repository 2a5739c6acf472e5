/*
 * The hash of a body as kept: XXH3, 64 bits, as mail_commit carries it.
 */
#ifndef EDGE_HASH_H
#define EDGE_HASH_H

#include "base/str.h"

struct hash;

/* NULL when memory is out. */
struct hash *hash_new(void);
void hash_add(struct hash *h, struct str s);
uint64_t hash_value(const struct hash *h);

/* NULL is fine; returns NULL. */
struct hash *hash_free(struct hash *h);

uint64_t hash_once(struct str s);

#endif
