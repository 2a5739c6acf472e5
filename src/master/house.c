/*
 * Starting, linking and replacing processes. See house.h; leaving is leave.c.
 *
 * First start and restart are one mechanism: whoever is started gets a fresh pair of ends to
 * each neighbour that runs, and so does the neighbour.
 */
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "master/house.h"
#include "master/leave.h"
#include "master/tell.h"

#define WAIT_FIRST_MS 10 /* before the first replacement; doubles with each early death */
#define WAIT_MOST_MS 30000
#define RELINK_MS 900       /* a pair gets no second channel before */
#define LIVED_LONG_MS 60000 /* a death after this starts the count anew */

/* In this order: logger hears the others' first words; who serves comes before who asks. */
static const enum proc order[] = {LOGGER, STATE,   STORE, VAULT,  WRITER,
                                  SPOOL,  DELIVER, EDGE,  CONTROL};

static unsigned
how_many(const struct cfg *c, enum proc p)
{
	switch (p) {
	case EDGE:
		return (unsigned)c->edges;
	case DELIVER:
		return (unsigned)c->delivers;
	case WRITER:
		return (unsigned)c->writers;
	default:
		return 1;
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg);

void
house_plan(struct house *h)
{
	for (size_t i = 0; i < LENGTH(order); i++)
		for (unsigned n = 0; n < how_many(h->cfg, order[i]); n++) {
			struct slot *s = &h->slots[h->slot_count++];

			*s = (struct slot){.house = h, .proc = order[i], .index = n};
			s->again = evtimer_new(h->base, on_again, s);
		}
}

static void
say_missing_walls(const struct slot *s)
{
	char room[128];
	struct buf names = BUF_ON(room);

	walls_names(&names, (unsigned)WALL_ALL & ~s->walls);
	log_put(LOG_WARN, "walls_missing",
	        KVS(kv_text("of", proc_name(s->proc)), kv_num("index", s->index),
	            kv_str("missing", buf_str(&names)),
	            kv_text("why", geteuid() == 0 ? "this kernel does not have them"
	                                          : "sekisho was not started as root")));
}

static void
say_started(struct house *h)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (!h->slots[i].ready)
			return;
	if (!h->started)
		log_put(LOG_INFO, "started",
		        KVS(kv_text("version", SEKISHO_VERSION),
		            kv_num("processes", h->slot_count + 1)));
	h->started = true;
}

static void on_got(void *arg, struct channel *c, const struct msg *m);

static void
on_down(void *arg, struct channel *c, const char *why)
{
	struct slot *s = arg;

	(void)why; /* the process's end says more: house_ended */
	if (s->channel == c)
		s->channel = NULL;
	(void)channel_free(c);
	if (s->pid > 0 && !s->house->leaving)
		(void)kill(s->pid, SIGKILL); /* a role without master cannot be steered */
}

/* ---- start ---- */

static enum rc
send_link(struct slot *to, const struct slot *peer, int fd, struct err *e)
{
	struct msg m = {
		.no = MSG_link,
		.link = {.peer = (uint8_t)proc_number(peer->proc),
	                 .index = (uint16_t)peer->index,
	                 .channel = fd}
        };

	return channel_send(to->channel, &m, e);
}

/* The one place for a pair, whichever is named first. */
static uint64_t *
linked_ms(struct slot *a, struct slot *b)
{
	struct house *h = a->house;
	struct slot *low = a < b ? a : b;

	return &h->linked_ms[low - h->slots][(low == a ? b : a) - h->slots];
}

static enum rc
link_pair(struct slot *a, struct slot *b, struct err *e)
{
	int ends[2];

	if (channel_pair(ends, e) != RC_OK)
		return e->rc;
	CLEANUP(fd_closep) int first = ends[0];
	CLEANUP(fd_closep) int second = ends[1];
	*linked_ms(a, b) = clock_mono_ms();
	if (send_link(a, b, first, e) != RC_OK)
		return e->rc;
	return send_link(b, a, second, e);
}

/* A neighbour that dies meanwhile is no error: its replacement is linked again. */
static enum rc
link_all(struct slot *s, struct err *e)
{
	struct house *h = s->house;

	for (unsigned i = 0; i < h->slot_count; i++) {
		struct slot *peer = &h->slots[i];

		if (peer->channel == NULL || !proc_linked(s->proc, peer->proc))
			continue;
		if (link_pair(s, peer, e) != RC_OK && e->rc != RC_TEMP)
			return e->rc;
	}
	return RC_OK;
}

/* ---- what roles say ---- */

static void
on_ready(struct slot *s, const struct msg *m)
{
	s->ready = true;
	s->served = true;
	s->walls = m->ready.walls;
	if (s->walls != WALL_ALL)
		say_missing_walls(s);
	say_started(s->house);
	tell_process(s);
}

/*
 * Two that live lost their channel: one cut the other off. Both ask; one new channel does. To
 * one that died its replacement is linked anyway.
 */
static void
on_relink(struct slot *s, const struct msg *m)
{
	struct house *h = s->house;
	struct err e;

	for (unsigned i = 0; i < h->slot_count && !h->leaving; i++) {
		struct slot *peer = &h->slots[i];

		if (peer->proc != proc_of(m->relink.peer) || peer->index != m->relink.index ||
		    peer->channel == NULL || !proc_linked(s->proc, peer->proc) ||
		    clock_mono_ms() - *linked_ms(s, peer) < RELINK_MS)
			continue;
		log_put(LOG_WARN, "relink",
		        KVS(kv_text("of", proc_name(s->proc)), kv_num("index", s->index),
		            kv_text("peer", proc_name(peer->proc)),
		            kv_num("peer_index", peer->index)));
		if (link_pair(s, peer, &e) != RC_OK)
			log_say(LOG_ERROR, "relink", e.text);
	}
}

static void
on_got(void *arg, struct channel *c, const struct msg *m)
{
	static void (*const handlers[MSG_NO_MAX])(struct slot * s, const struct msg *m) = {
		[MSG_ready] = on_ready,
		[MSG_relink] = on_relink,
	};

	if (handlers[m->no] == NULL)
		channel_cut(c, "a message that master does not take");
	else
		handlers[m->no](arg, m);
}

static enum rc
send_listener(struct slot *s, unsigned number, int fd, struct err *e)
{
	struct msg m = {
		.no = MSG_listener, .listener = {.number = (uint16_t)number, .socket = fd}
        };

	return channel_send(s->channel, &m, e);
}

static enum rc
send_listeners(struct slot *s, struct err *e)
{
	struct house *h = s->house;

	if (s->proc == CONTROL)
		return send_listener(s, 0, h->control, e);
	for (unsigned i = 0; s->proc == EDGE && i < h->listener_count; i++)
		if (send_listener(s, h->listeners[i].number, h->listeners[i].fd, e) != RC_OK)
			return e->rc;
	return RC_OK;
}

static enum rc
send_begin(struct slot *s, bool again, struct err *e)
{
	struct msg m = {.no = MSG_begin, .begin = {.again = again}};

	return channel_send(s->channel, &m, e);
}

static enum rc
give_birth(struct slot *s, struct err *e)
{
	struct channel_use use = {on_got, on_down, s};
	int ends[2];

	if (channel_pair(ends, e) != RC_OK)
		return e->rc;
	CLEANUP(fd_closep) int theirs = ends[1];
	s->channel = channel_new(s->house->base, ends[0], MASTER, s->proc, s->index, use);
	if (s->channel == NULL)
		return err_set(e, RC_TEMP, "channel to %s", proc_name(s->proc));
	s->ready = false;
	s->born_ms = clock_mono_ms();
	s->since_us = clock_wall_us();
	if (spawn(&s->house->nursery, s->proc, s->index, theirs, &s->pid, e) != RC_OK) {
		s->channel = channel_free(s->channel);
		return e->rc;
	}
	return RC_OK;
}

enum rc
house_start(struct slot *s, bool again, struct err *e)
{
	if (give_birth(s, e) != RC_OK)
		return e->rc;
	s->replaced += again;
	tell_process(s);
	if (link_all(s, e) != RC_OK || send_listeners(s, e) != RC_OK)
		return e->rc;
	/* at first start all are linked before anyone begins */
	return again ? send_begin(s, true, e) : RC_OK;
}

enum rc
house_start_all(struct house *h, struct err *e)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (house_start(&h->slots[i], false, e) != RC_OK)
			return e->rc;
	for (unsigned i = 0; i < h->slot_count; i++)
		/* one that died already is begun again when it is replaced */
		if (send_begin(&h->slots[i], false, e) != RC_OK && e->rc != RC_TEMP)
			return e->rc;
	return RC_OK;
}

/* ---- death ---- */

static void
wait_and_restart(struct slot *s)
{
	unsigned shift = s->deaths < 12 ? s->deaths : 12;
	uint64_t wait_ms = (uint64_t)WAIT_FIRST_MS << shift;

	if (wait_ms > WAIT_MOST_MS)
		wait_ms = WAIT_MOST_MS;
	struct timeval wait = {(time_t)(wait_ms / 1000), (suseconds_t)(wait_ms % 1000 * 1000)};
	s->deaths++;
	(void)evtimer_add(s->again, &wait); /* no memory is needed for a timer that exists */
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct slot *s = arg;
	struct err e;

	(void)fd;
	(void)what;
	if (s->house->leaving)
		return;
	if (house_start(s, true, &e) == RC_OK)
		return;
	log_put(LOG_ERROR, "restart",
	        KVS(kv_text("of", proc_name(s->proc)), kv_text("text", e.text)));
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL); /* half linked: its end brings the next try */
	else
		wait_and_restart(s);
}

static void
say_ended(const struct slot *s, int status)
{
	bool asked = s->house->leaving && WIFEXITED(status) && WEXITSTATUS(status) == EX_OK;

	log_put(asked ? LOG_DEBUG : LOG_ERROR, "role_ended",
	        KVS(kv_text("of", proc_name(s->proc)), kv_num("index", s->index),
	            kv_num("pid", (uint64_t)s->pid),
	            kv_text("by", WIFSIGNALED(status) ? "signal" : "exit"),
	            kv_num("code", (uint64_t)(WIFSIGNALED(status) ? WTERMSIG(status)
	                                                          : WEXITSTATUS(status)))));
}

void
house_ended(struct house *h, pid_t pid, int wait_status)
{
	struct slot *s = NULL;

	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].pid == pid)
			s = &h->slots[i];
	if (s == NULL)
		return;
	say_ended(s, wait_status);
	s->pid = 0;
	s->ready = false;
	s->since_us = clock_wall_us();
	s->channel = channel_free(s->channel);
	tell_process(s);
	if (h->leaving) {
		leave_step(h);
		return;
	}
	/* Only a start is given up. Once this one was ready, what a role finds may pass (a
	 * folder unmounted, a disk that cannot be read), and one that was taken over could say
	 * it. */
	if (!s->served && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EX_CONFIG) {
		log_say(LOG_ERROR, "giving_up",
		        "a role cannot work with what it found: see its line above");
		house_leave(h, EX_CONFIG);
		return;
	}
	if (clock_mono_ms() - s->born_ms > LIVED_LONG_MS)
		s->deaths = 0;
	wait_and_restart(s);
}
