/*
 * status_ask: how much there is. Nothing is counted here: tables.h kept count.
 */
#include "base/log.h"
#include "spool/spool.h"

/* What is out waits as far as the tables know. */
static uint64_t
less(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}

static uint64_t
at_most(uint64_t n)
{
	return n < INT64_MAX ? n : INT64_MAX;
}

static enum rc
oldest_of(const struct spool *sp, uint64_t *ret)
{
	struct err e;

	if (sp->broken || !tables_tally(sp->tables).counted)
		return RC_TEMP;
	if (tables_oldest(sp->tables, ret, &e) == RC_OK)
		return RC_OK;
	log_say(LOG_ERROR, "status_ask", e.text);
	return RC_TEMP;
}

void
status_answer(const struct spool *sp, struct channel *c, uint32_t ask)
{
	struct tally tally = tables_tally(sp->tables);
	unsigned out = routes_out_rcpts(sp);
	unsigned out_held = routes_out_held(sp);
	uint64_t oldest = 0;
	enum rc rc = oldest_of(sp, &oldest);
	struct msg m = {
		.no = MSG_spool_status,
		.spool_status = {.ask = ask,
	                         .rc = (uint8_t)rc,
	                         .messages = tally.messages,
	                         .waiting = less(tally.waiting, out - out_held),
	                         .held = less(tally.held, out_held),
	                         .out = out,
	                         .oldest = at_most(oldest),
	                         .room = at_most(sp->room),
	                         .open = !sp->is_full,
	                         .kept = sp->counts.kept,
	                         .delivered = sp->counts.delivered,
	                         .deferred = sp->counts.deferred,
	                         .stopped = sp->counts.stopped,
	                         .deleted = sp->counts.deleted}
        };
	struct err e;

	if (channel_send(c, &m, &e) != RC_OK)
		log_say(LOG_WARN, "spool_status", e.text);
}

void
status_metrics(struct spool *sp, struct channel *c, uint32_t ask)
{
	struct metrics m = sp->metrics;
	struct err e;

	census_begin(sp);
	census_tell(sp, &m);
	if (metric_answer(c, SPOOL, ask, sp->since_us, &m, &e) != RC_OK)
		log_say(LOG_WARN, "metric_answer", e.text);
}
