/*
 * Routes as the schedule's owners: made, found, forgotten. See route.h; the delivers of users
 * are users.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "spool/route.h"
#include "spool/spool.h"
#include "spool/users.h"

#define SCAN_MOST 32U      /* routes looked at in one tick */
#define FAR_MOST 64U       /* rows beyond the horizon, of each route in one tick */
#define SCAN_OCTETS 1024U  /* no row of ours names a longer one */
#define CREDIT_FREE 65536U /* of a lane that refuses: it takes all there is */

#define USER STR("user:")

/* Bounds by kind: users are many, and each has little. */
static const struct schedule_bounds bounds_of[] = {
	[ROUTE_MAILDIR] = {.fresh = 512, .rows = 512, .tasks = 4096, .octets = 16U << 20},
	[ROUTE_USER] = {.fresh = 128, .rows = 128, .tasks = 512,  .octets = 1U << 20 },
	[ROUTE_ENDPOINT] = {.fresh = 512, .rows = 512, .tasks = 4096, .octets = 8U << 20 },
};

bool
route_name(const struct cfg *c, struct str mailbox, struct buf *ret)
{
	size_t at = str_rfind(mailbox, '@'); /* a quoted local part may have one of its own */
	const struct cfg_domain *d =
		cfg_domain_canonical(c, str_slice(mailbox, at + 1, mailbox.n));

	if (d == NULL)
		return false;
	const struct cfg_endpoint *to = cfg_domain_endpoint(c, d);
	if (to != NULL) {
		buf_add(ret, to->name);
	} else if (d->mailboxes == MAILBOXES_SYSTEM) {
		buf_add(ret, USER);
		buf_add(ret, str_slice(mailbox, 0, at));
	}
	return !ret->cut;
}

struct str
route_str(const struct route *r)
{
	return str_of(r->name);
}

enum route_kind
route_kind_of(struct str name)
{
	if (name.n == 0)
		return ROUTE_MAILDIR;
	return str_starts(name, USER) ? ROUTE_USER : ROUTE_ENDPOINT;
}

static bool
is_known(const struct cfg *c, const struct route *r)
{
	const struct cfg_domain *system = cfg_domain_system(c);

	switch (r->kind) {
	case ROUTE_USER:
		return system != NULL && cfg_domain_endpoint(c, system) == NULL;
	case ROUTE_ENDPOINT:
		return cfg_endpoint_find(c, route_str(r)) != NULL;
	default:
		return true;
	}
}

/* ---- refusing ---- */

bool
route_has_channel(const struct route *r)
{
	struct lane *l = NULL;

	while ((l = schedule_lane_next(r->schedule, l)) != NULL)
		if (l->channel != NULL)
			return true;
	return false;
}

static struct lane *
refusing_lane(const struct route *r)
{
	return schedule_lane(r->schedule, NULL);
}

void
route_refuse(struct spool *sp, struct route *r, enum rc rc, struct str why)
{
	struct buf b = BUF_ON(r->why);
	struct lane *l = refusing_lane(r);

	if (l == NULL)
		l = schedule_lane_new(r->schedule, NULL);
	if (l == NULL)
		return; /* memory is out: they wait */
	l->credit = CREDIT_FREE;
	buf_clear(&b);
	buf_add(&b, str_slice(why, 0, sizeof(r->why) - 1));
	r->refuse = rc;
	r->refuse_ms = sp->now_ms;
}

void
route_take_again(const struct spool *sp, struct route *r)
{
	struct lane *l = refusing_lane(r);

	if (!is_known(sp->cfg, r))
		return;
	if (l != NULL)
		schedule_lane_drop(r->schedule, l);
	r->refuse = RC_OK;
}

bool
route_takes(const struct route *r)
{
	if (r->kind == ROUTE_USER && r->refuse == RC_OK && r->stage != STAGE_GIVEN)
		return false;
	return schedule_lane_best(r->schedule) != NULL;
}

static void
judge(struct spool *sp, struct route *r)
{
	if (r->refuse != RC_OK)
		route_take_again(sp, r);
	else if (!is_known(sp->cfg, r))
		route_refuse(sp, r, RC_TEMP,
		             STR("the configuration has no such way to deliver any more"));
}

/* ---- made and forgotten ---- */

static struct route *
route_free(struct routes *rs, struct route *r)
{
	if (r->schedule != NULL)
		r->schedule = schedule_free(r->schedule);
	TAILQ_REMOVE(&rs->list, r, link);
	rs->count--;
	free(r);
	return NULL;
}

/* Nothing to do, nothing under way, and nobody whose work it is: rows that fall due later
 * are found by the walk. */
static bool
is_idle(const struct spool *sp, const struct route *r)
{
	return (r->kind == ROUTE_USER || r->refuse != RC_OK) && r->pending == 0 &&
	       r->stage == STAGE_NONE && !route_has_channel(r) &&
	       schedule_ready_count(r->schedule) == 0 && schedule_out_count(r->schedule) == 0 &&
	       schedule_next_us(r->schedule) > sp->wall_us;
}

static bool
forget_idle(struct spool *sp)
{
	struct route *r = TAILQ_FIRST(&sp->routes.list);
	unsigned before = sp->routes.count;

	while (r != NULL) {
		struct route *next = TAILQ_NEXT(r, link);

		if (is_idle(sp, r))
			(void)route_free(&sp->routes, r);
		r = next;
	}
	return sp->routes.count < before;
}

struct route *
route_find(const struct spool *sp, struct str name)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	if (str_eq(route_str(r), name))
		return r;
	return NULL;
}

static struct route *
route_new(struct spool *sp, struct str name)
{
	struct routes *rs = &sp->routes;
	struct schedule_bounds bounds = bounds_of[route_kind_of(name)];
	struct route *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	struct buf b = BUF_ON(r->name);
	buf_add(&b, name);
	bounds.all = &rs->octets;
	bounds.all_most = ROUTES_OCTETS;
	r->kind = route_kind_of(name);
	r->used_ms = sp->now_ms;
	r->schedule = schedule_new(bounds, rs->secret, rs->horizon_us);
	TAILQ_INSERT_TAIL(&rs->list, r, link);
	rs->count++;
	if (b.cut || r->schedule == NULL)
		return route_free(rs, r);
	judge(sp, r);
	return r;
}

struct route *
route_get(struct spool *sp, struct str name)
{
	struct route *r = route_find(sp, name);

	if (r != NULL)
		return r;
	if (sp->routes.count >= ROUTES_MOST && !forget_idle(sp))
		return NULL;
	return route_new(sp, name);
}

struct route *
route_endpoint(struct spool *sp, struct str name)
{
	unsigned count = 0;
	struct route *r;

	if (route_kind_of(name) != ROUTE_ENDPOINT)
		return NULL;
	TAILQ_FOREACH(r, &sp->routes.list, link)
	count += r->kind == ROUTE_ENDPOINT;
	r = route_find(sp, name);
	return r == NULL && count < 2 * CFG_ENDPOINTS_MOST ? route_get(sp, name) : r;
}

void
route_row_due(struct spool *sp, struct str name, uint64_t next_us)
{
	struct route *r = route_find(sp, name);

	if (r != NULL)
		schedule_deferred(r->schedule, next_us);
}

static bool
open_known(struct spool *sp)
{
	if (route_get(sp, STR("")) == NULL)
		return false;
	for (unsigned i = 0; i < sp->cfg->endpoint_count; i++)
		if (route_get(sp, sp->cfg->endpoints[i].name) == NULL)
			return false;
	return true;
}

bool
routes_open(struct spool *sp, struct table_secret secret)
{
	TAILQ_INIT(&sp->routes.list);
	sp->routes.secret = secret;
	sp->routes.horizon_us = retry_longest_us(&sp->retry);
	return open_known(sp);
}

void
routes_close(struct spool *sp)
{
	struct route *r;

	while ((r = TAILQ_FIRST(&sp->routes.list)) != NULL)
		(void)route_free(&sp->routes, r);
}

void
routes_reconfigure(struct spool *sp)
{
	struct route *r;

	sp->routes.horizon_us = retry_longest_us(&sp->retry);
	batch_forget_letters(&sp->batch);
	(void)open_known(sp); /* what there is no room for is found by the walk */
	TAILQ_FOREACH(r, &sp->routes.list, link)
	{
		judge(sp, r);
		schedule_forget_letters(r->schedule);
		schedule_horizon(r->schedule, sp->routes.horizon_us);
	}
	sp->routes.seen_n = 0;
}

/* ---- the walk over what rows name ---- */

/*
 * Rows that fall due later than any honest one: the clock was set back, and their time may not
 * come for years. Those that were put off since then lie before them.
 */
static enum rc
read_far(struct spool *sp, struct str name, unsigned most, struct due *rows,
         unsigned *ret_count, struct err *e)
{
	struct due after = {
		.us = sp->wall_us + sp->routes.horizon_us, .id = INT64_MAX, .n = UINT16_MAX};

	return tables_due(sp->tables, name, after, most, rows, ret_count, e);
}

static void
take_far(struct spool *sp, struct route *r)
{
	struct due rows[FAR_MOST];
	unsigned count = 0;
	struct err e;

	if (schedule_ready_count(r->schedule) == 0 &&
	    read_far(sp, route_str(r), FAR_MOST, rows, &count, &e) == RC_OK)
		schedule_take_far(r->schedule, rows, count);
}

/* RC_OK: somebody waits for it and is due. */
static enum rc
has_due(struct spool *sp, struct str name, struct err *e)
{
	struct due first;
	unsigned count = 0;

	if (tables_due(sp->tables, name, (struct due){0}, 1, &first, &count, e) != RC_OK)
		return e->rc;
	if (count > 0 && first.us <= sp->wall_us)
		return RC_OK;
	if (count > 0 && read_far(sp, name, 1, &first, &count, e) != RC_OK)
		return e->rc;
	return count > 0 ? RC_OK : RC_AGAIN;
}

/* False: the walk is over for now. */
static bool
scan_one(struct spool *sp, struct err *e)
{
	struct routes *rs = &sp->routes;
	char room[SCAN_OCTETS];
	struct buf name = BUF_ON(room);

	e->rc = tables_next_route(sp->tables, (struct str){rs->seen, rs->seen_n}, &name, e);
	if (e->rc != RC_OK || name.cut || name.n > ROUTE_NAME_MAX) {
		rs->seen_n = 0;
		return false;
	}
	struct buf seen = BUF_ON(rs->seen); /* which empties it */
	buf_add(&seen, buf_str(&name));
	rs->seen_n = seen.n;
	if (route_find(sp, buf_str(&name)) == NULL && has_due(sp, buf_str(&name), e) == RC_OK)
		(void)route_get(sp, buf_str(&name)); /* no room: the walk comes by again */
	return true;
}

void
routes_tick(struct spool *sp)
{
	struct route *r;
	struct err e;

	if (sp->broken)
		return;
	(void)forget_idle(sp);
	TAILQ_FOREACH(r, &sp->routes.list, link)
	take_far(sp, r);
	for (unsigned i = 0; i < SCAN_MOST; i++)
		if (!scan_one(sp, &e)) {
			if (e.rc != RC_OK && e.sys != ENOENT)
				log_say(LOG_ERROR, "routes", e.text);
			return;
		}
}

/* ---- channels ---- */

/* One that is gone takes its lanes along, of whatever route. */
void
routes_peer_down(struct spool *sp, struct channel *c)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	{
		struct lane *l = schedule_lane(r->schedule, c);

		if (l == NULL)
			continue;
		schedule_lane_drop(r->schedule, l);
		if (r->kind == ROUTE_USER)
			users_deliver_gone(sp, r);
	}
}

bool
routes_deliver_up(struct spool *sp, struct channel *c, const char **why)
{
	struct route *r = channel_index(c) < DELIVER_USERS
	                          ? route_find(sp, STR(""))
	                          : users_route_of(sp, channel_index(c));

	*why = NULL;
	if (r == NULL) {
		*why = "a deliver that was not asked for";
		return true;
	}
	channel_set_data(c, r);
	return schedule_lane_new(r->schedule, c) != NULL;
}

struct route *
route_of(const struct channel *c)
{
	return channel_data(c);
}

/* ---- over all ---- */

static unsigned
sum(const struct spool *sp, unsigned (*count_of)(const struct schedule *s))
{
	unsigned all = 0;
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	all += count_of(r->schedule);
	return all;
}

unsigned
routes_out_count(const struct spool *sp)
{
	return sum(sp, schedule_out_count);
}

unsigned
routes_out_rcpts(const struct spool *sp)
{
	return sum(sp, schedule_out_rcpts);
}

unsigned
routes_out_held(const struct spool *sp)
{
	return sum(sp, schedule_out_held);
}

unsigned
routes_ready_count(const struct spool *sp)
{
	return sum(sp, schedule_ready_count);
}

void
routes_reread(struct spool *sp, uint64_t id)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	schedule_reread(r->schedule, id);
}

void
routes_drop(struct spool *sp, uint64_t id)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	{
		struct task *t = schedule_find(r->schedule, id);

		if (t != NULL && t->lane == NULL)
			schedule_drop(r->schedule, t);
	}
}

void
routes_doubt(struct spool *sp)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	schedule_doubt(r->schedule);
}

bool
routes_wait(const struct spool *sp)
{
	struct route *r;

	TAILQ_FOREACH(r, &sp->routes.list, link)
	if (schedule_ready_count(r->schedule) > 0 && route_takes(r))
		return true;
	return sp->routes.users_wait;
}
