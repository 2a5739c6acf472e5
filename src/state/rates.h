/*
 * How much each user of the machine has sent within the last hour: recipients, by minutes.
 */
#ifndef STATE_RATES_H
#define STATE_RATES_H

#include "base/table.h"

struct rates;

/* Counts of at most <most> users. NULL when memory is out. */
struct rates *rates_new(size_t most, struct table_secret secret);

/* NULL is fine; returns NULL. */
struct rates *rates_free(struct rates *r);

/*
 * One recipient more for <uid>, who may have <rate> an hour. Returns 0, and it is counted; or
 * the seconds until there is room again, and nothing is counted. <now_ms> never runs
 * backwards.
 */
uint32_t rates_take(struct rates *r, uint32_t uid, uint64_t rate, uint64_t now_ms);

#endif
