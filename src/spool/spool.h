/*
 * The process's own: what its parts share. One file a part:
 *   keep.c     mail_rcpts, mail_commit: an envelope is checked and written
 *   commit.c   many of them become durable at once, then edges are told
 *   handout.c  what is due goes out to delivers, against credit
 *   settle.c   what delivers report
 *   route.c    which way each goes
 *   users.c    delivers of users of the machine
 *   body.c     large bodies, which the writer made
 *   room.c     the reserve of free space
 *   select.c   which rows an operator means
 *   listing.c  what he sees of them
 *   operate.c  what he does to them
 *   page.c     what a body says
 *   status.c   how many there are
 *   census.c   by which routes, and how old
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include <dirent.h>
#include <sys/queue.h>

#include "ipc/metric.h"
#include "role/copying.h"
#include "role/journal.h"
#include "spool/retry.h"
#include "spool/route.h"
#include "spool/tables.h"

#define BATCH_MAILS 256         /* messages in one commit */
#define BATCH_OCTETS (4U << 20) /* of their bodies */
#define PENDING_ROUTES 8        /* of one message, remembered until its commit */
#define BATCH_BODIES 256        /* files to remove after it */
#define BATCH_WAIT_MS 20        /* for mail to share its sync with mere results */
#define HELD_OCTETS (16U << 20) /* of mail_rcpts of one edge before their mail_commit */
#define LOG_OCTETS (16U << 20)  /* of spool.db-wal before it is brought into spool.db */
#define LOG_OCTETS_SAID (64U << 20)

struct cfg;
struct role;

/* A message whose commit is under way. */
struct pending {
	struct channel *edge; /* NULL: gone meanwhile */
	uint32_t session;
	uint64_t id;
	uint64_t arrived_us;
	bool in_file;
	struct letter *letter;                /* where all go by one route */
	struct route *routes[PENDING_ROUTES]; /* each counts it as pending */
	unsigned route_count;
	bool more_routes; /* than these: no room here, or for one of them in memory */
};

struct batch {
	struct pending mails[BATCH_MAILS];
	unsigned mail_count;
	size_t octets;
	uint64_t bodies[BATCH_BODIES]; /* ids: their rows are gone once this is committed */
	unsigned body_count;
	uint64_t since_ms; /* of the first change */
};

/* Recipients of a message whose mail_commit has not come yet. */
struct held {
	TAILQ_ENTRY(held) link;
	uint64_t id;
	unsigned count;
	size_t octets;
	char *wire; /* items of mail_rcpts */
};

/* One edge's channel. */
struct box {
	TAILQ_ENTRY(box) link;
	struct channel *channel;
	TAILQ_HEAD(held_list, held) held;
	size_t held_octets;
};

/* Since the start: for status. */
struct spool_counts {
	uint64_t kept;
	uint64_t delivered;
	uint64_t deferred;
	uint64_t stopped;
	uint64_t deleted;
};

#define CENSUS_KINDS 3 /* enum route_kind */
#define CENSUS_AGES 4

struct census_counts {
	uint64_t begun_us; /* wall clock */
	uint64_t waiting[CENSUS_KINDS];
	uint64_t held[CENSUS_KINDS];
	uint64_t oldest[CENSUS_KINDS]; /* ids; 0: none waits */
	uint64_t ages[CENSUS_AGES];    /* messages */
};

struct census {
	bool on;
	uint64_t begun_us;
	uint64_t id; /* the last row looked at */
	unsigned n;
	struct census_counts now;
	struct census_counts whole; /* the last that came to its end */
};

struct spool {
	struct spool_counts counts;
	struct metrics metrics; /* but for the census */
	uint64_t since_us;      /* wall clock of our start */
	struct census census;
	const struct cfg *cfg;
	uint64_t now_ms;
	uint64_t wall_us;
	struct tables *tables;
	struct role *role;
	struct routes routes;
	struct journal *journal;
	struct retry retry;
	struct batch batch;
	TAILQ_HEAD(box_list, box) boxes;

	uint32_t boot;      /* upper half of each seq */
	uint32_t made;      /* lower half of the last */
	uint64_t doubt_seq; /* up to it a message may have been delivered, whatever rows say */
	uint64_t chance;    /* seed of the waits */

	bool broken; /* the files can no longer be trusted: touch nothing, exit */
	bool is_full;
	uint64_t room; /* octets free when it was last looked at */
	bool draining;
	uint64_t pause_ms; /* hand nothing out before then: there was no room */

	DIR *sweep; /* body/, while it is looked through */
	uint64_t sweep_ms;
	uint64_t swept;
	uint64_t said_log_ms;

	struct db_copy copy; /* an operator's backup: meanwhile no body is removed */
};

/* ---- keep.c ---- */
/* Each returns NULL, or why the edge must be cut: nobody honest sends that. */
const char *keep_rcpts(struct spool *sp, struct channel *c, const struct msg_mail_rcpts *m);
const char *keep_mail(struct spool *sp, struct channel *c, const struct msg_mail_commit *m);
void keep_drop(struct spool *sp, struct channel *c, uint64_t id);
/* False when memory is out. */
bool keep_edge_up(struct spool *sp, struct channel *c);
void keep_edge_down(struct spool *sp, struct channel *c);

/* ---- commit.c ---- */
/* Open the batch's transaction if there is none. On failure the batch is lost, see below. */
bool batch_begin(struct spool *sp);
void batch_add_mail(struct spool *sp, struct pending p, size_t octets);
/* As schedule_forget_letters. */
void batch_forget_letters(struct batch *b);
/* Its routes need not stay in memory for it any more. */
void pending_end(struct pending *p);
/* The row of this message, whose body is in a file, is deleted in this batch. */
void batch_add_body(struct spool *sp, uint64_t id);
bool batch_is_due(const struct spool *sp);
/* Make it durable; then tell edges, hand fresh mail to the schedule, remove files. */
/* False: it is lost. */
bool batch_commit(struct spool *sp);
/* A change failed: roll back what the disk had no room for, or give up the file. */
void batch_lost(struct spool *sp, const struct err *e);
/* The log into the file, where it has grown. */
void batch_checkpoint(struct spool *sp);
void mail_answer(struct channel *edge, uint32_t session, uint64_t id, enum rc rc, bool full);

/* ---- handout.c ---- */
/* All that is due and that the delivers have credit for; how many went out. */
unsigned hand_out(struct spool *sp);

/* ---- settle.c ---- */
const char *settle_results(struct spool *sp, struct channel *c, const struct msg_work_done *m);
/* <t> is out with nobody: all its recipients are settled so. */
void settle_refused(struct spool *sp, struct route *r, struct task *t, enum rc rc,
                    struct str why);
void settle_broken(struct spool *sp, struct channel *c, struct str why);
const char *settle_credit(struct spool *sp, struct channel *c, const struct msg_work_want *m);

/* ---- body.c ---- */
/* RC_PERM: no such file, or another size. */
enum rc body_check(uint64_t id, uint64_t size, struct err *e) MUST_CHECK;
/* A read-only descriptor, the caller's. */
enum rc body_open(uint64_t id, uint64_t size, int *ret_fd, struct err *e) MUST_CHECK;
void body_remove(uint64_t id);
/* A step of looking for files that no row names. */
void body_sweep(struct spool *sp);

/* ---- room.c ---- */
/* Look at the free space; tell edges where that has changed. */
void room_look(struct spool *sp);
void room_tell(const struct spool *sp, struct channel *edge);

/* ---- select.c ---- */

/* What queue_ask asks for; as in msg.def. */
enum queue_act { QUEUE_LIST, QUEUE_HOLD, QUEUE_RELEASE, QUEUE_RETRY, QUEUE_DELETE };

/* A walk over the rows that the operator means: bounded, whatever he asks for. */
struct selection {
	const struct msg_queue_ask *ask;
	uint64_t id; /* the last row looked at: where the next page begins */
	unsigned n;
	unsigned looks; /* rows that may still be looked at */
	bool over;      /* there are no more */
};

void select_begin(struct spool *sp, struct selection *s, const struct msg_queue_ask *m);
/* RC_AGAIN: the page or the queue ends here. Texts live until the next call. */
enum rc select_next(struct spool *sp, struct selection *s, struct listed *ret,
                    struct err *e) MUST_CHECK;
void select_end(struct spool *sp);
/* As the operator sees it: ROW_OUT too. */
enum row_state select_state(const struct spool *sp, const struct rcpt_row *r);

/* ---- operate.c ---- */
void operate(struct spool *sp, struct channel *c, const struct msg_queue_ask *m);

/* ---- page.c ---- */
void body_answer(struct spool *sp, struct channel *c, const struct msg_body_ask *m);

/* ---- listing.c ---- */
void listing_answer(struct spool *sp, struct channel *c, const struct msg_queue_ask *m);

/* ---- census.c ---- */
/* Count again, unless that is under way. */
void census_begin(struct spool *sp);
/* Some rows more, where it is. */
void census_step(struct spool *sp);
void census_tell(const struct spool *sp, struct metrics *m);

/* ---- status.c ---- */
void status_metrics(struct spool *sp, struct channel *c, uint32_t ask);
void status_answer(const struct spool *sp, struct channel *c, uint32_t ask);

#endif
