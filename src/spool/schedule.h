/*
 * What is in memory of the queue: messages ready to go out, and those out with a deliver. Two
 * windows of bounded size over what tables.h keeps: fresh mail, which never had to be read
 * back, and rows read in the order in which they fall due. No SQL and no channel here.
 *
 * A message is here at most once, so no recipient is ever out twice.
 */
#ifndef SPOOL_SCHEDULE_H
#define SPOOL_SCHEDULE_H

#include <sys/queue.h>

#include "base/table.h"
#include "ipc/msg.h"
#include "spool/tables.h"

#define SCHEDULE_ROWS_MOST 512 /* the most that a schedule's bounds may say for rows */
#define SCHEDULE_RCPTS 32      /* of one message, out at once: work of msg.def */
#define SCHEDULE_CREDIT 1024   /* messages one deliver may ask for */

struct channel;

/* A message as it was committed: it goes out without being read back. */
struct letter {
	uint64_t seq;
	uint64_t size;
	uint64_t hash;
	uint32_t flags; /* MAIL_... */
	struct str sender;
	struct str envid;
	struct list rcpts; /* at most SCHEDULE_RCPTS: all it has */
	struct str body;
	char octets[]; /* of the four above */
};

/* NULL when memory is out: it will be read back. */
struct letter *letter_new(uint64_t seq, const struct msg_mail_commit *m);

/* One recipient that is out; texts are the task's. */
struct out_rcpt {
	unsigned n;
	uint32_t tries;
	bool settled;
	bool held; /* by the operator meanwhile: not tried again where this try fails */
	struct str mailbox;
	struct str orig;
};

TAILQ_HEAD(task_list, task);

/* One message in memory. Out: <lane> has it. Ready: <lane> is NULL. */
struct task {
	uint64_t id;
	TAILQ_ENTRY(task) link;
	struct lane *lane;
	struct letter *letter; /* NULL: to be read from the tables */
	bool fresh;            /* counted in the fresh window */
	bool again;            /* was out before, with a deliver that is gone */
	bool look;             /* has, or may have, recipients that are due and not out */
	bool whole;            /* out are all recipients the tables have of it */
	bool in_file;
	uint64_t arrived_us;
	struct out_rcpt *out;
	unsigned out_count;
	unsigned out_left; /* not settled */
	unsigned stay;     /* settled, and their rows stay */
};

/* One deliver's channel. */
struct lane {
	TAILQ_ENTRY(lane) link;
	struct channel *channel; /* NULL: nobody's, what goes there is refused */
	unsigned credit;
	bool voided; /* a sync failed: what it says counts no more */
	struct task_list out;
};

struct schedule;

/* What a schedule may hold. */
struct schedule_bounds {
	unsigned fresh; /* messages ready that were just committed */
	unsigned rows;  /* messages ready that were read from the tables */
	unsigned tasks; /* ready and out together */
	size_t octets;  /* of bodies kept for their first delivery */
	size_t *all;    /* such octets of all schedules together, counted by each */
	size_t all_most;
};

/* <horizon_us>: no honest row falls due later than that from now (the clock was set back).
 * NULL when memory is out. */
struct schedule *schedule_new(struct schedule_bounds bounds, struct table_secret secret,
                              uint64_t horizon_us);
struct schedule *schedule_free(struct schedule *s);

/* Another horizon from now on: rows beyond it become due. */
void schedule_horizon(struct schedule *s, uint64_t horizon_us);

/* ---- delivers ---- */

struct lane *schedule_lane_new(struct schedule *s, struct channel *c);
struct lane *schedule_lane(const struct schedule *s, const struct channel *c);
/* What was out with it is ready again, and may have been delivered. */
void schedule_lane_drop(struct schedule *s, struct lane *l);
/* Next lane to give to: the one with most credit, or NULL. */
struct lane *schedule_lane_best(const struct schedule *s);

/* The same, which then stands behind the others: those with equal credit take turns. */
struct lane *schedule_lane_turn(struct schedule *s);
/* Walk: NULL gives the first. */
struct lane *schedule_lane_next(const struct schedule *s, const struct lane *after);

/* ---- messages ---- */

struct task *schedule_find(const struct schedule *s, uint64_t id);

/* Is there room for another message's content? */
bool schedule_wants_letter(const struct schedule *s);

/* Just committed, due now. <letter> (or NULL) is the schedule's from here on. */
void schedule_add_fresh(struct schedule *s, uint64_t id, uint64_t arrived_us,
                        struct letter *letter);

/* Should due rows be read now? They follow schedule_cursor; at most that many. 0: no. */
unsigned schedule_wants_rows(struct schedule *s, uint64_t now_us);
/* Not before then will there be rows to read. 0: there may be now. */
uint64_t schedule_next_us(const struct schedule *s);
struct due schedule_cursor(const struct schedule *s);
/* <count> of <most> asked for came: fewer than <most> are all there are. */
void schedule_take_rows(struct schedule *s, const struct due *rows, unsigned count,
                        unsigned most, uint64_t now_us);

/* Rows beyond the horizon, which the cursor does not come by while honest ones lie before them.
 */
void schedule_take_far(struct schedule *s, const struct due *rows, unsigned count);

/* Whether a row with this time may go out now. */
bool schedule_is_due(const struct schedule *s, uint64_t next_us, uint64_t now_us);

/* The first that is ready, or NULL; it stays until handed or dropped. */
struct task *schedule_first(const struct schedule *s);

/*
 * <t> goes out with <l>: copies <out>. False when memory is out, nothing has changed. To be
 * called before it is sent; schedule_unhand takes it back.
 */
bool schedule_hand(struct schedule *s, struct task *t, struct lane *l,
                   const struct out_rcpt *out, unsigned count);
void schedule_unhand(struct schedule *s, struct task *t);
/* It has been sent: its content is needed no more. */
void schedule_sent(struct schedule *s, struct task *t);

/* The recipient as it is out and not settled, or NULL. */
struct out_rcpt *task_out(const struct task *t, unsigned n);

/*
 * Rows of <id> were changed by the operator, and some may be gone or due: what is ready is read
 * anew, what is out looks at its rows again when it is settled.
 */
void schedule_reread(struct schedule *s, uint64_t id);

/* A row's next try was put off until then. */
void schedule_deferred(struct schedule *s, uint64_t next_us);

/*
 * All of <t> is settled: it leaves memory; or, where rows of it remain (<stays>) and some may
 * be due, it is ready again.
 */
void schedule_done(struct schedule *s, struct task *t, bool stays);

/* <t> cannot go out. */
void schedule_drop(struct schedule *s, struct task *t);

/* Changes were rolled back: what memory knows of rows may be wrong, look at all of them. */
void schedule_doubt(struct schedule *s);

/* Contents are read from the tables: routes may be others now. */
void schedule_forget_letters(struct schedule *s);

unsigned schedule_out_count(const struct schedule *s);
unsigned schedule_ready_count(const struct schedule *s);

/* Recipients that are out and not settled; looks at every message that is out. */
unsigned schedule_out_rcpts(const struct schedule *s);
/* And so many of these are held in the tables. */
unsigned schedule_out_held(const struct schedule *s);

#endif
