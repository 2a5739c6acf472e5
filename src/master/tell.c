/*
 * Processes as control sees them. See tell.h.
 */
#include <unistd.h>

#include "master/house.h"
#include "master/tell.h"

static struct msg
message_of(const struct slot *s)
{
	return (struct msg){
		.no = MSG_process,
		.process = {.role = (uint8_t)proc_number(s->proc),
	                    .index = (uint16_t)s->index,
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
	struct slot master = {.proc = MASTER,
	                      .pid = getpid(),
	                      .ready = true,
	                      .walls = WALL_ALL,
	                      .since_us = h->since_us};

	send_to(control, &master);
	for (unsigned i = 0; i < h->slot_count; i++)
		send_to(control, &h->slots[i]);
}

void
tell_process(const struct slot *s)
{
	const struct house *h = s->house;

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
