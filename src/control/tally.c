/*
 * Sums over processes. See tally.h.
 */
#include "control/tally.h"

static struct tally_source *
find(struct tally *t, enum proc of, unsigned index)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->sources[i].of == of && t->sources[i].index == index)
			return &t->sources[i];
	return NULL;
}

static struct tally_source *
source_of(struct tally *t, enum proc of, unsigned index)
{
	struct tally_source *s = find(t, of, index);

	if (s != NULL || t->count == TALLY_SOURCES)
		return s;
	s = &t->sources[t->count++];
	*s = (struct tally_source){.of = of, .index = index};
	return s;
}

/* False: a number that is none of its role's. */
static bool
read_values(enum proc of, struct list values, struct metrics *ret)
{
	struct item_value v;

	*ret = (struct metrics){{0}};
	while (item_next_value(&values, &v)) {
		const struct metric_row *row;
		bool known = false;

		for (size_t i = 0; (row = metric_row_at(i)) != NULL; i++)
			known = known || (row->of == of && v.number >= row->first &&
			                  v.number < row->first + row->count);
		if (!known)
			return false;
		ret->n[v.number] = v.value;
	}
	return true;
}

static uint64_t
less(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}

/* Another process has its place. */
static void
fold(struct tally *t, struct tally_source *s, uint64_t since_us, const struct metrics *now)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		t->gone.n[i] += less(s->last.n[i], s->before.n[i]);
	s->since_us = since_us;
	s->last = (struct metrics){{0}};
	s->before = (struct metrics){{0}};
	if (t->again && since_us < t->since_us)
		s->before = *now; /* our predecessor had it in its sum */
}

bool
tally_take(struct tally *t, enum proc of, unsigned index, const struct msg_metric_answer *m)
{
	struct tally_source *s = source_of(t, of, index);
	struct metrics now;

	if (s == NULL || !read_values(of, m->values, &now))
		return false;
	if (s->since_us != m->since_us)
		fold(t, s, m->since_us, &now);
	s->last = now;
	s->there = true;
	return true;
}

void
tally_lost(struct tally *t, enum proc of, unsigned index)
{
	struct tally_source *s = find(t, of, index);

	if (s != NULL)
		s->there = false;
}

bool
tally_knows(const struct tally *t, enum proc of)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->sources[i].of == of && t->sources[i].there)
			return true;
	return false;
}

uint64_t
tally_value(const struct tally *t, const struct metric_row *row, unsigned word)
{
	unsigned at = row->first + word;
	uint64_t sum = row->kind == METRIC_KIND_COUNTER ? t->gone.n[at] : 0;

	for (unsigned i = 0; i < t->count; i++) {
		const struct tally_source *s = &t->sources[i];

		if (row->kind == METRIC_KIND_COUNTER)
			sum += less(s->last.n[at], s->before.n[at]);
		else if (s->there)
			sum += s->last.n[at];
	}
	return sum;
}

/* Of all words, or (<refusals>) of those that are reasons to put off or refuse. */
static uint64_t
sum_of(const struct tally *t, unsigned first, bool refusals)
{
	const struct metric_row *row;
	uint64_t sum = 0;

	for (size_t i = 0; (row = metric_row_at(i)) != NULL; i++)
		for (unsigned w = 0; row->first == first && w < row->count; w++)
			if (!refusals ||
			    (w != REASON_NONE &&
			     (reason_row((enum reason)w)->verdict == VERDICT_DEFER ||
			      reason_row((enum reason)w)->verdict == VERDICT_REJECT)))
				sum += tally_value(t, row, w);
	return sum;
}

struct pace_counts
tally_pace(const struct tally *t)
{
	struct pace_counts p = {{0}};

	p.n[PACE_ACCEPTED] = tally_value(t, metric_row_at(0), REASON_kept);
	p.n[PACE_DELIVERED] = sum_of(t, METRIC_delivered, false);
	p.n[PACE_DEFERRED] = sum_of(t, METRIC_deferred, false);
	p.n[PACE_REFUSED] = sum_of(t, METRIC_decisions, true);
	return p;
}
