/*
 * Delivers for users of the machine. See users.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "master/account.h"
#include "master/house.h"
#include "master/link.h"
#include "master/users.h"

#define START_MS 10000     /* a home that does not answer until then is given up for now */
#define LEAVE_MS 10000     /* one that has been let go may take so long */
#define LIVED_LONG_MS 5000 /* an end after this is no failure of the start */
#define SULK_FIRST_MS 1000 /* no new process for the user; doubles with each failure */
#define SULK_MOST_MS 60000
#define SULKS_MAX 256 /* users remembered; the one that is free first gives way */

/* A process for one user, from its slot's start to its end. */
struct visit {
	struct slot *slot;
	struct event *late; /* it takes too long: to start, or to leave */
	uint32_t ask;       /* what spool is to be told, or was told */
	bool answered;      /* that one */
	bool leaving;       /* it was let go */
	bool killed;        /* that took too long, or its start: it takes nobody's place */
	char why[241];      /* from deliver_unable */
};

/* A user whose process failed: not before <until_ms>. */
struct sulk {
	char user[LODGER_MAX + 1];
	char why[241];
	uint64_t until_ms;
	unsigned failures;
};

/* What must wait until one that leaves has ended: its user's, or anybody's. */
struct waiting {
	uint32_t ask;
	char user[LODGER_MAX + 1];
};

struct users {
	struct sulk sulks[SULKS_MAX];
	struct waiting waiting[PEERS_MAX];
	unsigned waiting_count;
};

/* ---- to spool ---- */

static void
answer(struct house *h, uint32_t ask, struct str user, unsigned index, const struct err *e)
{
	struct slot *spool = house_find(h, SPOOL, 0);
	struct msg m = {
		.no = MSG_deliver_for,
		.deliver_for = {.ask = ask,
	                        .rc = (uint8_t)e->rc,
	                        .index = (uint16_t)index,
	                        .user = user,
	                        .why = e->rc == RC_OK ? STR_NONE : str_of(e->text)}
        };
	struct err ours;

	if (e->rc != RC_OK)
		log_put(LOG_WARN, "user_deliver",
		        KVS(kv_str("user", user), kv_text("text", e->text)));
	if (spool == NULL || spool->channel == NULL)
		return; /* a new one asks anew */
	if (channel_send(spool->channel, &m, &ours) == RC_AGAIN)
		channel_cut(spool->channel, "does not read");
}

static void
answer_visit(struct visit *v, const struct err *e)
{
	v->answered = true;
	answer(v->slot->house, v->ask, str_of(v->slot->lodging->user), v->slot->index, e);
}

/* ---- users whose processes fail ---- */

static struct sulk *
sulk_find(struct house *h, struct str user)
{
	for (unsigned i = 0; h->users != NULL && i < SULKS_MAX; i++)
		if (str_eq(str_of(h->users->sulks[i].user), user))
			return &h->users->sulks[i];
	return NULL;
}

static struct sulk *
sulk_make(struct house *h, struct str user)
{
	struct sulk *s = sulk_find(h, user);
	struct sulk *first = h->users->sulks;

	if (s != NULL)
		return s;
	for (unsigned i = 1; i < SULKS_MAX; i++)
		if (h->users->sulks[i].until_ms < first->until_ms)
			first = &h->users->sulks[i];
	*first = (struct sulk){.until_ms = 0};
	struct buf name = BUF_ON(first->user);

	buf_add(&name, user);
	return first;
}

static void
sulk(struct house *h, struct str user, const char *why)
{
	struct sulk *s = sulk_make(h, user);
	uint64_t wait_ms = (uint64_t)SULK_FIRST_MS << (s->failures < 10 ? s->failures : 10);
	struct buf text = BUF_ON(s->why);

	buf_clear(&text);
	buf_add(&text, str_of(why));
	s->failures++;
	s->until_ms = clock_mono_ms() + (wait_ms < SULK_MOST_MS ? wait_ms : SULK_MOST_MS);
}

/* ---- the life of a visit ---- */

static void
arm(struct visit *v, unsigned ms)
{
	struct timeval wait = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	(void)evtimer_add(v->late, &wait); /* no memory is needed for a timer that exists */
}

static void want(struct house *h, uint32_t ask, struct str user);

/* In their order; those that cannot start yet wait again. */
static void
go_on(struct house *h)
{
	struct waiting waiting[PEERS_MAX];
	unsigned count = h->users->waiting_count;

	memcpy(waiting, h->users->waiting, count * sizeof(waiting[0]));
	h->users->waiting_count = 0;
	for (unsigned i = 0; i < count; i++)
		want(h, waiting[i].ask, str_of(waiting[i].user));
}

/* A killed process may still wait for its disk: spool is answered now, and nobody waits. */
static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct visit *v = arg;
	struct house *h = v->slot->house;
	struct err e;

	(void)fd;
	(void)what;
	(void)err_set(&e, RC_TEMP, "the home of %s does not answer", v->slot->lodging->user);
	if (!v->answered)
		answer_visit(v, &e);
	v->leaving = true;
	v->killed = true;
	sulk(h, str_of(v->slot->lodging->user), e.text);
	house_drop(v->slot);
	if (!h->leaving)
		go_on(h);
}

static void
let_go(struct visit *v)
{
	if (v->leaving)
		return;
	v->leaving = true;
	house_retire(v->slot);
	arm(v, LEAVE_MS);
}

/* Its walls stand: now spool may have it. */
static void
on_stands(struct slot *s)
{
	struct visit *v = s->arg;
	struct err e = {.rc = RC_OK};

	if (v->leaving)
		return;
	(void)evtimer_del(v->late); /* fails for a timer that is not there: it is */
	answer_visit(v, &e);
	if (link_all(s, &e) != RC_OK || house_begin(s, false, &e) != RC_OK) {
		log_say(LOG_ERROR, "user_deliver", e.text);
		v->leaving = true;
		v->killed = true;
		house_drop(s);
	}
}

static void
note_failure(struct visit *v)
{
	struct slot *s = v->slot;
	struct str user = str_of(s->lodging->user);
	struct sulk *before = sulk_find(s->house, user);
	struct err e;

	if (v->leaving)
		return;
	if (v->answered && clock_mono_ms() - s->born_ms >= LIVED_LONG_MS) {
		if (before != NULL)
			before->failures = 0;
		return;
	}
	(void)err_set(&e, RC_TEMP, "%s",
	              v->why[0] != '\0' ? v->why
	                                : "it ended soon after its start: see the log");
	sulk(s->house, user, e.text);
	if (!v->answered)
		answer_visit(v, &e);
}

static void
on_ended(struct slot *s, int status)
{
	struct visit *v = s->arg;
	struct house *h = s->house;
	/* a reload let it go before it stood: spool has asked, and gets the next one */
	bool owed = v->leaving && !v->answered && !h->leaving;
	uint32_t ask = v->ask;

	(void)status; /* house.c logs it */
	s->arg = NULL;
	if (!h->leaving)
		note_failure(v);
	event_free(v->late);
	free(v);
	if (owed)
		want(h, ask, str_of(s->lodging->user));
	if (!h->leaving)
		go_on(h);
}

/* ---- starting one ---- */

static struct visit *
visit_of(struct house *h, struct str user)
{
	for (unsigned i = 0; i < h->slot_count; i++) {
		struct slot *s = &h->slots[i];

		if (s->house != NULL && s->apart && s->arg != NULL &&
		    str_eq(str_of(s->lodging->user), user))
			return s->arg;
	}
	return NULL;
}

static unsigned
count_visits(const struct house *h, bool leaving)
{
	unsigned count = 0;

	for (unsigned i = 0; i < h->slot_count; i++) {
		const struct slot *s = &h->slots[i];
		const struct visit *v = s->house != NULL && s->apart ? s->arg : NULL;

		count += v != NULL && !v->killed && (!leaving || v->leaving);
	}
	return count;
}

static struct visit *
visit_new(struct slot *s, uint32_t ask)
{
	struct visit *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	*v = (struct visit){.slot = s, .ask = ask};
	v->late = evtimer_new(s->house->base, on_late, v);
	if (v->late == NULL) {
		free(v);
		return NULL;
	}
	return v;
}

static enum rc
start(struct house *h, uint32_t ask, const struct lodging *lodging, struct err *e)
{
	struct slot *s;

	if (house_add(h, DELIVER, DELIVER_USERS, &s, e) != RC_OK)
		return e->rc;
	s->fate = FATE_GONE;
	s->apart = true;
	s->stands = on_stands;
	s->lodging = malloc(sizeof(*s->lodging));
	struct visit *v = visit_new(s, ask);

	if (s->lodging == NULL || v == NULL) {
		(void)err_set(e, RC_TEMP, "out of memory");
	} else {
		*s->lodging = *lodging;
		e->rc = house_start(s, e);
	}
	if (e->rc != RC_OK) {
		if (v != NULL)
			event_free(v->late);
		free(v);
		house_drop(s);
		return e->rc = RC_TEMP;
	}
	s->arg = v;
	s->ended = on_ended;
	arm(v, START_MS);
	return RC_OK;
}

static enum rc
wait_for_one(struct house *h, uint32_t ask, struct str user, struct err *e)
{
	struct users *u = h->users;

	if (u->waiting_count == LENGTH(u->waiting))
		return err_set(e, RC_TEMP, "too many wait for a deliver to end");
	struct waiting *w = &u->waiting[u->waiting_count++];
	struct buf name = BUF_ON(w->user);

	buf_clear(&name);
	buf_add(&name, user);
	w->ask = ask;
	return RC_AGAIN;
}

/* RC_AGAIN: an answer comes when one has ended. */
static enum rc
may_start(struct house *h, uint32_t ask, struct str user, struct err *e)
{
	const struct visit *v = visit_of(h, user);
	const struct sulk *s = sulk_find(h, user);

	if (h->users == NULL && (h->users = calloc(1, sizeof(*h->users))) == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	if (s != NULL && clock_mono_ms() < s->until_ms)
		return err_set(e, RC_TEMP, "%s", s->why);
	if (v != NULL && v->killed)
		return err_set(e, RC_TEMP, "the home of %.*s does not answer", STR_FMT(user));
	if (v != NULL && !v->leaving)
		return err_set(e, RC_TEMP, "%.*s has a deliver", STR_FMT(user));
	if (v != NULL)
		return wait_for_one(h, ask, user, e);
	if (count_visits(h, false) < h->plan->cfg->system_delivers)
		return RC_OK;
	if (count_visits(h, true) > 0)
		return wait_for_one(h, ask, user, e);
	return err_set(e, RC_TEMP, "system_delivers, %u, are at work",
	               (unsigned)h->plan->cfg->system_delivers);
}

static void
want(struct house *h, uint32_t ask, struct str user)
{
	struct lodging lodging;
	struct err e = {.rc = RC_OK};
	enum rc rc = may_start(h, ask, user, &e);

	if (rc == RC_AGAIN ||
	    (rc == RC_OK &&
	     account_read(h->plan->cfg, ACCOUNT_PASSWD, user, &lodging, &e) == RC_OK &&
	     start(h, ask, &lodging, &e) == RC_OK))
		return;
	answer(h, ask, user, 0, &e);
}

/* ---- what others say ---- */

void
users_want(struct slot *spool, const struct msg *m)
{
	if (!spool->house->leaving)
		want(spool->house, m->deliver_want.ask, m->deliver_want.user);
}

void
users_release(struct slot *spool, const struct msg *m)
{
	struct slot *s = house_find(spool->house, DELIVER, m->deliver_release.index);
	struct visit *v = s != NULL && s->apart ? s->arg : NULL;

	if (v != NULL && v->answered && !v->leaving && v->ask == m->deliver_release.ask)
		let_go(v);
}

void
users_unable(struct slot *s, const struct msg *m)
{
	struct visit *v = s->apart ? s->arg : NULL;

	if (v == NULL || v->answered) {
		channel_cut(s->channel, "unable, and no user's");
		return;
	}
	struct buf why = BUF_ON(v->why);

	buf_clear(&why);
	buf_add(&why, m->deliver_unable.why);
}

void
users_lost(struct slot *s)
{
	if (s->arg != NULL)
		let_go(s->arg);
}

void
users_all_leave(struct house *h)
{
	if (h->users != NULL)
		h->users->waiting_count = 0;
	for (unsigned i = 0; i < h->slot_count && !h->leaving; i++) {
		struct slot *s = &h->slots[i];
		struct visit *v = s->house != NULL && s->apart ? s->arg : NULL;

		if (v == NULL)
			continue;
		v->answered = true; /* nobody is there to hear */
		let_go(v);
	}
}
