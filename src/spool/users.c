/*
 * Delivers of users. See users.h.
 */
#include "spool/users.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "role/role.h"
#include "spool/spool.h"

#define ASKED_MOST_MS 60000 /* for master to answer, or for a channel to come */
#define AGAIN_MS 1000       /* after a deliver that was not there, or died */

static struct str
user_of(const struct route *r)
{
	struct str name = route_str(r);

	return str_slice(name, STR("user:").n, name.n);
}

static void
set_stage(struct spool *sp, struct route *r, enum route_stage stage)
{
	r->stage = stage;
	r->stage_ms = sp->now_ms;
}

static void
tell_master(const struct spool *sp, const struct msg *m)
{
	struct err e;

	if (role_tell_master(sp->role, m, &e) != RC_OK)
		log_say(LOG_WARN, "master", e.text); /* asked again when this stage is over */
}

static void
ask(struct spool *sp, struct route *r)
{
	struct msg m = {
		.no = MSG_deliver_want,
		.deliver_want = {.ask = ++sp->routes.asks, .user = user_of(r)}
        };

	if (user_of(r).n > 64) { /* msg.def; useradd(8) takes 32 */
		route_refuse(sp, r, RC_PERM, STR("no user of the machine has such a name"));
		return;
	}
	r->ask = sp->routes.asks;
	set_stage(sp, r, STAGE_ASKED);
	tell_master(sp, &m);
}

static void
release(struct spool *sp, struct route *r, enum route_stage next)
{
	struct msg m = {
		.no = MSG_deliver_release,
		.deliver_release = {.ask = r->ask, .index = (uint16_t)r->index}
        };

	tell_master(sp, &m);
	set_stage(sp, r, next);
}

static unsigned
delivers(const struct spool *sp)
{
	unsigned count = 0;
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	count += r->stage != STAGE_NONE;
	return count;
}

/* All that was due has been refused; what falls due from now on asks anew. */
static bool
is_settled(const struct spool *sp, const struct route *r)
{
	return schedule_out_count(r->schedule) == 0 &&
	       (sp->now_ms - r->refuse_ms >= AGAIN_MS ||
	        (schedule_ready_count(r->schedule) == 0 &&
	         schedule_next_us(r->schedule) > sp->wall_us));
}

/* What time brings to a route, whoever waits. */
static void
age(struct spool *sp, struct route *r)
{
	uint64_t stage_age_ms = sp->now_ms - r->stage_ms;

	if (schedule_ready_count(r->schedule) + schedule_out_count(r->schedule) > 0)
		r->used_ms = sp->now_ms;
	if (schedule_out_count(r->schedule) == 0)
		r->heard_ms = sp->now_ms;
	if ((r->stage == STAGE_GIVEN || r->stage == STAGE_CLOSING) &&
	    sp->now_ms - r->heard_ms >= sp->cfg->system_deliver_silence * 1000) {
		log_put(LOG_WARN, "user_silent", KVS(kv_str("user", user_of(r))));
		release(sp, r,
		        STAGE_RELEASED); /* what it had comes back with its channel's end */
	}
	if (r->refuse != RC_OK && is_settled(sp, r))
		route_take_again(sp, r);
	if (r->stage == STAGE_ASKED && stage_age_ms >= ASKED_MOST_MS)
		set_stage(sp, r, STAGE_NONE);
	if (r->stage == STAGE_GIVEN && !route_has_channel(r) && stage_age_ms >= ASKED_MOST_MS)
		release(sp, r, STAGE_NONE);
	if (r->stage == STAGE_RELEASED && stage_age_ms >= ASKED_MOST_MS)
		release(sp, r, STAGE_RELEASED); /* master may not have heard it */
	if (r->stage == STAGE_CLOSING && schedule_out_count(r->schedule) == 0)
		release(sp, r, STAGE_RELEASED);
	if (r->stage == STAGE_GIVEN && route_has_channel(r) &&
	    sp->now_ms - r->used_ms >= sp->cfg->system_deliver_idle * 1000)
		release(sp, r, STAGE_RELEASED);
}

static bool
wants(const struct spool *sp, const struct route *r)
{
	return r->kind == ROUTE_USER && r->stage == STAGE_NONE && r->refuse == RC_OK &&
	       sp->now_ms >= r->ask_ms && schedule_ready_count(r->schedule) > 0;
}

/*
 * One makes room: the one that has had nothing to do for longest, else the one that has worked
 * for longest, if that is a while.
 */
static bool
close_one(struct spool *sp)
{
	struct route *idle = NULL;
	struct route *busy = NULL;
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	{
		if (r->stage != STAGE_GIVEN || !route_has_channel(r))
			continue;
		if (r->used_ms < sp->now_ms && (idle == NULL || r->used_ms < idle->used_ms))
			idle = r;
		if (sp->now_ms - r->stage_ms >= ROUTE_SLICE_MS &&
		    (busy == NULL || r->stage_ms < busy->stage_ms))
			busy = r;
	}
	if (idle == NULL && busy == NULL)
		return false;
	set_stage(sp, idle != NULL ? idle : busy, STAGE_CLOSING);
	return true;
}

/* For so many; some may be on their way out already. */
static void
make_room(struct spool *sp, unsigned many)
{
	unsigned coming = 0;
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	coming += r->stage == STAGE_CLOSING || r->stage == STAGE_RELEASED;
	while (coming < many && close_one(sp))
		coming++;
}

void
users_turn(struct spool *sp)
{
	struct route *r;
	struct route *next;
	unsigned wait = 0;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	if (r->kind == ROUTE_USER)
		age(sp, r);
	unsigned running = delivers(sp);
	for (r = TAILQ_FIRST(&sp->routes.list); r != NULL && !sp->draining; r = next) {
		next = TAILQ_NEXT(r, link);
		if (!wants(sp, r))
			continue;
		if (running >= sp->cfg->system_delivers) {
			wait++;
			continue;
		}
		/* behind the others: all come to their turn */
		TAILQ_REMOVE(&sp->routes.list, r, link);
		TAILQ_INSERT_TAIL(&sp->routes.list, r, link);
		ask(sp, r);
		running++;
	}
	make_room(sp, wait);
	sp->routes.users_wait = wait > 0;
}

void
users_deliver_for(struct spool *sp, const struct msg_deliver_for *m)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	if (r->stage == STAGE_ASKED && r->ask == m->ask)
		break;
	if (r == NULL)
		return; /* it took too long; master lets one go that nobody is linked to */
	if (m->rc == RC_OK) {
		/* that one ended before its channel came here: the number is another's now */
		struct route *before = users_route_of(sp, m->index);

		if (before != NULL)
			set_stage(sp, before, STAGE_NONE);
		r->index = m->index;
		set_stage(sp, r, STAGE_GIVEN);
		return;
	}
	set_stage(sp, r, STAGE_NONE);
	r->ask_ms = sp->now_ms + AGAIN_MS;
	route_refuse(sp, r, m->rc == RC_PERM ? RC_PERM : RC_TEMP, m->why);
}

struct route *
users_route_of(const struct spool *sp, unsigned index)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	if (r->kind == ROUTE_USER && r->stage == STAGE_GIVEN && r->index == index &&
	    !route_has_channel(r))
		return r;
	return NULL;
}

void
users_deliver_gone(struct spool *sp, struct route *r)
{
	/* one that lives all the same must go: nobody would know whose it is */
	if (r->stage == STAGE_GIVEN || r->stage == STAGE_CLOSING) {
		release(sp, r, STAGE_NONE);
		r->ask_ms = sp->now_ms + AGAIN_MS;
	}
	set_stage(sp, r, STAGE_NONE);
}
