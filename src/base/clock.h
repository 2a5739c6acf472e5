/*
 * The two clocks. Processes read them once a loop turn and pass the value on; what decides
 * takes time as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: for deadlines and waits. */
uint64_t clock_mono_ms(void);

/* The same clock, where others compare its value with theirs. */
uint64_t clock_mono_us(void);

/* Microseconds since 1970: for what is written down. */
uint64_t clock_wall_us(void);

/* The wall clock beside the other one: whether it can be believed. Starts as zero. */
struct clock_watch {
	bool began;
	int64_t ahead_us; /* of the other */
	uint64_t since_ms;
};

/*
 * For how many milliseconds the wall clock has gone along with the other: a jump, by a minute
 * or more between two calls, starts the count anew. Pure: both times are passed in.
 */
uint64_t clock_steady_ms(struct clock_watch *w, uint64_t now_ms, uint64_t wall_us);

#if SEKISHO_FAULTS
/* Test builds: so far that clock is off. Tests write it into running processes (/proc/PID/mem);
 * who is started takes it from its environment, where master passes its own on. */
#define CLOCK_SHIFT "SEKISHO_CLOCK_SHIFT"
extern int64_t clock_shift_us;
#endif

#endif
