/*
 * spool.db: every statement that touches accepted mail. The format is described in tables.c;
 * the folder of the process is its working directory, and nobody else opens the file.
 *
 * Changes gather in one transaction that tables_begin opens and tables_commit makes durable
 * (WAL, synchronous=FULL). Failures say in e->sys what they mean for the caller:
 *   ENOSPC   no room: roll back, mail waits, the process goes on
 *   ENOMEM   likewise
 *   EIO      the file can no longer be trusted to sync: roll nothing, touch nothing, exit
 *   EBADMSG  what is stored is damaged (RC_PERM)
 *   EEXIST   that row is there already (RC_PERM)
 *   ENOENT   there is no such row (RC_PERM)
 */
#ifndef SPOOL_TABLES_H
#define SPOOL_TABLES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"
#include "base/str.h"

#define TABLES_FORMAT 2 /* user_version of spool.db; a newer one is refused */

struct tables;

/* As queue_answer's rows say it; ROW_OUT is never stored. */
enum row_state { ROW_WAITING, ROW_HELD, ROW_OUT };

/* One message; texts are the caller's when written, the statement's when read. */
struct mail_row {
	uint64_t id;
	uint64_t seq; /* boot count << 32 | number within it: never used twice */
	uint64_t arrived_us;
	uint32_t flags; /* MAIL_... */
	uint64_t size;  /* octets of the body */
	uint64_t hash;  /* XXH3 of the body */
	unsigned rcpts; /* recipients it came with */
	struct netaddr client;
	struct str sender;
	struct str envid;
	struct str helo;
	struct str origin; /* who proved to have sent it; empty: a stranger */
	struct str body;   /* empty where MAIL_IN_FILE */
};

struct rcpt_row {
	uint64_t id;
	unsigned n;
	uint8_t notify; /* NOTIFY_... */
	enum row_state state;
	uint32_t tries;
	uint64_t next_us; /* wall clock of the next try */
	struct str mailbox;
	struct str orig;
	struct str orcpt;
	struct str reply; /* of the last try */
	struct str route; /* by which it goes out: route.h */
};

/* How many rows there are, those of the open transaction among them. */
struct tally {
	uint64_t messages;
	uint64_t waiting; /* recipients, out ones among them */
	uint64_t held;    /* recipients */
	bool counted;     /* else tables_open could not read them all: too few */
};

/* A place in the order in which recipients fall due. */
struct due {
	uint64_t us;
	uint64_t id;
	unsigned n;
};

/* A recipient with what the queue listing shows of its message. */
struct listed {
	struct rcpt_row rcpt;
	uint64_t size;
	unsigned rcpts;
	struct str sender;
};

/*
 * Open or create <path> and bring what a crash left in its log into the file. RC_PERM: not
 * ours, damaged, or written by a newer version; nothing was changed.
 */
enum rc tables_open(const char *path, struct tables **ret, struct err *e) MUST_CHECK;

/* The log goes into the file first. After EIO do not: leave it open until the process ends. */
struct tables *tables_close(struct tables *t);

/* Count this start, durably: the upper half of every seq. */
enum rc tables_boot(struct tables *t, uint32_t *ret, struct err *e) MUST_CHECK;

/* Idempotent. */
enum rc tables_begin(struct tables *t, struct err *e) MUST_CHECK;
/* All since tables_begin is durable, or (any failure) none of it is promised. */
enum rc tables_commit(struct tables *t, struct err *e) MUST_CHECK;
void tables_rollback(struct tables *t);
bool tables_open_changes(const struct tables *t);

/* Inside a transaction. */
enum rc tables_put_mail(struct tables *t, const struct mail_row *m, struct err *e) MUST_CHECK;
enum rc tables_put_rcpt(struct tables *t, const struct rcpt_row *r, struct err *e) MUST_CHECK;
enum rc tables_drop_rcpt(struct tables *t, uint64_t id, unsigned n, struct err *e) MUST_CHECK;
enum rc tables_drop_mail(struct tables *t, uint64_t id, struct err *e) MUST_CHECK;
/* One more try has failed; the next one comes at <next_us>, or, held, never. */
enum rc tables_defer(struct tables *t, uint64_t id, unsigned n, uint64_t next_us,
                     struct str reply, struct err *e) MUST_CHECK;
enum rc tables_hold(struct tables *t, uint64_t id, unsigned n, struct str reply,
                    struct err *e) MUST_CHECK;
/* As the operator wants it: out of state <from> into <to>; the next try at <next_us>. */
enum rc tables_move(struct tables *t, uint64_t id, unsigned n, enum row_state from,
                    enum row_state to, uint64_t next_us, struct err *e) MUST_CHECK;

/* Texts of *ret live until tables_mail_end. */
enum rc tables_mail(struct tables *t, uint64_t id, struct mail_row *ret,
                    struct err *e) MUST_CHECK;
void tables_mail_end(struct tables *t);
bool tables_has_mail(struct tables *t, uint64_t id);
/* RC_OK, or ENOENT. */
enum rc tables_has_rcpts(struct tables *t, uint64_t id, struct err *e) MUST_CHECK;

/*
 * The recipients of one message: tables_rcpts, then tables_rcpt_next until RC_AGAIN. RC_PERM
 * with EBADMSG: this one is damaged, ret->id and ret->n say which; the walk may go on. RC_TEMP:
 * it may not. Texts live until the next call.
 */
void tables_rcpts(struct tables *t, uint64_t id);
enum rc tables_rcpt_next(struct tables *t, struct rcpt_row *ret, struct err *e) MUST_CHECK;
void tables_rcpts_end(struct tables *t);

/* At most <most> recipients that wait for this route, after <after> in the order of their
 * times. */
enum rc tables_due(struct tables *t, struct str route, struct due after, unsigned most,
                   struct due *ret, unsigned *ret_count, struct err *e) MUST_CHECK;

/* The first route after <after>, in octet order, that somebody waits for; it is added to <ret>.
 * ENOENT: there is none. */
enum rc tables_next_route(struct tables *t, struct str after, struct buf *ret,
                          struct err *e) MUST_CHECK;
/* Inside a transaction. */
enum rc tables_reroute(struct tables *t, uint64_t id, unsigned n, struct str route,
                       struct err *e) MUST_CHECK;

/* For the operator: the rows after (id, n) in order, with tables_list_next until RC_AGAIN. */
void tables_list(struct tables *t, uint64_t id, unsigned n);
enum rc tables_list_next(struct tables *t, struct listed *ret, struct err *e) MUST_CHECK;
void tables_list_end(struct tables *t); /* an open walk would hold up the checkpoint */

/* What a count of them all looks at. */
struct census_row {
	uint64_t id;
	unsigned n;
	enum row_state state;
	struct str route;
};

/* At most <most> rows after (id, n) in order, with tables_census_next until RC_AGAIN. */
void tables_census(struct tables *t, uint64_t id, unsigned n, unsigned most);
enum rc tables_census_next(struct tables *t, struct census_row *ret, struct err *e) MUST_CHECK;

/* Counted once by tables_open, kept since then. */
struct tally tables_tally(const struct tables *t);
/* The least id of a message, which came first; 0: there is none. */
enum rc tables_oldest(struct tables *t, uint64_t *ret, struct err *e) MUST_CHECK;

/* For a copy of it (db_copy.h). */
struct sqlite3;
struct sqlite3 *tables_connection(struct tables *t);

/* Octets of the log; bring it into the file and let it start anew. */
uint64_t tables_log_octets(const struct tables *t);
enum rc tables_checkpoint(struct tables *t, struct err *e) MUST_CHECK;

/* Give up to <pages> free pages back to the file system, where more than <keep> are free. */
enum rc tables_shrink(struct tables *t, unsigned keep, unsigned pages,
                      struct err *e) MUST_CHECK;

#endif
