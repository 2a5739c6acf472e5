/*
 * A new configuration in a running house. See reload.h.
 *
 *   PHASE_IDLE   read, check, bind: a failure is an answer, nothing has changed
 *   PHASE_BORN   the new edges start, and do not listen yet: a failure takes them away again
 *   PHASE_SPOOL  spool takes the new values in place: before vault lets anything in by them,
 * for mail of a domain that spool does not know would go into a Maildir PHASE_TOLD   the others
 * take the new values in place; one that cannot is replaced PHASE_OVER   the new edges listen,
 * the old ones cease to: then the operator is told
 */
#include <stdlib.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "cfg/cfg_fixed.h"
#include "master/house.h"
#include "master/levels.h"
#include "master/notify.h"
#include "master/reload.h"
#include "master/tell.h"
#include "master/users.h"

#define ASKS_MAX 16U         /* as many operators as control serves */
#define REPORT_OCTETS 61440U /* master_answer of msg.def */
#define PATIENCE_MS 8000     /* in each phase: control waits for 30 s */

/* What a reload means to those of a role; the others take the values in place. */
#define BY_GENERATION ((unsigned)EDGE) /* new ones beside the old */
#define BY_RENEWAL ((unsigned)DELIVER) /* one after the other: no client waits for them */
#define BY_SUCCESSION \
	((unsigned)REMOTE) /* new ones at once: an old one may wait long for a server */
#define IN_PLACE (VAULT | STATE | STORE | SPOOL | WRITER | CONTROL | LOGGER)

struct asks {
	uint32_t all[ASKS_MAX];
	unsigned count;
};

struct reload {
	struct house *house;
	const char *path;
	enum { PHASE_IDLE, PHASE_BORN, PHASE_SPOOL, PHASE_TOLD, PHASE_OVER } phase;
	struct plan *plan;        /* the next; held until it is in force */
	struct listeners sockets; /* the next; once that is in force, those before it */
	struct asks asks;         /* whom the present reload is for */
	struct asks wanted_by;    /* whom the next one */
	bool wanted;
	unsigned no_room; /* edges and remotes there were when they were too many; 0: they were
	                     not */
	uint64_t since_ms;
	struct event *late;
	struct buf report;
	char report_room[REPORT_OCTETS];
};

static void on_late(evutil_socket_t fd, short what, void *arg);

struct reload *
reload_new(struct house *h, const char *path)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->house = h;
	r->path = path;
	r->late = evtimer_new(h->base, on_late, r);
	return r->late == NULL ? reload_free(r) : r;
}

struct reload *
reload_free(struct reload *r)
{
	if (r == NULL)
		return NULL;
	if (r->late != NULL)
		event_free(r->late);
	r->plan = plan_drop(r->plan);
	free(r);
	return NULL;
}

/* ---- what is said ---- */

static void
answer_one(const struct reload *r, uint32_t ask, int status)
{
	const struct slot *control = house_find(r->house, CONTROL, 0);
	struct msg m = {
		.no = MSG_master_answer,
		.master_answer = {
				  .ask = ask, .status = (uint8_t)status, .report = buf_str(&r->report)}
        };
	struct err e;

	if (control == NULL || control->channel == NULL ||
	    channel_send(control->channel, &m, &e) != RC_OK)
		log_say(LOG_WARN, "answer", "control is gone: nobody is told of the reload");
}

static void
log_report(const struct reload *r, enum log_level level, const char *event)
{
	struct str rest = buf_str(&r->report);
	struct str line;

	while (str_cut(&rest, '\n', &line))
		log_put(level, event, KVS(kv_str("text", line)));
}

/* The present reload is over, whichever way. */
static void
finish(struct reload *r, int status)
{
	*(status == EX_OK ? &r->house->reloads : &r->house->reloads_refused) += 1;
	log_report(r, status == EX_OK ? LOG_WARN : LOG_ERROR,
	           status == EX_OK ? "config" : "reload_refused");
	for (unsigned i = 0; i < r->asks.count; i++)
		answer_one(r, r->asks.all[i], status);
	r->asks.count = 0;
	r->phase = PHASE_IDLE;
	(void)evtimer_del(r->late);
	notify_ready(r->house->notify);
}

/* ---- nothing has changed yet ---- */

static enum rc
read_file(struct reload *r, struct err *e)
{
	struct house *h = r->house;
	struct cfg *c = NULL;
	enum rc rc = cfg_read(r->path, &c, &r->report);

	if (rc != RC_OK)
		return err_set(e, rc, "%s is not in force", r->path);
	if (!cfg_keep_fixed(c, h->plan->cfg, r->path, &r->report)) {
		(void)cfg_free(c);
		return err_set(e, RC_TEMP, "out of memory");
	}
	return plan_new(c, h->plan->number + 1, &r->plan, e);
}

/* Those that may outlive their configuration by long. */
static unsigned
count_of(const struct house *h, unsigned procs)
{
	unsigned count = 0;

	for (unsigned i = 0; i < h->slot_count; i++)
		count += h->slots[i].house != NULL && (procs & (unsigned)h->slots[i].proc) != 0;
	return count;
}

static enum rc
find_room_for(struct reload *r, enum proc p, struct err *e)
{
	unsigned old = 0;

	for (unsigned i = 0; i < r->house->slot_count; i++)
		old += r->house->slots[i].house != NULL && r->house->slots[i].proc == p &&
		       r->house->slots[i].fate == FATE_GONE;
	if (count_of(r->house, p) + house_wants(r->plan->cfg, p) <= PEERS_MAX)
		return RC_OK;
	r->no_room = count_of(r->house, BY_GENERATION | BY_SUCCESSION);
	return err_set(e, RC_TEMP,
	               "%u %ss of older configurations are still at work, try again", old,
	               proc_name(p));
}

static enum rc
find_room(struct reload *r, struct err *e)
{
	r->no_room = 0;
	if (find_room_for(r, EDGE, e) != RC_OK)
		return e->rc;
	return find_room_for(r, REMOTE, e);
}

/* They are nobody's until all of them are ready: one that ends is not replaced. */
static enum rc
give_birth(struct reload *r, struct err *e)
{
	for (unsigned n = 0; n < house_wants(r->plan->cfg, EDGE); n++) {
		struct slot *s;

		if (house_add(r->house, EDGE, 0, &s, e) != RC_OK)
			return e->rc;
		s->fate = FATE_GONE;
		(void)plan_drop(s->plan);
		s->plan = plan_hold(r->plan);
		if (house_start(s, e) != RC_OK)
			return err_in(e, "start an edge");
	}
	return RC_OK;
}

static bool
is_born(const struct reload *r, const struct slot *s)
{
	return s->house != NULL && s->proc == EDGE && s->plan == r->plan;
}

/* Nothing of the new configuration stays. */
static void
give_up(struct reload *r, const struct err *e)
{
	struct house *h = r->house;

	for (unsigned i = 0; i < h->slot_count; i++)
		if (is_born(r, &h->slots[i]))
			house_drop(&h->slots[i]);
	listen_close(&r->sockets, &h->listeners);
	r->plan = plan_drop(r->plan);
	buf_addf(&r->report, "%s\n", e->text);
	finish(r, e->rc == RC_PERM ? EX_CONFIG : EX_TEMPFAIL);
}

static void
set_patience(struct reload *r)
{
	static const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	(void)evtimer_add(r->late, &patience); /* no memory is needed for a timer that exists */
}

static void
begin(struct reload *r)
{
	struct house *h = r->house;
	struct err e;

	notify_reloading(h->notify);
	r->asks = r->wanted_by;
	r->wanted_by.count = 0;
	r->wanted = false;
	r->since_ms = clock_mono_ms();
	r->report = BUF_ON(r->report_room);
	buf_clear(&r->report);
	r->sockets.count = 0;
	r->phase = PHASE_BORN;
	set_patience(r);
	if (read_file(r, &e) == RC_OK && find_room(r, &e) == RC_OK &&
	    listen_next(r->plan->cfg, h->plan->cfg, &h->listeners, &r->sockets, &e) == RC_OK &&
	    give_birth(r, &e) == RC_OK)
		return;
	bool nobody_waits = r->asks.count == 0;
	give_up(r, &e);
	r->wanted = r->wanted || (r->no_room > 0 && nobody_waits);
}

void
reload_want(struct reload *r, uint32_t ask)
{
	r->wanted = true;
	r->no_room = 0;
	if (ask != 0 && r->wanted_by.count < ASKS_MAX)
		r->wanted_by.all[r->wanted_by.count++] = ask;
	reload_step(r);
}

/* ---- it is in force ---- */

static void
tell_values(struct slot *s, const struct plan *plan)
{
	struct msg m = {
		.no = MSG_config, .config = {.octets = plan->octets, .sealed = plan->fd}
        };
	struct err e;

	s->awaits = s->channel != NULL && channel_send(s->channel, &m, &e) == RC_OK;
	if (s->awaits && s->proc == CONTROL)
		/* with new values it closes the one it has */
		s->awaits = house_tell_metrics(s, &e) == RC_OK;
	if (!s->awaits)
		house_kill(s); /* its successor has them */
	(void)plan_drop(s->plan);
	s->plan = plan_hold(s->house->plan);
	if (s->awaits && s->proc == VAULT)
		maps_send_all(s); /* the files that its new values name */
}

static void
bring(struct house *h, enum proc p, unsigned index)
{
	struct slot *s = house_find(h, p, index);
	struct err e;

	if (s != NULL && s->fate == FATE_GONE)
		s->fate = FATE_RENEWED; /* on its way out: wanted again */
	if (s != NULL)
		return;
	if (house_add(h, p, index, &s, &e) != RC_OK)
		log_say(LOG_ERROR, "start", e.text);
	else if (house_start(s, &e) != RC_OK || house_begin(s, true, &e) != RC_OK)
		house_retry(s, &e);
}

static void
walk(struct house *h, void (*each)(struct slot *s))
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].house != NULL)
			each(&h->slots[i]);
}

/* New ones are replaced from now on, old ones no more. */
static void
judge(struct slot *s)
{
	const struct plan *newest = s->house->plan;

	if ((BY_GENERATION & (unsigned)s->proc) != 0)
		s->fate = s->plan == newest ? FATE_REPLACED : FATE_GONE;
	if ((BY_GENERATION & (unsigned)s->proc) != 0 && s->pid == 0)
		house_drop(s);
	else if (s->proc == SPOOL && s->pid > 0)
		tell_values(s, newest);
}

static void
tell_one(struct slot *s)
{
	if ((IN_PLACE & (unsigned)s->proc) != 0 && s->proc != SPOOL && s->pid > 0)
		tell_values(s, s->house->plan);
}

static void
tell_others(struct reload *r)
{
	struct house *h = r->house;

	walk(h, tell_one);
	for (unsigned n = 0; n < house_wants(h->plan->cfg, WRITER); n++)
		bring(h, WRITER, n); /* before edges that know of it */
	r->phase = PHASE_TOLD;
	set_patience(r);
}

/* From here on whoever is started has it. */
static void
put_in_force(struct reload *r)
{
	struct house *h = r->house;
	static struct listeners was;

	(void)plan_drop(h->plan);
	h->plan = plan_hold(r->plan);
	was = h->listeners;
	h->listeners = r->sockets;
	r->sockets = was;
	levels_reset(h);
	walk(h, judge);
	r->phase = PHASE_SPOOL;
	set_patience(r);
}

/* ---- the new ones listen ---- */

static void
stand_up(struct slot *s)
{
	struct err e;

	if ((BY_GENERATION & (unsigned)s->proc) == 0 || s->plan != s->house->plan ||
	    s->pid == 0)
		return;
	if (!s->begun && house_begin(s, true, &e) != RC_OK)
		house_kill(s); /* it is replaced */
	tell_process(s);
}

static void
stand_down(struct slot *s)
{
	const struct plan *newest = s->house->plan;
	bool surplus = s->index >= house_wants(newest->cfg, s->proc);

	if (s->plan == newest)
		return;
	if (s->apart)
		users_lost(s); /* spool asks for another one */
	else if (((BY_GENERATION | BY_SUCCESSION) & (unsigned)s->proc) != 0 ||
	         ((BY_RENEWAL & (unsigned)s->proc) != 0 && surplus))
		house_retire(s);
	else if ((BY_RENEWAL & (unsigned)s->proc) != 0)
		house_renew(s);
}

static unsigned
count_new(const struct house *h, enum proc p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < h->slot_count; i++)
		count += h->slots[i].house != NULL && h->slots[i].proc == p &&
		         h->slots[i].plan == h->plan;
	return count;
}

/* Their indexes are those that the old ones leave free: nobody knows a remote by its index. One
 * that died meanwhile has a successor already. */
static void
succeed(struct house *h, enum proc p)
{
	struct slot *s;
	struct err e;

	for (unsigned n = count_new(h, p); n < house_wants(h->plan->cfg, p); n++) {
		if (house_add(h, p, 0, &s, &e) != RC_OK)
			log_say(LOG_ERROR, "start", e.text);
		else if (house_start(s, &e) != RC_OK || house_begin(s, true, &e) != RC_OK)
			house_retry(s, &e);
	}
}

static void
hand_over(struct reload *r)
{
	struct house *h = r->house;
	const struct cfg *c = h->plan->cfg;

	walk(h, stand_up);
	walk(h, stand_down);
	for (unsigned n = 0; n < house_wants(c, DELIVER); n++)
		bring(h, DELIVER, n);
	succeed(h, REMOTE);
	listen_close(&r->sockets, &h->listeners);
	listen_settle(c);
	r->plan = plan_drop(r->plan);
	r->phase = PHASE_OVER;
	set_patience(r);
}

/* Only now it is said: whoever connects from here on meets the new values. */
static void
succeeded(struct reload *r)
{
	const struct house *h = r->house;
	const struct cfg *c = h->plan->cfg;

	log_put(LOG_INFO, "reloaded",
	        KVS(kv_num("generation", h->plan->number), kv_num("edges", c->edges),
	            kv_num("delivers", c->delivers), kv_num("writers", c->writers),
	            kv_num("ms", clock_mono_ms() - r->since_ms)));
	finish(r, EX_OK);
}

/* Fewer writers: once no edge is left that could choose one of them. */
static void
spare_writers(struct house *h)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].house != NULL && h->slots[i].proc == EDGE &&
		    h->slots[i].plan != h->plan)
			return;
	for (unsigned i = 0; i < h->slot_count; i++) {
		struct slot *s = &h->slots[i];

		if (s->house != NULL && s->proc == WRITER && s->fate == FATE_REPLACED &&
		    s->index >= house_wants(h->plan->cfg, WRITER))
			house_retire(s);
	}
}

/* ---- steps ---- */

static void
look_at_births(struct reload *r)
{
	const struct house *h = r->house;
	unsigned alive = 0;
	unsigned ready = 0;
	struct err e;

	for (unsigned i = 0; i < h->slot_count; i++) {
		alive += is_born(r, &h->slots[i]) && h->slots[i].pid > 0;
		ready += is_born(r, &h->slots[i]) && h->slots[i].ready;
	}
	if (ready == house_wants(r->plan->cfg, EDGE)) {
		put_in_force(r);
	} else if (alive < house_wants(r->plan->cfg, EDGE)) {
		(void)err_set(&e, RC_TEMP,
		              "an edge of the new configuration ended at its start");
		give_up(r, &e);
	}
}

static bool
awaits_any(const struct house *h, unsigned procs)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if ((procs & (unsigned)h->slots[i].proc) != 0 && h->slots[i].awaits)
			return true;
	return false;
}

static bool
somebody_accepts(const struct house *h)
{
	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].proc == EDGE && h->slots[i].begun && !h->slots[i].asked)
			return true;
	return false;
}

void
reload_step(struct reload *r)
{
	struct house *h = r->house;

	if (h->leaving || !h->started)
		return;
	if (r->phase == PHASE_BORN)
		look_at_births(r);
	if (r->phase == PHASE_SPOOL && (!awaits_any(h, SPOOL) || !somebody_accepts(h)))
		tell_others(r);
	if (r->phase == PHASE_TOLD && (!awaits_any(h, IN_PLACE) || !somebody_accepts(h)))
		hand_over(r);
	if (r->phase == PHASE_OVER && !awaits_any(h, BY_GENERATION))
		succeeded(r);
	if (r->phase != PHASE_IDLE)
		return;
	spare_writers(h);
	if (r->wanted &&
	    (r->no_room == 0 || count_of(h, BY_GENERATION | BY_SUCCESSION) < r->no_room))
		begin(r);
}

/* One that is slow, as on a disk that stalls, takes the values when it comes to it. */
static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct reload *r = arg;
	struct house *h = r->house;
	struct err e;

	(void)fd;
	(void)what;
	if (h->leaving)
		return;
	if (r->phase == PHASE_BORN) {
		(void)err_set(&e, RC_TEMP, "the edges of the new configuration do not start");
		give_up(r, &e);
	}
	for (unsigned i = 0; i < h->slot_count; i++) {
		if (h->slots[i].house != NULL && h->slots[i].awaits)
			log_put(LOG_WARN, "reload_slow",
			        KVS(kv_text("of", proc_name(h->slots[i].proc)),
			            kv_num("index", h->slots[i].index)));
		h->slots[i].awaits = false;
	}
	reload_step(r);
	log_flush();
}
