/*
 * By which way a recipient goes out: into a virtual Maildir, to one user of the machine, to one
 * endpoint. Each has a schedule of its own, so that one which stands still holds up nobody.
 *
 * A row names its route, which its mailbox's domain decides by the configuration: when it is
 * kept, and again when it goes out. So a change of configuration needs no walk over the
 * queue: what lies in the wrong place moves when it falls due.
 */
#ifndef SPOOL_ROUTE_H
#define SPOOL_ROUTE_H

#include <sys/queue.h>

#include "base/buf.h"
#include "spool/schedule.h"

#define ROUTE_NAME_MAX 128U       /* octets: "", "user:alice", "lmtp:127.0.0.1:24" */
#define ROUTES_MOST 160U          /* in memory; rows of others wait in the tables */
#define ROUTES_OCTETS (32U << 20) /* of bodies kept for their first delivery, all together */
#define ROUTE_SLICE_MS 1000       /* so long a user's deliver works while others want one */

struct cfg;
struct spool;

enum route_kind { ROUTE_MAILDIR, ROUTE_USER, ROUTE_ENDPOINT };

/* Of a user's deliver. */
enum route_stage {
	STAGE_NONE,
	STAGE_ASKED,    /* master was asked for one */
	STAGE_GIVEN,    /* it has number <index>; its channel comes or is there */
	STAGE_CLOSING,  /* it finishes what it has, for others to have their turn */
	STAGE_RELEASED, /* master was told to let it go; its channel is still there */
};

struct route {
	TAILQ_ENTRY(route) link;
	enum route_kind kind;
	char name[ROUTE_NAME_MAX + 1];
	struct schedule *schedule;
	unsigned pending; /* messages in the batch that is under way */

	/* Nobody takes it, and why: what falls due is settled so. */
	enum rc refuse; /* RC_OK: somebody does */
	char why[251];
	uint64_t refuse_ms; /* refused since */

	/* a user's deliver */
	enum route_stage stage;
	uint32_t ask;
	unsigned index;
	uint64_t stage_ms; /* when this stage began */
	uint64_t used_ms;  /* when it last had anything to do */
	uint64_t ask_ms;   /* do not ask before */
	uint64_t heard_ms; /* when it last answered, or was given its first work */
};

TAILQ_HEAD(route_list, route);

struct routes {
	struct route_list list;
	unsigned count;
	struct table_secret secret;
	uint64_t horizon_us;
	size_t octets; /* of all letters */
	uint32_t asks;
	bool users_wait; /* for one of the delivers that run to make room */
	size_t seen_n;   /* the walk over the routes that rows name */
	char seen[ROUTE_NAME_MAX + 1];
};

/* The name of the route for this mailbox. False where its domain is none of ours any more: a
 * row stays where it is. */
bool route_name(const struct cfg *c, struct str mailbox, struct buf *ret) MUST_CHECK;

struct str route_str(const struct route *r);

/* What kind a name, as rows have it, is of. */
enum route_kind route_kind_of(struct str name);

/* That of the virtual Maildirs and one for each endpoint. False when memory is out. */
bool routes_open(struct spool *sp, struct table_secret secret) MUST_CHECK;
void routes_close(struct spool *sp);

/* NULL where it is not in memory. */
struct route *route_find(const struct spool *sp, struct str name);
/* The same, made where it is missing; NULL where there is no room for it. */
struct route *route_get(struct spool *sp, struct str name);

/* That of an endpoint, which a remote may know before we do: it has read a newer configuration.
 * NULL: no endpoint's name, or too many. */
struct route *route_endpoint(struct spool *sp, struct str name);

/* Is anybody there to take it? */
bool route_has_channel(const struct route *r);

/* Does anybody take what is ready? */
bool route_takes(const struct route *r);

/* Nobody does: what falls due is settled with <rc> (RC_TEMP, RC_PERM) and <why>, until
 * route_take_again. */
void route_refuse(struct spool *sp, struct route *r, enum rc rc, struct str why);
void route_take_again(const struct spool *sp, struct route *r);

/* A row of that route falls due then. */
void route_row_due(struct spool *sp, struct str name, uint64_t next_us);

/* The configuration is another one. */
void routes_reconfigure(struct spool *sp);

/* Once a second: find routes whose rows fall due, forget those that have nothing to do. */
void routes_tick(struct spool *sp);

/* A deliver's channel came. False when memory is out. <why>: set where it must be cut. */
bool routes_deliver_up(struct spool *sp, struct channel *c, const char **why);
/* A channel is gone. */
void routes_peer_down(struct spool *sp, struct channel *c);

/* The route that <c> is a deliver of. */
struct route *route_of(const struct channel *c);

/* Over all. */
unsigned routes_out_count(const struct spool *sp);
unsigned routes_out_rcpts(const struct spool *sp);
unsigned routes_out_held(const struct spool *sp);
/* As schedule_reread and, where no row of <id> is left, schedule_drop. */
void routes_reread(struct spool *sp, uint64_t id);
void routes_drop(struct spool *sp, uint64_t id);
unsigned routes_ready_count(const struct spool *sp);
void routes_doubt(struct spool *sp);
bool routes_wait(const struct spool *sp); /* something is ready, and somebody takes it, or will
                                           * soon */

#endif
