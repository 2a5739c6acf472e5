/*
 * Rates of an hour. See tally.h.
 */
#include "control/tally.h"

/* The sample <back> before the newest. */
static unsigned
at(const struct pace *p, unsigned back)
{
	return (p->next + PACE_SAMPLES - 1 - back) % PACE_SAMPLES;
}

void
pace_note(struct pace *p, uint64_t now_ms, struct pace_counts counts)
{
	p->ring[p->next].at_ms = now_ms;
	p->ring[p->next].counts = counts;
	p->next = (p->next + 1) % PACE_SAMPLES;
	p->count += p->count < PACE_SAMPLES;
}

struct pace_rate
pace_over(const struct pace *p, uint64_t now_ms, struct pace_counts counts, uint64_t ms)
{
	struct pace_rate r = {.seconds = 0};
	unsigned back = 0;

	if (p->count == 0)
		return r;
	while (back + 1 < p->count && now_ms - p->ring[at(p, back)].at_ms < ms)
		back++;
	const struct pace_counts *then = &p->ring[at(p, back)].counts;
	r.seconds = (double)(now_ms - p->ring[at(p, back)].at_ms) / 1000;
	for (unsigned k = 0; k < PACE_KEYS && r.seconds > 0; k++)
		if (counts.n[k] > then->n[k])
			r.n[k] = (double)(counts.n[k] - then->n[k]) / r.seconds;
	return r;
}
