/*
 * How many recipients go by each kind of route, and how old the queue is. Neither can be kept
 * count of, as time alone changes it, so the rows are looked at: some at a time, however many
 * there are, and only while somebody asks. A short queue is counted when it is asked for.
 */
#include "base/id.h"
#include "base/log.h"
#include "spool/spool.h"

#define STEP_ROWS 4096U /* some milliseconds */

/* Upper ends of the classes of age but the last, as metric.def has them. */
static const uint64_t age_s[CENSUS_AGES - 1] = {300, 3600, 86400};

static uint64_t
older_than_s(uint64_t wall_us, uint64_t id)
{
	uint64_t born_us = id_wall_us(id);

	return wall_us > born_us ? (wall_us - born_us) / 1000000 : 0;
}

static void
count_message(struct census *c, uint64_t id)
{
	uint64_t s = older_than_s(c->begun_us, id);
	unsigned class = 0;

	while (class < CENSUS_AGES - 1 && s > age_s[class])
		class ++;
	c->now.ages[class]++;
}

static void
count_row(struct census *c, const struct census_row *row)
{
	enum route_kind kind = route_kind_of(row->route);

	if (row->id != c->id)
		count_message(c, row->id);
	c->id = row->id;
	c->n = row->n;
	if (row->state == ROW_HELD) {
		c->now.held[kind]++;
		return;
	}
	c->now.waiting[kind]++;
	if (c->now.oldest[kind] == 0)
		c->now.oldest[kind] = row->id; /* the walk is in the order of ids */
}

void
census_begin(struct spool *sp)
{
	struct census *c = &sp->census;

	if (c->on)
		return;
	*c = (struct census){.on = true, .begun_us = sp->wall_us, .whole = c->whole};
	census_step(sp);
}

void
census_step(struct spool *sp)
{
	struct census *c = &sp->census;
	struct census_row row;
	struct err e;
	unsigned rows = 0;
	enum rc rc;

	if (!c->on || sp->broken)
		return;
	tables_census(sp->tables, c->id, c->n, STEP_ROWS);
	while ((rc = tables_census_next(sp->tables, &row, &e)) == RC_OK) {
		count_row(c, &row);
		rows++;
	}
	if (rc != RC_AGAIN)
		log_say(LOG_ERROR, "census", e.text);
	if (rc == RC_AGAIN && rows == STEP_ROWS)
		return;
	c->on = false;
	if (rc != RC_AGAIN)
		return;
	c->now.begun_us = c->begun_us;
	c->whole = c->now;
}

void
census_tell(const struct spool *sp, struct metrics *m)
{
	const struct census_counts *c = &sp->census.whole;

	for (unsigned kind = 0; kind < CENSUS_KINDS; kind++) {
		m->n[METRIC_route_waiting + kind] = c->waiting[kind];
		m->n[METRIC_route_held + kind] = c->held[kind];
		m->n[METRIC_route_oldest + kind] =
			c->oldest[kind] == 0 ? 0 : older_than_s(sp->wall_us, c->oldest[kind]);
	}
	for (unsigned i = 0; i < CENSUS_AGES; i++)
		m->n[METRIC_ages + i] = c->ages[i];
	m->n[METRIC_counted] =
		sp->wall_us > c->begun_us ? (sp->wall_us - c->begun_us) / 1000000 : 0;
}
