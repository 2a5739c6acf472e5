/*
 * spool.db as a file: opened, recovered, committed, checkpointed. See tables.h, and DESIGN's
 * "Storage"; the rows are rows.c.
 *
 * rcpt_due has only what waits, in the order of time: fresh mail is appended at its right end
 * and what is due is read from its left, so neither looks at the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "spool/tables_inside.h"

/*
 * One page and its overflow page take a usual message, and deleting it rewrites neither of
 * its overflow pages: of 4, 8, 16 and 32 KiB this needs the least CPU (doc/spool.md).
 */
#define PAGE_OCTETS 4096U

/* A route's rows lie together, in the order of time. */
#define RCPT_DUE "CREATE INDEX rcpt_due ON rcpt(route, next_us) WHERE state = 0;"

/* Mail of version 1 came from strangers and went into Maildirs. */
static const char *const upgrades[TABLES_FORMAT - 1] = {
	"ALTER TABLE mail ADD COLUMN origin TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE rcpt ADD COLUMN route TEXT NOT NULL DEFAULT '';"
	"DROP INDEX rcpt_due;" RCPT_DUE,
};

static const struct db_kind kind = {
	.name = "spool.db",
	.version = TABLES_FORMAT,
	.opening = "PRAGMA locking_mode = EXCLUSIVE;", /* and so no file of shared memory */
	.pragmas = "PRAGMA page_size = 4096;"
		   "PRAGMA auto_vacuum = INCREMENTAL;"
		   "PRAGMA temp_store = MEMORY;"
		   "PRAGMA journal_mode = WAL;"
		   "PRAGMA synchronous = FULL;"
		   "PRAGMA wal_autocheckpoint = 0;" /* ours: after the replies, not before */
		   "PRAGMA cache_spill = OFF;"      /* only COMMIT writes */
		   "PRAGMA cache_size = -4096;",
	.schema = "CREATE TABLE boot(count INTEGER NOT NULL);"
		  "INSERT INTO boot VALUES(0);"
		  /* body stands behind what is read without it */
		  "CREATE TABLE mail(id INTEGER PRIMARY KEY, seq INTEGER, arrived_us INTEGER,"
		  " flags INTEGER, size INTEGER, hash INTEGER, rcpts INTEGER, sum INTEGER,"
		  " client BLOB, sender TEXT, envid TEXT, helo TEXT, body BLOB,"
		  " origin TEXT NOT NULL DEFAULT '');"
		  "CREATE TABLE rcpt(id INTEGER, n INTEGER, state INTEGER, tries INTEGER,"
		  " next_us INTEGER, notify INTEGER, sum INTEGER, mailbox TEXT, orig TEXT,"
		  " orcpt TEXT, reply TEXT, route TEXT NOT NULL DEFAULT '',"
		  " PRIMARY KEY(id, n)) WITHOUT ROWID;" RCPT_DUE,
	.upgrades = upgrades,
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT_MAIL] = "INSERT INTO mail VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
	[PUT_RCPT] = "INSERT INTO rcpt VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
	[DROP_RCPT] = "DELETE FROM rcpt WHERE id = ?1 AND n = ?2 AND state = 0",
	[DROP_MAIL] = "DELETE FROM mail WHERE id = ?1",
	[DEFER] = "UPDATE rcpt SET tries = tries + 1, next_us = ?3, reply = ?4"
		  " WHERE id = ?1 AND n = ?2",
	[HOLD] = "UPDATE rcpt SET state = 1, tries = tries + 1, reply = ?3"
		 " WHERE id = ?1 AND n = ?2 AND state = 0",
	[MAIL] = "SELECT id, seq, arrived_us, flags, size, hash, rcpts, sum, client, sender,"
		 " envid, helo, body, origin FROM mail WHERE id = ?1",
	[HAS_MAIL] = "SELECT 1 FROM mail WHERE id = ?1",
	[HAS_RCPTS] = "SELECT 1 FROM rcpt WHERE id = ?1 LIMIT 1",
	[RCPTS] =
		"SELECT id, n, state, tries, next_us, notify, sum, mailbox, orig, orcpt, reply,"
		" route FROM rcpt WHERE id = ?1 ORDER BY n",
	[DUE] = "SELECT next_us, id, n FROM rcpt INDEXED BY rcpt_due"
		" WHERE state = 0 AND route = ?5 AND (next_us, id, n) > (?1, ?2, ?3)"
		" ORDER BY next_us, id, n LIMIT ?4",
	[NEXT_ROUTE] = "SELECT route FROM rcpt INDEXED BY rcpt_due"
		       " WHERE state = 0 AND route > ?1 ORDER BY route LIMIT 1",
	[REROUTE] = "UPDATE rcpt SET route = ?3 WHERE id = ?1 AND n = ?2",
	[LIST] = "SELECT r.id, r.n, r.state, r.tries, r.next_us, r.notify, r.sum, r.mailbox,"
		 " r.orig, r.orcpt, r.reply, r.route, m.size, m.rcpts, m.sender"
		 " FROM rcpt r LEFT JOIN mail m ON m.id = r.id"
		 " WHERE (r.id, r.n) > (?1, ?2) ORDER BY r.id, r.n",
	[CENSUS] = "SELECT id, n, state, route FROM rcpt WHERE (id, n) > (?1, ?2)"
		   " ORDER BY id, n LIMIT ?3",
	[OLDEST] = "SELECT min(id) FROM mail",
	[DROP_HELD] = "DELETE FROM rcpt WHERE id = ?1 AND n = ?2 AND state <> 0",
	[TRIED] = "UPDATE rcpt SET tries = tries + 1, reply = ?3 WHERE id = ?1 AND n = ?2",
	[MOVE] = "UPDATE rcpt SET state = ?4, next_us = ?5"
		 " WHERE id = ?1 AND n = ?2 AND state = ?3",
};

/* What an SQLite code means for the caller: tables.h. */
static const struct meaning {
	int code; /* primary */
	enum rc rc;
	int sys;
} meanings[] = {
	{SQLITE_FULL,       RC_TEMP, ENOSPC },
        {SQLITE_NOMEM,      RC_TEMP, ENOMEM },
	{SQLITE_BUSY,       RC_TEMP, EBUSY  },
        {SQLITE_CONSTRAINT, RC_PERM, EEXIST },
	{SQLITE_CORRUPT,    RC_PERM, EBADMSG},
        {SQLITE_NOTADB,     RC_PERM, EBADMSG},
};

enum rc
tables_failed(const struct tables *t, struct err *e, const char *doing)
{
	int code = sqlite3_extended_errcode(t->db);
	int number = errno; /* SQLite keeps none of its log: it is the last failed call's */
	enum rc rc = RC_TEMP;
	int sys = EIO;

	/* SQLite knows ENOSPC alone as "full"; a write that fails for these is no worse */
	if (code == SQLITE_IOERR_WRITE && (number == EDQUOT || number == EFBIG))
		sys = ENOSPC;
	for (size_t i = 0; i < LENGTH(meanings); i++)
		if (meanings[i].code == (code & 0xff)) {
			rc = meanings[i].rc;
			sys = meanings[i].sys;
		}
	/* it calls a file that cannot be read just now damaged (SQLITE_IOERR_CORRUPTFS) */
	if (sys == EBADMSG && number == EIO) {
		rc = RC_TEMP;
		sys = EIO;
	}
	(void)err_set(e, rc, "%s: %s (SQLite %d%s%s)", doing, sqlite3_errmsg(t->db), code,
	              sys == EIO && number != 0 ? ": " : "",
	              sys == EIO && number != 0 ? strerrordesc_np(number) : "");
	e->sys = sys;
	return rc;
}

enum rc
tables_damaged(struct err *e, const char *what, uint64_t id)
{
	(void)err_set(e, RC_PERM, "%s of row %llu is damaged", what, (unsigned long long)id);
	e->sys = EBADMSG;
	return RC_PERM;
}

enum rc
tables_run(struct tables *t, enum statement s, const char *doing, struct err *e)
{
	int code = sqlite3_step(t->st[s]);

	if (code != SQLITE_DONE)
		(void)tables_failed(t, e, doing);
	(void)sqlite3_reset(t->st[s]); /* repeats the failure of the step */
	return code == SQLITE_DONE ? RC_OK : e->rc;
}

static enum rc
execute(struct tables *t, const char *text, const char *doing, struct err *e)
{
	if (sqlite3_exec(t->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return tables_failed(t, e, doing);
	return RC_OK;
}

static enum rc
read_number(struct tables *t, const char *text, uint64_t *ret, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int64_t value;
	enum rc rc = db_prepare(t->db, text, &st, e);

	if (rc == RC_OK)
		rc = db_number(st, &value, e);
	if (rc == RC_OK)
		*ret = (uint64_t)value;
	(void)sqlite3_finalize(st); /* repeats the failure of the step */
	return rc;
}

/*
 * A failed sync is told once, and what it should have written looks clean ever after, though
 * the disk does not have it. If our predecessor died of one, or died before it could sync,
 * the log we are about to build on may be such pages: write each of them again and sync.
 * (What the database file lacks is still in the log: a checkpoint that failed to sync does not
 * shorten it.)
 */
static enum rc
rewrite_log(const char *path, struct err *e)
{
	static char room[65536];
	char name[256];
	struct buf b = BUF_ON(name);
	ssize_t n;
	off_t at = 0;

	buf_addf(&b, "%s-wal", path);
	if (b.cut)
		return err_set(e, RC_PERM, "%s: the name is too long", path);
	CLEANUP(fd_closep) int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? RC_OK : err_sys(e, "open %s", name);
	while ((n = pread(fd, room, sizeof(room), at)) > 0) {
		ssize_t wrote = pwrite(fd, room, (size_t)n, at);

		if (wrote <= 0)
			return err_sys(e, "write %s", name);
		at += wrote;
	}
	if (n < 0 || fdatasync(fd) < 0)
		return err_sys(e, "sync %s", name);
	return RC_OK;
}

static int
on_commit(void *arg, sqlite3 *db, const char *schema, int pages)
{
	struct tables *t = arg;

	(void)db;
	(void)schema;
	/* each page has a header of 24 octets */
	t->log_octets = (uint64_t)pages * (PAGE_OCTETS + 24);
	return SQLITE_OK;
}

static enum rc
checkpoint(struct tables *t, int mode, struct err *e)
{
	if (sqlite3_wal_checkpoint_v2(t->db, NULL, mode, NULL, NULL) != SQLITE_OK)
		return tables_failed(t, e, "checkpoint");
	t->log_octets = 0;
	return RC_OK;
}

/*
 * One walk through the recipients, which lie in order without their messages: a tenth of a
 * second for 100,000. count(*) of mail would read a page for each message. A page that cannot
 * be read costs the count, not the start.
 */
static void
count_rows(struct tables *t)
{
	sqlite3_stmt *st = NULL;
	sqlite3_int64 last = -1;
	int code = SQLITE_ERROR;
	struct err e;

	if (db_prepare(t->db, "SELECT id, state FROM rcpt ORDER BY id, n", &st, &e) != RC_OK)
		return;
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		sqlite3_int64 id = sqlite3_column_int64(st, 0);

		t->tally.messages += id != last;
		*(sqlite3_column_int64(st, 1) == ROW_WAITING ? &t->tally.waiting
		                                             : &t->tally.held) += 1;
		last = id;
	}
	(void)sqlite3_finalize(st); /* repeats the failure of the step */
	t->tally.counted = code == SQLITE_DONE;
}

static enum rc
prepare_all(struct tables *t, struct err *e)
{
	for (int i = 0; i < STATEMENTS; i++)
		if (db_prepare(t->db, sql[i], &t->st[i], e) != RC_OK)
			return e->rc;
	return RC_OK;
}

static enum rc
open_file(struct tables *t, const char *path, struct err *e)
{
	if (db_open(path, &kind, &t->db, e) != RC_OK)
		return e->rc;
	(void)sqlite3_extended_result_codes(t->db, 1); /* cannot fail on an open connection */
	(void)sqlite3_wal_hook(t->db, on_commit, t);   /* returns the one before */
	/* on a full disk the log stays: what it has can still be delivered */
	if (checkpoint(t, SQLITE_CHECKPOINT_TRUNCATE, e) != RC_OK && e->sys != ENOSPC)
		return e->rc;
	count_rows(t);
	return prepare_all(t, e);
}

enum rc
tables_open(const char *path, struct tables **ret, struct err *e)
{
	if (rewrite_log(path, e) != RC_OK)
		return e->rc;
	struct tables *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return err_sys(e, "open %s", path);
	if (open_file(t, path, e) != RC_OK) {
		(void)tables_close(t);
		return e->rc;
	}
	*ret = t;
	return RC_OK;
}

struct tables *
tables_close(struct tables *t)
{
	if (t == NULL)
		return NULL;
	for (int i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(t->st[i]); /* repeats its last failure */
	(void)db_close(t->db);
	free(t);
	return NULL;
}

enum rc
tables_boot(struct tables *t, uint32_t *ret, struct err *e)
{
	uint64_t count;

	if (execute(t, "UPDATE boot SET count = count + 1", "count a start", e) != RC_OK ||
	    read_number(t, "SELECT count FROM boot", &count, e) != RC_OK)
		return e->rc;
	if (count == 0 || count > INT32_MAX)
		return tables_damaged(e, "the count of starts", count);
	*ret = (uint32_t)count;
	return RC_OK;
}

enum rc
tables_begin(struct tables *t, struct err *e)
{
	if (t->open_changes)
		return RC_OK;
	if (tables_run(t, BEGIN, "begin", e) != RC_OK)
		return e->rc;
	t->open_changes = true;
	t->tally_before = t->tally;
	return RC_OK;
}

enum rc
tables_commit(struct tables *t, struct err *e)
{
	if (!t->open_changes)
		return RC_OK;
	if (tables_run(t, COMMIT, "commit", e) != RC_OK)
		return e->rc;
	t->open_changes = false;
	return RC_OK;
}

void
tables_rollback(struct tables *t)
{
	if (t->open_changes)
		t->tally = t->tally_before;
	t->open_changes = false;
	/* some failures have rolled back by themselves */
	if (sqlite3_get_autocommit(t->db) == 0)
		(void)sqlite3_exec(t->db, "ROLLBACK", NULL, NULL, NULL);
}

bool
tables_open_changes(const struct tables *t)
{
	return t->open_changes;
}

struct tally
tables_tally(const struct tables *t)
{
	return t->tally;
}

sqlite3 *
tables_connection(struct tables *t)
{
	return t->db;
}

uint64_t
tables_log_octets(const struct tables *t)
{
	return t->log_octets;
}

enum rc
tables_checkpoint(struct tables *t, struct err *e)
{
	return checkpoint(t, SQLITE_CHECKPOINT_PASSIVE, e);
}

enum rc
tables_shrink(struct tables *t, unsigned keep, unsigned pages, struct err *e)
{
	char text[64];
	struct buf b = BUF_ON(text);
	uint64_t unused;

	if (read_number(t, "PRAGMA freelist_count", &unused, e) != RC_OK)
		return e->rc;
	if (unused <= keep)
		return RC_OK;
	buf_addf(&b, "PRAGMA incremental_vacuum(%u)", pages);
	return execute(t, text, "shrink", e);
}
