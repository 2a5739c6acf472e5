/*
 * Processes as control and the service manager see them. See tell.h.
 */
#include <unistd.h>

#include "master/house.h"
#include "master/levels.h"
#include "master/notify.h"
#include "master/tell.h"

/* It is about to be nobody's slot. */
static bool
is_gone(const struct slot *s)
{
	return s->fate == FATE_GONE && s->pid == 0;
}

static struct msg
message_of(const struct slot *s)
{
	return (struct msg){
		.no = MSG_process,
		.process = {.role = (uint8_t)proc_number(s->proc),
	                    .index = (uint16_t)s->index,
	                    .gone = is_gone(s),
	                    .old = s->asked || s->plan->number < s->house->plan->number,
	                    .level = (uint8_t)levels_of(s),
	                    .pid = (uint32_t)s->pid,
	                    .ready = s->ready,
	                    .walls = s->walls,
	                    .replaced = s->replaced,
	                    .since_us = s->since_us}
        };
}

/* One that is gone is told all when it is back; one that does not read is replaced. */
static void
send_to(const struct slot *control, const struct slot *s)
{
	struct msg m = message_of(s);
	struct err e;

	if (channel_send(control->channel, &m, &e) == RC_AGAIN)
		channel_cut(control->channel, "does not read");
}

static void
tell_all(const struct slot *control)
{
	const struct house *h = control->house;
	struct slot master = {.house = control->house,
	                      .plan = h->plan,
	                      .proc = MASTER,
	                      .pid = getpid(),
	                      .ready = true,
	                      .walls = WALL_ALL,
	                      .since_us = h->since_us};

	send_to(control, &master);
	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].house != NULL)
			send_to(control, &h->slots[i]);
}

static void
tell_manager(const struct house *h)
{
	unsigned ready = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < h->slot_count; i++) {
		if (h->slots[i].apart && !h->leaving)
			continue; /* they come and go */
		count += h->slots[i].house != NULL && !is_gone(&h->slots[i]);
		ready += h->slots[i].ready;
	}
	if (h->leaving)
		notify_status(h->notify, "leaving: %u processes still run", ready);
	else
		notify_status(h->notify, "%u of %u processes serve", ready, count);
	if (ready == count)
		notify_started(h->notify);
}

void
tell_process(const struct slot *s)
{
	const struct house *h = s->house;

	tell_manager(h);
	for (unsigned i = 0; i < h->slot_count; i++) {
		const struct slot *control = &h->slots[i];

		if (control->proc != CONTROL || !control->ready || control->channel == NULL)
			continue;
		if (control == s)
			tell_all(control);
		else
			send_to(control, s);
	}
}
