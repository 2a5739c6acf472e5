/*
 * Leaving in order: who takes mail first, who keeps it next, who writes it down last.
 */
#include <signal.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "master/house.h"
#include "master/leave.h"
#include "master/notify.h"

#define GRACE_MS 5000 /* beyond what the roles were given */

/* spool goes before deliver: it waits for what is out. */
static const unsigned phases[] = {
	EDGE | CONTROL, WRITER | SPOOL, DELIVER | REMOTE | VAULT | STATE, STORE, LOGGER,
};

static bool
of_phase(const struct house *h, const struct slot *s)
{
	return h->phase < LENGTH(phases) && (phases[h->phase] & (unsigned)s->proc) != 0;
}

static bool
phase_empty(const struct house *h)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (of_phase(h, &h->slots[i]) && h->slots[i].pid > 0)
			return false;
	return true;
}

static void
phase_kill(struct house *h)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (of_phase(h, &h->slots[i]) && h->slots[i].pid > 0)
			(void)kill(h->slots[i].pid, SIGKILL); /* ours, and not yet waited for */
}

static void
wait_for(struct house *h, uint64_t ms)
{
	struct timeval late = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	(void)evtimer_add(h->late, &late); /* no memory is needed for a timer that exists */
}

/* A killed process ends only when its home answers, and that is up to its user. */
static void
abandon(struct house *h)
{
	for (unsigned i = 0; i < h->slot_count; i++) {
		struct slot *s = &h->slots[i];

		if (!of_phase(h, s) || s->pid == 0 || !s->apart)
			continue;
		log_put(LOG_ERROR, "abandoned",
		        KVS(kv_text("of", proc_name(s->proc)), kv_num("index", s->index),
		            kv_num("pid", (uint64_t)s->pid)));
		s->pid = 0;
	}
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct house *h = arg;

	(void)fd;
	(void)what;
	if (h->killed) {
		abandon(h);
		leave_step(h);
		return;
	}
	log_put(LOG_WARN, "drain_late", KVS(kv_num("phase", h->phase)));
	phase_kill(h);
	h->killed = true;
	wait_for(h, GRACE_MS);
}

static void
phase_ask(struct house *h)
{
	uint64_t most_ms = h->plan->cfg->drain * 1000;
	struct msg m = {.no = MSG_drain, .drain = {.most_ms = (uint32_t)most_ms}};
	uint64_t late_ms = most_ms + GRACE_MS;
	struct err e;

	h->killed = false;
	for (unsigned i = 0; i < h->slot_count; i++) {
		struct slot *s = &h->slots[i];

		if (!of_phase(h, s) || s->pid == 0)
			continue;
		if (s->channel == NULL || channel_send(s->channel, &m, &e) != RC_OK)
			(void)kill(s->pid, SIGKILL); /* it cannot be asked */
	}
	notify_extend(h->notify, late_ms + GRACE_MS);
	wait_for(h, late_ms);
}

void
leave_step(struct house *h)
{
	while (h->phase < LENGTH(phases) && phase_empty(h)) {
		h->phase++;
		if (h->phase < LENGTH(phases) && (phases[h->phase] & LOGGER) != 0) {
			/* the end of the pipe is what tells logger to leave; what master has to
			 * say after that is lost, for the reader may be one that stalls */
			log_flush();
			log_open(-1, "master", (enum log_level)h->plan->cfg->log_level);
			(void)close(h->nursery.log_write);
		}
		if (h->phase < LENGTH(phases))
			phase_ask(h);
	}
	if (h->phase == LENGTH(phases))
		(void)event_base_loopbreak(h->base); /* fails only without a base */
}

void
house_leave(struct house *h, int status)
{
	if (h->leaving) { /* asked twice: do not wait for anybody */
		phase_kill(h);
		return;
	}
	h->leaving = true;
	h->status = status;
	h->late = evtimer_new(h->base, on_late, h);
	notify_stopping(h->notify);
	log_put(LOG_INFO, "leaving", KVS(kv_num("status", (uint64_t)status)));
	phase_ask(h);
	leave_step(h);
}
