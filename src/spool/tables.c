/*
 * spool.db through SQLite. See tables.h, and DESIGN's "Storage".
 *
 * rcpt_due has only what waits, in the order of time: fresh mail is appended at its right end
 * and what is due is read from its left, so neither looks at the rest. Each row carries a sum
 * over what never changes in it: a damaged envelope is held, not delivered elsewhere.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/fd.h"
#include "db/db.h"
#include "spool/tables.h"

/*
 * One page and its overflow page take a usual message, and deleting it rewrites neither of
 * its overflow pages: of 4, 8, 16 and 32 KiB this needs the least CPU (doc/spool.md).
 */
#define PAGE_OCTETS 4096U

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
		  /* body stands last: the columns before it are read without it */
		  "CREATE TABLE mail(id INTEGER PRIMARY KEY, seq INTEGER, arrived_us INTEGER,"
		  " flags INTEGER, size INTEGER, hash INTEGER, rcpts INTEGER, sum INTEGER,"
		  " client BLOB, sender TEXT, envid TEXT, helo TEXT, body BLOB);"
		  "CREATE TABLE rcpt(id INTEGER, n INTEGER, state INTEGER, tries INTEGER,"
		  " next_us INTEGER, notify INTEGER, sum INTEGER, mailbox TEXT, orig TEXT,"
		  " orcpt TEXT, reply TEXT, PRIMARY KEY(id, n)) WITHOUT ROWID;"
		  "CREATE INDEX rcpt_due ON rcpt(next_us) WHERE state = 0;",
};

enum statement {
	BEGIN,
	COMMIT,
	PUT_MAIL,
	PUT_RCPT,
	DROP_RCPT,
	DROP_MAIL,
	DEFER,
	HOLD,
	MAIL,
	HAS_MAIL,
	HAS_RCPTS,
	RCPTS,
	DUE,
	LIST,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT_MAIL] = "INSERT INTO mail VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
	[PUT_RCPT] = "INSERT INTO rcpt VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
	[DROP_RCPT] = "DELETE FROM rcpt WHERE id = ?1 AND n = ?2",
	[DROP_MAIL] = "DELETE FROM mail WHERE id = ?1",
	[DEFER] = "UPDATE rcpt SET tries = tries + 1, next_us = ?3, reply = ?4"
		  " WHERE id = ?1 AND n = ?2",
	[HOLD] = "UPDATE rcpt SET state = 1, tries = tries + 1, reply = ?3"
		 " WHERE id = ?1 AND n = ?2",
	[MAIL] = "SELECT id, seq, arrived_us, flags, size, hash, rcpts, sum, client, sender,"
		 " envid, helo, body FROM mail WHERE id = ?1",
	[HAS_MAIL] = "SELECT 1 FROM mail WHERE id = ?1",
	[HAS_RCPTS] = "SELECT 1 FROM rcpt WHERE id = ?1 LIMIT 1",
	[RCPTS] =
		"SELECT id, n, state, tries, next_us, notify, sum, mailbox, orig, orcpt, reply"
		" FROM rcpt WHERE id = ?1 ORDER BY n",
	[DUE] = "SELECT next_us, id, n FROM rcpt INDEXED BY rcpt_due"
		" WHERE state = 0 AND (next_us, id, n) > (?1, ?2, ?3)"
		" ORDER BY next_us, id, n LIMIT ?4",
	[LIST] = "SELECT r.id, r.n, r.state, r.tries, r.next_us, r.notify, r.sum, r.mailbox,"
		 " r.orig, r.orcpt, r.reply, m.size, m.rcpts, m.sender"
		 " FROM rcpt r LEFT JOIN mail m ON m.id = r.id"
		 " WHERE (r.id, r.n) > (?1, ?2) ORDER BY r.id, r.n",
};

struct tables {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	bool open_changes;
	uint64_t log_octets;
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

static enum rc
failed(const struct tables *t, struct err *e, const char *doing)
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
	(void)err_set(e, rc, "%s: %s (SQLite %d%s%s)", doing, sqlite3_errmsg(t->db), code,
	              sys == EIO && number != 0 ? ": " : "",
	              sys == EIO && number != 0 ? strerrordesc_np(number) : "");
	e->sys = sys;
	return rc;
}

static enum rc
damaged(struct err *e, const char *what, uint64_t id)
{
	(void)err_set(e, RC_PERM, "%s of row %llu is damaged", what, (unsigned long long)id);
	e->sys = EBADMSG;
	return RC_PERM;
}

static enum rc
missing(struct err *e, uint64_t id)
{
	(void)err_set(e, RC_PERM, "there is no row %llu", (unsigned long long)id);
	e->sys = ENOENT;
	return RC_PERM;
}

/* Binding numbers and static texts to a parameter that exists cannot fail. */
static void
bind_number(sqlite3_stmt *st, int at, uint64_t value)
{
	(void)sqlite3_bind_int64(st, at, (sqlite3_int64)value);
}

static uint64_t
column_number(sqlite3_stmt *st, int at)
{
	return (uint64_t)sqlite3_column_int64(st, at);
}

/* As stored, whatever type a damaged file gives it. */
static struct str
column_str(sqlite3_stmt *st, int at)
{
	const char *p = sqlite3_column_blob(st, at);

	return (struct str){p == NULL ? "" : p, (size_t)sqlite3_column_bytes(st, at)};
}

/* Run a statement that returns no row. */
static enum rc
run(struct tables *t, enum statement s, const char *doing, struct err *e)
{
	int code = sqlite3_step(t->st[s]);

	if (code != SQLITE_DONE)
		(void)failed(t, e, doing);
	(void)sqlite3_reset(t->st[s]); /* repeats the failure of the step */
	return code == SQLITE_DONE ? RC_OK : e->rc;
}

/* RC_OK: there is a row. */
static enum rc
look_up(struct tables *t, enum statement s, uint64_t id, struct err *e)
{
	bind_number(t->st[s], 1, id);
	int code = sqlite3_step(t->st[s]);

	if (code == SQLITE_DONE)
		(void)missing(e, id);
	else if (code != SQLITE_ROW)
		(void)failed(t, e, "look up");
	(void)sqlite3_reset(t->st[s]);
	return code == SQLITE_ROW ? RC_OK : e->rc;
}

static enum rc
execute(struct tables *t, const char *text, const char *doing, struct err *e)
{
	if (sqlite3_exec(t->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return failed(t, e, doing);
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
		return failed(t, e, "checkpoint");
	t->log_octets = 0;
	return RC_OK;
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
		(void)tables_close(t, true);
		return e->rc;
	}
	*ret = t;
	return RC_OK;
}

struct tables *
tables_close(struct tables *t, bool trusted)
{
	/* closing an SQLite database checkpoints it; a file whose sync failed is left alone,
	 * its memory goes with the process */
	if (t == NULL || !trusted)
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
		return damaged(e, "the count of starts", count);
	*ret = (uint32_t)count;
	return RC_OK;
}

enum rc
tables_begin(struct tables *t, struct err *e)
{
	if (t->open_changes)
		return RC_OK;
	if (run(t, BEGIN, "begin", e) != RC_OK)
		return e->rc;
	t->open_changes = true;
	return RC_OK;
}

enum rc
tables_commit(struct tables *t, struct err *e)
{
	if (!t->open_changes)
		return RC_OK;
	if (run(t, COMMIT, "commit", e) != RC_OK)
		return e->rc;
	t->open_changes = false;
	return RC_OK;
}

void
tables_rollback(struct tables *t)
{
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

static uint64_t
sum_of(const uint64_t *numbers, size_t count, const struct str *texts, size_t texts_count)
{
	uint64_t le[8] = {0};

	for (size_t i = 0; i < count; i++)
		le[i] = htole64(numbers[i]);
	uint64_t sum = XXH3_64bits(le, sizeof(le));
	for (size_t i = 0; i < texts_count; i++)
		sum = XXH3_64bits_withSeed(texts[i].p, texts[i].n, sum);
	return sum;
}

static uint64_t
mail_sum(const struct mail_row *m)
{
	const uint64_t numbers[] = {m->id,   m->seq,  m->arrived_us, m->flags,
	                            m->size, m->hash, m->rcpts};
	const struct str texts[] = {
		{(const char *)m->client.octets, sizeof(m->client.octets)},
		m->sender,
		m->envid,
		m->helo
        };

	return sum_of(numbers, LENGTH(numbers), texts, LENGTH(texts));
}

static uint64_t
rcpt_sum(const struct rcpt_row *r)
{
	const uint64_t numbers[] = {r->id, r->n, r->notify};
	const struct str texts[] = {r->mailbox, r->orig, r->orcpt};

	return sum_of(numbers, LENGTH(numbers), texts, LENGTH(texts));
}

enum rc
tables_put_mail(struct tables *t, const struct mail_row *m, struct err *e)
{
	sqlite3_stmt *st = t->st[PUT_MAIL];

	bind_number(st, 1, m->id);
	bind_number(st, 2, m->seq);
	bind_number(st, 3, m->arrived_us);
	bind_number(st, 4, m->flags);
	bind_number(st, 5, m->size);
	bind_number(st, 6, m->hash);
	bind_number(st, 7, m->rcpts);
	bind_number(st, 8, mail_sum(m));
	(void)sqlite3_bind_blob(st, 9, m->client.octets, sizeof(m->client.octets),
	                        SQLITE_STATIC);
	db_bind_str(st, 10, m->sender);
	db_bind_str(st, 11, m->envid);
	db_bind_str(st, 12, m->helo);
	(void)sqlite3_bind_blob(st, 13, m->body.n == 0 ? "" : m->body.p, (int)m->body.n,
	                        SQLITE_STATIC);
	return run(t, PUT_MAIL, "keep a message", e);
}

enum rc
tables_put_rcpt(struct tables *t, const struct rcpt_row *r, struct err *e)
{
	sqlite3_stmt *st = t->st[PUT_RCPT];

	bind_number(st, 1, r->id);
	bind_number(st, 2, r->n);
	bind_number(st, 3, r->state);
	bind_number(st, 4, r->tries);
	bind_number(st, 5, r->next_us);
	bind_number(st, 6, r->notify);
	bind_number(st, 7, rcpt_sum(r));
	db_bind_str(st, 8, r->mailbox);
	db_bind_str(st, 9, r->orig);
	db_bind_str(st, 10, r->orcpt);
	db_bind_str(st, 11, r->reply);
	return run(t, PUT_RCPT, "keep a recipient", e);
}

enum rc
tables_drop_rcpt(struct tables *t, uint64_t id, unsigned n, struct err *e)
{
	bind_number(t->st[DROP_RCPT], 1, id);
	bind_number(t->st[DROP_RCPT], 2, n);
	return run(t, DROP_RCPT, "remove a recipient", e);
}

enum rc
tables_drop_mail(struct tables *t, uint64_t id, struct err *e)
{
	bind_number(t->st[DROP_MAIL], 1, id);
	return run(t, DROP_MAIL, "remove a message", e);
}

enum rc
tables_defer(struct tables *t, uint64_t id, unsigned n, uint64_t next_us, struct str reply,
             struct err *e)
{
	sqlite3_stmt *st = t->st[DEFER];

	bind_number(st, 1, id);
	bind_number(st, 2, n);
	bind_number(st, 3, next_us);
	db_bind_str(st, 4, reply);
	return run(t, DEFER, "defer a recipient", e);
}

enum rc
tables_hold(struct tables *t, uint64_t id, unsigned n, struct str reply, struct err *e)
{
	sqlite3_stmt *st = t->st[HOLD];

	bind_number(st, 1, id);
	bind_number(st, 2, n);
	db_bind_str(st, 3, reply);
	return run(t, HOLD, "hold a recipient", e);
}

static void
read_mail(sqlite3_stmt *st, struct mail_row *m)
{
	struct str client = column_str(st, 8);

	*m = (struct mail_row){
		.id = column_number(st, 0),
		.seq = column_number(st, 1),
		.arrived_us = column_number(st, 2),
		.flags = (uint32_t)column_number(st, 3),
		.size = column_number(st, 4),
		.hash = column_number(st, 5),
		.rcpts = (unsigned)column_number(st, 6),
		.sender = column_str(st, 9),
		.envid = column_str(st, 10),
		.helo = column_str(st, 11),
		.body = column_str(st, 12),
	};
	if (client.n == sizeof(m->client.octets))
		memcpy(m->client.octets, client.p, client.n);
}

enum rc
tables_mail(struct tables *t, uint64_t id, struct mail_row *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[MAIL];

	(void)sqlite3_reset(st); /* repeats the failure of an earlier step */
	bind_number(st, 1, id);
	int code = sqlite3_step(st);
	if (code == SQLITE_DONE)
		return missing(e, id);
	if (code != SQLITE_ROW)
		return failed(t, e, "read a message");
	read_mail(st, ret);
	if (ret->id != id || column_number(st, 7) != mail_sum(ret))
		return damaged(e, "the envelope", id);
	if (ret->body.n > 0 && XXH3_64bits(ret->body.p, ret->body.n) != ret->hash)
		return damaged(e, "the body", id);
	return RC_OK;
}

void
tables_mail_end(struct tables *t)
{
	(void)sqlite3_reset(t->st[MAIL]); /* repeats the failure of the step */
}

bool
tables_has_mail(struct tables *t, uint64_t id)
{
	struct err e;

	/* where it cannot be read, nobody must take it for gone */
	return look_up(t, HAS_MAIL, id, &e) == RC_OK || e.sys != ENOENT;
}

enum rc
tables_has_rcpts(struct tables *t, uint64_t id, struct err *e)
{
	return look_up(t, HAS_RCPTS, id, e);
}

static void
read_rcpt(sqlite3_stmt *st, struct rcpt_row *r)
{
	*r = (struct rcpt_row){
		.id = column_number(st, 0),
		.n = (unsigned)column_number(st, 1),
		.state = column_number(st, 2) == ROW_WAITING ? ROW_WAITING : ROW_HELD,
		.tries = (uint32_t)column_number(st, 3),
		.next_us = column_number(st, 4),
		.notify = (uint8_t)column_number(st, 5),
		.mailbox = column_str(st, 7),
		.orig = column_str(st, 8),
		.orcpt = column_str(st, 9),
		.reply = column_str(st, 10),
	};
}

void
tables_rcpts(struct tables *t, uint64_t id)
{
	(void)sqlite3_reset(t->st[RCPTS]); /* repeats the failure of an earlier step */
	bind_number(t->st[RCPTS], 1, id);
}

enum rc
tables_rcpt_next(struct tables *t, struct rcpt_row *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[RCPTS];
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW) {
		read_rcpt(st, ret);
		return column_number(st, 6) == rcpt_sum(ret)
		               ? RC_OK
		               : damaged(e, "a recipient", ret->id);
	}
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	if (code == SQLITE_DONE)
		return RC_AGAIN;
	(void)failed(t, e, "read recipients");
	return e->rc = RC_TEMP; /* not one recipient, but the walk */
}

void
tables_rcpts_end(struct tables *t)
{
	(void)sqlite3_reset(t->st[RCPTS]); /* repeats the failure of the step */
}

enum rc
tables_due(struct tables *t, struct due after, unsigned most, struct due *ret,
           unsigned *ret_count, struct err *e)
{
	sqlite3_stmt *st = t->st[DUE];
	unsigned count = 0;
	int code;

	bind_number(st, 1, after.us);
	bind_number(st, 2, after.id);
	bind_number(st, 3, after.n);
	bind_number(st, 4, most);
	while ((code = sqlite3_step(st)) == SQLITE_ROW && count < most)
		ret[count++] = (struct due){.us = column_number(st, 0),
		                            .id = column_number(st, 1),
		                            .n = (unsigned)column_number(st, 2)};
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		(void)failed(t, e, "read what is due");
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	*ret_count = count;
	return code == SQLITE_DONE || code == SQLITE_ROW ? RC_OK : e->rc;
}

void
tables_list(struct tables *t, uint64_t id, unsigned n)
{
	(void)sqlite3_reset(t->st[LIST]); /* repeats the failure of an earlier step */
	bind_number(t->st[LIST], 1, id);
	bind_number(t->st[LIST], 2, n);
}

enum rc
tables_list_next(struct tables *t, struct listed *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[LIST];
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW) {
		read_rcpt(st, &ret->rcpt);
		ret->size = column_number(st, 11);
		ret->rcpts = (unsigned)column_number(st, 12);
		ret->sender = column_str(st, 13);
		return RC_OK;
	}
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	return code == SQLITE_DONE ? RC_AGAIN : failed(t, e, "list the queue");
}

void
tables_list_end(struct tables *t)
{
	(void)sqlite3_reset(t->st[LIST]); /* repeats the failure of the step */
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
