/*
 * Starting and replacing processes. See house.h; leaving is leave.c, channels are link.c.
 *
 * First start and restart are one mechanism: whoever is started gets a fresh pair of ends to
 * each neighbour that runs, and so does the neighbour.
 */
#include <signal.h>
#include <stdlib.h>
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
#include "master/levels.h"
#include "master/link.h"
#include "master/reload.h"
#include "master/syslog.h"
#include "master/tell.h"
#include "master/usage.h"
#include "master/users.h"

#define WAIT_FIRST_MS 10 /* before the first replacement; doubles with each early death */
#define WAIT_MOST_MS 30000
#define LIVED_LONG_MS 60000 /* a death after this starts the count anew */

/* In this order: logger hears the others' first words; who serves comes before who asks. */
static const enum proc order[] = {LOGGER, STATE,   STORE,  VAULT, WRITER,
                                  SPOOL,  DELIVER, REMOTE, EDGE,  CONTROL};

unsigned
house_wants(const struct cfg *c, enum proc p)
{
	switch (p) {
	case EDGE:
		return (unsigned)c->edges;
	case DELIVER:
		return (unsigned)c->delivers;
	case WRITER:
		return (unsigned)c->writers;
	case REMOTE:
		return c->endpoint_count > 0 ? (unsigned)c->remotes : 0;
	default:
		return 1;
	}
}

/* ---- slots ---- */

static void on_again(evutil_socket_t fd, short what, void *arg);

struct slot *
house_find(struct house *h, enum proc p, unsigned index)
{
	for (unsigned i = 0; i < h->slot_count; i++) {
		struct slot *s = &h->slots[i];

		if (s->house != NULL && s->proc == p && s->index == index)
			return s;
	}
	return NULL;
}

static struct slot *
free_slot(struct house *h)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].house == NULL)
			return &h->slots[i];
	return h->slot_count < SLOTS_MAX ? &h->slots[h->slot_count++] : NULL;
}

enum rc
house_add(struct house *h, enum proc p, unsigned first, struct slot **ret, struct err *e)
{
	unsigned index = first;

	while (index < PEERS_MAX && house_find(h, p, index) != NULL)
		index++;
	struct slot *s = index < PEERS_MAX ? free_slot(h) : NULL;
	if (s == NULL)
		return err_set(e, RC_TEMP, "no room for another %s", proc_name(p));
	*s = (struct slot){.proc = p, .index = index, .fate = FATE_REPLACED};
	s->again = evtimer_new(h->base, on_again, s);
	if (s->again == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	s->house = h;
	s->plan = plan_hold(h->plan);
	*ret = s;
	return RC_OK;
}

/* Nothing of it runs. */
static void
slot_free(struct slot *s)
{
	s->fate = FATE_GONE;
	tell_process(s);
	event_free(s->again);
	free(s->lodging);
	(void)plan_drop(s->plan);
	*s = (struct slot){.house = NULL};
}

enum rc
house_plan(struct house *h, struct err *e)
{
	struct slot *s;

	for (size_t i = 0; i < LENGTH(order); i++)
		for (unsigned n = 0; n < house_wants(h->plan->cfg, order[i]); n++)
			if (house_add(h, order[i], 0, &s, e) != RC_OK)
				return e->rc;
	return RC_OK;
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
		if (h->slots[i].house != NULL && !h->slots[i].ready && !h->slots[i].apart)
			return;
	if (!h->started)
		log_put(LOG_INFO, "started",
		        KVS(kv_text("version", SEKISHO_VERSION),
		            kv_num("processes", h->slot_count + 1)));
	h->started = true;
}

static void
on_reload_ask(struct slot *s, const struct msg *m)
{
	reload_want(s->house->reload, m->reload_ask.ask);
}

static void
on_status_ask(struct slot *s, const struct msg *m)
{
	usage_tell(s->house, m->status_ask.ask);
}

static void
on_log_ask(struct slot *s, const struct msg *m)
{
	levels_set(s->house, &m->log_ask);
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

/* ---- what roles say ---- */

/* Said once more, it has taken the new values that it was told, or takes nothing new. */
static void
on_ready(struct slot *s, const struct msg *m)
{
	bool first = !s->ready;

	if (!first && !s->awaits)
		return; /* nobody asked: whoever says it without end is not listened to */
	s->ready = true;
	s->served = true;
	s->awaits = false;
	s->walls = m->ready.walls;
	if (first && s->walls != WALL_ALL)
		say_missing_walls(s);
	levels_tell(s);
	say_started(s->house);
	tell_process(s);
	if (first && s->stands != NULL)
		s->stands(s);
	if (s->house->reload != NULL)
		reload_step(s->house->reload);
}

static void
on_relink(struct slot *s, const struct msg *m)
{
	if (s->apart)
		users_lost(s);
	else
		link_again(s, &m->relink);
}

static void
on_got(void *arg, struct channel *c, const struct msg *m)
{
	static void (*const handlers[MSG_NO_MAX])(struct slot * s, const struct msg *m) = {
		[MSG_ready] = on_ready,
		[MSG_relink] = on_relink,
		[MSG_deliver_want] = users_want,
		[MSG_deliver_release] = users_release,
		[MSG_deliver_unable] = users_unable,
		[MSG_reload_ask] = on_reload_ask,
		[MSG_log_ask] = on_log_ask,
		[MSG_connect_ask] = connect_for,
		[MSG_status_ask] = on_status_ask,
		[MSG_syslog_ask] = syslog_connect,
	};

	if (handlers[m->no] == NULL)
		channel_cut(c, "a message that master does not take");
	else
		handlers[m->no](arg, m);
}

/* ---- start ---- */

static enum rc
send_listener(const struct slot *s, unsigned number, int fd, struct err *e)
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
		return send_listener(s, 0, h->control, e) == RC_OK ? house_tell_metrics(s, e)
		                                                   : e->rc;
	for (unsigned i = 0; s->proc == EDGE && i < h->listeners.count; i++)
		if (h->listeners.all[i].number != LISTENER_METRICS &&
		    send_listener(s, h->listeners.all[i].number, h->listeners.all[i].fd, e) !=
		            RC_OK)
			return e->rc;
	return RC_OK;
}

enum rc
house_tell_metrics(const struct slot *s, struct err *e)
{
	const struct listeners *l = &s->house->listeners;

	for (unsigned i = 0; i < l->count; i++)
		if (l->all[i].number == LISTENER_METRICS)
			return send_listener(s, LISTENER_METRICS, l->all[i].fd, e);
	return RC_OK;
}

enum rc
house_begin(struct slot *s, bool again, struct err *e)
{
	struct msg m = {.no = MSG_begin, .begin = {.again = again}};

	if (s->channel == NULL)
		return err_set(e, RC_TEMP, "%s died at its start", proc_name(s->proc));
	s->begun = true;
	if (send_listeners(s, e) != RC_OK)
		return e->rc;
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
	s->ready = s->begun = s->asked = s->awaits = false;
	s->born_ms = clock_mono_ms();
	s->since_us = clock_wall_us();
	if (spawn(&s->house->nursery, s, theirs, &s->pid, e) != RC_OK) {
		s->channel = channel_free(s->channel);
		return e->rc;
	}
	return RC_OK;
}

enum rc
house_start(struct slot *s, struct err *e)
{
	if (give_birth(s, e) != RC_OK)
		return e->rc;
	tell_process(s);
	/* before anybody can ask it */
	if (s->proc == VAULT)
		maps_send_all(s);
	return s->apart ? RC_OK : link_all(s, e);
}

enum rc
house_start_all(struct house *h, struct err *e)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (house_start(&h->slots[i], e) != RC_OK)
			return e->rc;
	/* all are linked before anyone begins */
	for (unsigned i = 0; i < h->slot_count; i++)
		/* one that died already is begun again when it is replaced */
		if (house_begin(&h->slots[i], false, e) != RC_OK && e->rc != RC_TEMP)
			return e->rc;
	return RC_OK;
}

/* ---- leaving, one by one ---- */

void
house_kill(const struct slot *s)
{
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL); /* ours, and not yet waited for */
}

static void
ask_to_leave(struct slot *s)
{
	struct msg m = {.no = MSG_retire};
	struct err e;

	if (s->asked)
		return;
	s->asked = true;
	if (s->channel == NULL || channel_send(s->channel, &m, &e) != RC_OK)
		house_kill(s);
	s->awaits = true;
	tell_process(s);
}

void
house_retire(struct slot *s)
{
	s->fate = FATE_GONE;
	if (s->pid > 0)
		ask_to_leave(s);
	else
		slot_free(s);
}

void
house_renew(struct slot *s)
{
	if (s->pid == 0)
		return; /* its successor will have the newest plan as it is */
	s->fate = FATE_RENEWED;
	ask_to_leave(s);
}

void
house_drop(struct slot *s)
{
	s->fate = FATE_GONE;
	if (s->pid > 0)
		house_kill(s);
	else
		slot_free(s);
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

/* The successor of one that ended: by the newest plan. */
static void
start_again(struct slot *s)
{
	struct err e;

	(void)plan_drop(s->plan);
	s->plan = plan_hold(s->house->plan);
	s->replaced += s->fate == FATE_REPLACED; /* one that left in order is no death */
	s->fate = FATE_REPLACED;
	if (house_start(s, &e) == RC_OK && house_begin(s, true, &e) == RC_OK)
		return;
	house_retry(s, &e);
}

void
house_retry(struct slot *s, const struct err *why)
{
	log_put(LOG_ERROR, "restart",
	        KVS(kv_text("of", proc_name(s->proc)), kv_text("text", why->text)));
	if (s->pid > 0)
		house_kill(s); /* half linked: its end brings the next try */
	else
		wait_and_restart(s);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct slot *s = arg;

	(void)fd;
	(void)what;
	if (!s->house->leaving)
		start_again(s);
}

static void
say_ended(const struct slot *s, int status)
{
	bool asked = (s->house->leaving || s->fate != FATE_REPLACED) && WIFEXITED(status) &&
	             WEXITSTATUS(status) == EX_OK;

	log_put(asked ? LOG_DEBUG : LOG_ERROR, "role_ended",
	        KVS(kv_text("of", proc_name(s->proc)), kv_num("index", s->index),
	            kv_num("pid", (uint64_t)s->pid),
	            kv_text("by", WIFSIGNALED(status) ? "signal" : "exit"),
	            kv_num("code", (uint64_t)(WIFSIGNALED(status) ? WTERMSIG(status)
	                                                          : WEXITSTATUS(status)))));
}

/* Nobody asked it to end. */
static void
replace(struct slot *s, int wait_status)
{
	/* Only a start is given up. Once this one was ready, what a role finds may pass (a
	 * folder unmounted, a disk that cannot be read), and one that was taken over could say
	 * it. */
	if (!s->served && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EX_CONFIG) {
		log_say(LOG_ERROR, "giving_up",
		        "a role cannot work with what it found: see its line above");
		house_leave(s->house, EX_CONFIG);
		return;
	}
	if (clock_mono_ms() - s->born_ms > LIVED_LONG_MS)
		s->deaths = 0;
	wait_and_restart(s);
}

static void
note_ended(struct slot *s, int wait_status)
{
	say_ended(s, wait_status);
	s->pid = 0;
	s->ready = s->begun = s->awaits = false;
	s->since_us = clock_wall_us();
	s->channel = channel_free(s->channel);
	tell_process(s);
	if (s->ended != NULL)
		s->ended(s, wait_status);
	if (s->proc == SPOOL)
		users_all_leave(s->house);
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
	note_ended(s, wait_status);
	if (h->leaving)
		leave_step(h);
	else if (s->fate == FATE_GONE)
		slot_free(s);
	else if (s->fate == FATE_RENEWED)
		start_again(s);
	else
		replace(s, wait_status);
	if (h->reload != NULL)
		reload_step(h->reload);
}
