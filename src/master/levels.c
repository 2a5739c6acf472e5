/*
 * Log levels of roles. See levels.h.
 */
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "master/house.h"
#include "master/levels.h"
#include "master/tell.h"

void
levels_reset(struct house *h)
{
	memset(h->levels, LEVEL_BY_PLAN, sizeof(h->levels));
	log_set_level((enum log_level)h->plan->cfg->log_level);
}

unsigned
levels_of(const struct slot *s)
{
	uint8_t level = s->house->levels[proc_number(s->proc)];

	return level == LEVEL_BY_PLAN ? s->plan->cfg->log_level : level;
}

void
levels_tell(const struct slot *s)
{
	struct msg m = {.no = MSG_log_level, .log_level = {.level = (uint8_t)levels_of(s)}};
	struct err e;

	if (s->channel != NULL && m.log_level.level != s->plan->cfg->log_level &&
	    channel_send(s->channel, &m, &e) != RC_OK)
		log_say(LOG_WARN, "log_level", e.text);
}

static void
set_one(struct slot *s)
{
	struct msg m = {.no = MSG_log_level, .log_level = {.level = (uint8_t)levels_of(s)}};
	struct err e;

	if (s->channel != NULL && channel_send(s->channel, &m, &e) == RC_OK)
		tell_process(s);
}

void
levels_set(struct house *h, const struct msg_log_ask *m)
{
	struct slot *control = house_find(h, CONTROL, 0);
	struct msg answer = {
		.no = MSG_master_answer, .master_answer = {.ask = m->ask, .status = EX_OK}
        };
	struct err e;

	for (unsigned i = 0; i < PROC_COUNT; i++)
		if ((m->roles & BIT(i)) != 0)
			h->levels[i] = m->level;
	if ((m->roles & MASTER) != 0)
		log_set_level((enum log_level)m->level);
	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].house != NULL && (m->roles & (unsigned)h->slots[i].proc) != 0)
			set_one(&h->slots[i]);
	if (control == NULL || control->channel == NULL ||
	    channel_send(control->channel, &answer, &e) != RC_OK)
		log_say(LOG_WARN, "answer",
		        "control is gone: nobody is told of the log levels");
}
