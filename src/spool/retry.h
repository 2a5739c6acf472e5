/*
 * When a recipient is tried again, and when no more. Pure: time and chance are passed in.
 */
#ifndef SPOOL_RETRY_H
#define SPOOL_RETRY_H

#include "base/defs.h"

#define RETRY_TRIES_MIN 6 /* tries before age alone ends them: about an hour's worth */

struct retry {
	uint64_t first_s;    /* cfg retry_first */
	uint64_t most_s;     /* cfg retry_most */
	uint64_t lifetime_s; /* cfg queue_lifetime */
};

/*
 * Microseconds to wait after the try number <tries> + 1 has failed: it doubles from first_s
 * to most_s, give or take a tenth, so that what failed together does not come back together.
 */
uint64_t retry_wait_us(const struct retry *r, uint32_t tries, uint64_t chance);

/* The longest wait that retry_wait_us ever gives. */
uint64_t retry_longest_us(const struct retry *r);

/*
 * Whether it is over for a message that arrived then and was tried that often. Age alone is
 * not enough: a clock that jumps, or a server that was off for a week, must not end messages
 * at their next try. So the waits between its tries must add up to the lifetime as well: who
 * is tried by the schedule notices no difference.
 */
bool retry_over(const struct retry *r, uint64_t arrived_us, uint64_t now_us, uint32_t tries);

#endif
