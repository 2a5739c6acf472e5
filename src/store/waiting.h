/*
 * Records between their coming and their being written: a queue in memory, oldest first,
 * bounded. While the disk does not take them the oldest give way, and are counted.
 */
#ifndef STORE_WAITING_H
#define STORE_WAITING_H

#include "base/str.h"

struct waiting;

/* One decision, as msg.def's record. */
struct record {
	uint64_t id;
	uint64_t at_us;
	struct str fields;
};

/* At most <most> octets of memory. NULL when memory is out. */
struct waiting *waiting_new(size_t most);

/* NULL is fine; returns NULL. */
struct waiting *waiting_free(struct waiting *w);

/* The text is copied. A record for which there is no memory is lost, and counted. */
void waiting_put(struct waiting *w, const struct record *r);

/* Drop the <count> oldest: they are written. */
void waiting_drop(struct waiting *w, size_t count);

size_t waiting_count(const struct waiting *w);

/* Records lost since the last call. */
uint64_t waiting_take_lost(struct waiting *w);

/* Walk from the oldest: start with *at = NULL; false at the end. */
struct waiting_at;
bool waiting_next(const struct waiting *w, const struct waiting_at **at, struct record *ret);

#endif
