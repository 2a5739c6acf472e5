/*
 * Backing off. See retry.h.
 */
#include "spool/retry.h"

#define SECOND_US UINT64_C(1000000)
#define DOUBLINGS_MAX 32

uint64_t
retry_longest_us(const struct retry *r)
{
	return r->most_s * SECOND_US + r->most_s * SECOND_US / 10;
}

uint64_t
retry_wait_us(const struct retry *r, uint32_t tries, uint64_t chance)
{
	uint64_t wait_s = r->first_s;

	for (uint32_t i = 0; i < tries && i < DOUBLINGS_MAX && wait_s < r->most_s; i++)
		wait_s *= 2;
	if (wait_s > r->most_s)
		wait_s = r->most_s;
	uint64_t wait_us = wait_s * SECOND_US;
	uint64_t tenth = wait_us / 10;
	return wait_us - tenth + chance % (2 * tenth + 1);
}

/* Seconds that the waits after so many tries took at the most. */
static uint64_t
waited_s(const struct retry *r, uint32_t tries)
{
	uint64_t sum_s = 0;
	uint64_t wait_s = r->first_s;
	uint32_t i;

	for (i = 0; i < tries && i < DOUBLINGS_MAX && wait_s < r->most_s; i++) {
		sum_s += wait_s;
		wait_s *= 2;
	}
	sum_s += (tries - i) * (wait_s < r->most_s ? wait_s : r->most_s);
	return sum_s + sum_s / 10;
}

bool
retry_over(const struct retry *r, uint64_t arrived_us, uint64_t now_us, uint32_t tries)
{
	if (tries < RETRY_TRIES_MIN || now_us < arrived_us)
		return false;
	return now_us - arrived_us > r->lifetime_s * SECOND_US &&
	       waited_s(r, tries) >= r->lifetime_s;
}
