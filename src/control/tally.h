/*
 * What the roles count (metric.def), added up over their processes. Edges come and go with
 * reloads, and any process may be replaced: what those counted that are gone stays in the sum,
 * so no counter goes backwards while control lives. A new control begins at 0, as readers of
 * Prometheus' format expect: what was counted before it is not counted again.
 */
#ifndef CONTROL_TALLY_H
#define CONTROL_TALLY_H

#include "ipc/metric.h"

#define TALLY_SOURCES (PEERS_MAX + 3U) /* edges, state, vault, spool */

struct tally_source {
	enum proc of;
	unsigned index;
	uint64_t since_us;     /* of the process */
	bool there;            /* there is a channel to it */
	struct metrics before; /* counted already when this control was started */
	struct metrics last;
};

struct tally {
	struct tally_source sources[TALLY_SOURCES];
	unsigned count;
	struct metrics gone; /* of processes that others have taken the places of */
	bool again;          /* this control has taken the place of another one */
	uint64_t since_us;
};

/* One answer. False: nobody honest says that. */
bool tally_take(struct tally *t, enum proc of, unsigned index,
                const struct msg_metric_answer *m) MUST_CHECK;

/* Its channel is gone: what it has now is not known. */
void tally_lost(struct tally *t, enum proc of, unsigned index);

/* Whether a process of that role has said anything, and is there. */
bool tally_knows(const struct tally *t, enum proc of);

/* A counter's sum, a gauge's present value. */
uint64_t tally_value(const struct tally *t, const struct metric_row *row, unsigned word);

/* What an operator asks first: messages taken, recipients delivered, tries that failed,
 * commands that were put off or refused. */
enum pace_key { PACE_ACCEPTED, PACE_DELIVERED, PACE_DEFERRED, PACE_REFUSED, PACE_KEYS };

struct pace_counts {
	uint64_t n[PACE_KEYS];
};

struct pace_counts tally_pace(const struct tally *t);

/* ---- pace.c: how fast these grow ---- */

#define PACE_EVERY_MS 10000U
#define PACE_SAMPLES 361U /* an hour of them */

struct pace {
	struct {
		uint64_t at_ms;
		struct pace_counts counts;
	} ring[PACE_SAMPLES];
	unsigned count;
	unsigned next;
};

struct pace_rate {
	double seconds;      /* that it is of; 0: there is none yet */
	double n[PACE_KEYS]; /* per second */
};

void pace_note(struct pace *p, uint64_t now_ms, struct pace_counts counts);

/* From the newest sample that is at least <ms> old, or, where none is, from the oldest. */
struct pace_rate pace_over(const struct pace *p, uint64_t now_ms, struct pace_counts counts,
                           uint64_t ms);

#endif
