/*
 * The two clocks. See clock.h.
 */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define JUMP_US (60 * INT64_C(1000000))

uint64_t
clock_mono_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

#if SEKISHO_FAULTS
#define UNKNOWN INT64_MIN

int64_t clock_shift_us = UNKNOWN;

static int64_t
shift_us(void)
{
	/* one thread, and nobody changes the environment */
	const char *given = getenv(CLOCK_SHIFT); /* NOLINT(concurrency-mt-unsafe) */

	if (clock_shift_us == UNKNOWN)
		clock_shift_us = given == NULL ? 0 : strtoll(given, NULL, 10);
	return clock_shift_us;
}
#else
static int64_t
shift_us(void)
{
	return 0;
}
#endif

uint64_t
clock_wall_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail for this clock */
	return (uint64_t)((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 + shift_us());
}

uint64_t
clock_steady_ms(struct clock_watch *w, uint64_t now_ms, uint64_t wall_us)
{
	int64_t ahead_us = (int64_t)(wall_us - now_ms * 1000);
	int64_t jump_us = ahead_us - w->ahead_us;

	if (!w->began || jump_us >= JUMP_US || jump_us <= -JUMP_US) {
		w->began = true;
		w->since_ms = now_ms;
	}
	w->ahead_us = ahead_us; /* it may drift, or be set right in small steps */
	return now_ms - w->since_ms;
}
