/*
 * The two clocks. Processes read them once a loop turn and pass the value on; what decides
 * takes time as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: for deadlines and waits. */
uint64_t clock_mono_ms(void);

/* The same clock, where others compare its value with theirs. */
uint64_t clock_mono_us(void);

/* Microseconds since 1970: for what is written down. */
uint64_t clock_wall_us(void);

#endif
