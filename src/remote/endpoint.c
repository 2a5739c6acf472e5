/*
 * Endpoints. See endpoint.h.
 */
#include <string.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "remote/remote.h"

#define DOWN_FIRST_MS 1000U /* before the second try of one that does not answer; doubles */
#define DOWN_MOST_MS 60000U
#define FEWER_MS 30000U /* for so long no more connections than it took */

void
endpoint_init(struct endpoint *ep, struct remote *r, struct str name)
{
	*ep = (struct endpoint){.remote = r, .name = name};
	TAILQ_INIT(&ep->waiting);
	LIST_INIT(&ep->conns);
}

static uint64_t
now_ms(const struct endpoint *ep)
{
	return ep->remote->role->now_ms;
}

/* ---- parcels come and go ---- */

static void
put(struct endpoint *ep, struct parcel *p, bool first)
{
	if (first)
		TAILQ_INSERT_HEAD(&ep->waiting, p, link);
	else
		TAILQ_INSERT_TAIL(&ep->waiting, p, link);
	ep->waiting_count++;
}

static struct parcel *
take(struct endpoint *ep, struct parcel *p)
{
	TAILQ_REMOVE(&ep->waiting, p, link);
	ep->waiting_count--;
	return p;
}

static void
report(struct endpoint *ep, struct parcel *p)
{
	ep->held--;
	remote_report(ep->remote, p);
}

static void
put_back(struct endpoint *ep, struct parcel *p, const char *why)
{
	parcel_settle_rest(p, RC_TEMP, str_of(why));
	report(ep, p);
}

static bool
is_down(const struct endpoint *ep)
{
	return ep->conn_count == 0 && now_ms(ep) < ep->down_until_ms;
}

static unsigned
credit_most(const struct endpoint *ep)
{
	unsigned most = CREDIT_ALL / ep->remote->endpoint_count;

	if (is_down(ep))
		return 0;
	if (ep->failures > 0)
		return CREDIT_PROBE;
	return most < CREDIT_MOST ? most : CREDIT_MOST;
}

unsigned
endpoint_wants(struct endpoint *ep)
{
	unsigned most = credit_most(ep);
	unsigned more = ep->held + ep->credit < most ? most - ep->held - ep->credit : 0;

	ep->credit += more;
	return more;
}

void
endpoint_take(struct endpoint *ep, struct parcel *p)
{
	ep->held++;
	ep->credit -= ep->credit > 0; /* a spool that sends more than it may: let it */
	if (p->unsettled == 0)
		report(ep, p);
	else if (is_down(ep))
		put_back(ep, p, ep->why);
	else
		put(ep, p, false);
}

void
endpoint_done(struct endpoint *ep, struct parcel *p, bool left)
{
	if (!left || p->unsettled == 0 || p->orphan) {
		report(ep, p);
		return;
	}
	p->again = true;
	parcel_rewind(p);
	put(ep, p, true);
}

void
endpoint_forget(struct endpoint *ep)
{
	struct conn *c;
	struct conn *next;

	ep->credit = 0;
	for (c = LIST_FIRST(&ep->conns); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		conn_recall(c);
	}
	while (!TAILQ_EMPTY(&ep->waiting)) {
		ep->held--;
		remote_drop(ep->remote, take(ep, TAILQ_FIRST(&ep->waiting)));
	}
}

/* ---- connections come and go ---- */

void
endpoint_proved(struct endpoint *ep)
{
	if (ep->failures > 0)
		log_put(LOG_INFO, "endpoint_up", KVS(kv_str("endpoint", ep->name)));
	ep->failures = 0;
	ep->down_until_ms = 0;
	ep->proved_count++;
}

/* It took none, and there is none: what waits would wait for nothing. */
static void
go_down(struct endpoint *ep, const char *why)
{
	unsigned shift = ep->failures < 6 ? ep->failures : 6;
	uint64_t wait_ms = (uint64_t)DOWN_FIRST_MS << shift;
	struct buf b = BUF_ON(ep->why);

	if (wait_ms > DOWN_MOST_MS)
		wait_ms = DOWN_MOST_MS;
	ep->failures++;
	ep->down_until_ms = now_ms(ep) + wait_ms;
	buf_add(&b, str_of(why));
	log_put(LOG_WARN, "endpoint_down",
	        KVS(kv_str("endpoint", ep->name), kv_text("why", why),
	            kv_num("failures", ep->failures), kv_num("wait_ms", wait_ms)));
	while (!TAILQ_EMPTY(&ep->waiting))
		put_back(ep, take(ep, TAILQ_FIRST(&ep->waiting)), ep->why);
}

/* It has taken others: that many are what it wants to have. */
static void
have_fewer(struct endpoint *ep, const char *why)
{
	ep->most = ep->proved_count;
	ep->most_until_ms = now_ms(ep) + FEWER_MS;
	log_put(LOG_WARN, "endpoint_full",
	        KVS(kv_str("endpoint", ep->name), kv_text("why", why),
	            kv_num("connections", ep->most)));
}

void
endpoint_closed(struct endpoint *ep, struct conn *c, const char *why)
{
	LIST_REMOVE(c, link);
	ep->conn_count--;
	ep->proved_count -= c->proved;
	if (why == NULL)
		return;
	if (ep->proved_count > 0)
		have_fewer(ep, why);
	else if (ep->conn_count == 0)
		go_down(ep, why);
}

static bool
may_connect(const struct endpoint *ep)
{
	const struct cfg *cfg = ep->remote->role->cfg;
	unsigned pending = ep->conn_count - ep->proved_count;
	unsigned most =
		now_ms(ep) < ep->most_until_ms ? ep->most : (unsigned)cfg->lmtp_connections;

	/* the first one shows whether it lives at all */
	return ep->conn_count < most && pending < ep->waiting_count &&
	       (ep->proved_count > 0 || pending == 0);
}

static struct conn *
idle_conn(const struct endpoint *ep)
{
	struct conn *c;

	LIST_FOREACH(c, &ep->conns, link)
	if (conn_is_idle(c))
		return c;
	return NULL;
}

/* False where there can be none now. */
static bool
connect_one(struct endpoint *ep)
{
	struct conn *c = conn_new(ep);

	if (c == NULL) {
		if (ep->conn_count == 0)
			go_down(ep, "no connection can be made here");
		return false;
	}
	LIST_INSERT_HEAD(&ep->conns, c, link);
	ep->conn_count++;
	return true;
}

void
endpoint_pump(struct endpoint *ep)
{
	while (ep->waiting_count > 0) {
		struct conn *c = idle_conn(ep);

		if (c != NULL) {
			conn_give(c, take(ep, TAILQ_FIRST(&ep->waiting)));
		} else if (!may_connect(ep) || !connect_one(ep)) {
			return;
		}
	}
}

void
endpoint_tick(struct endpoint *ep)
{
	struct conn *c;
	struct conn *next;

	for (c = LIST_FIRST(&ep->conns); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		conn_tick(c);
	}
}
