/*
 * The journal over SQLite. See records.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/db.h"
#include "store/records.h"

#define FORGET_LEAST 64 /* rows: so that not every write is followed by a forgetting */

struct records {
	sqlite3 *db;
	struct records_limits limits;
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
	sqlite3_stmt *add;
	sqlite3_stmt *read;
	sqlite3_stmt *pages;
	sqlite3_stmt *free_pages;
	sqlite3_stmt *page_octets;
	sqlite3_stmt *rows;
	sqlite3_stmt *oldest;
	sqlite3_stmt *forget;
	sqlite3_stmt *forget_old;
};

/*
 * synchronous = NORMAL: a power cut may take the last seconds' decisions, never the file;
 * they are in the log too. Nobody else opens the file, so locks and WAL index stay in memory.
 */
static const struct db_kind kind = {
	.name = RECORDS_FILE,
	.version = RECORDS_VERSION,
	.opening = "PRAGMA locking_mode = EXCLUSIVE;",
	.pragmas = "PRAGMA auto_vacuum = INCREMENTAL;" /* writes, even what is so already */
		   "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		   "PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;"
		   "PRAGMA trusted_schema = OFF;",
	/* <n> counts in the order of coming; ids sort by time, so the index grows at its end */
	.schema = "CREATE TABLE records ("
		  " n INTEGER PRIMARY KEY,"
		  " id INTEGER NOT NULL,"
		  " at_us INTEGER NOT NULL,"
		  " fields TEXT NOT NULL"
		  ") STRICT;"
		  "CREATE INDEX records_id ON records (id, at_us);",
};

static enum rc
prepare(struct records *r, struct err *e)
{
	const struct {
		sqlite3_stmt **to;
		const char *sql;
	} rows[] = {
		{&r->begin,       "BEGIN IMMEDIATE"									   },
		{&r->commit,      "COMMIT"										    },
		{&r->add,         "INSERT INTO records (id, at_us, fields) VALUES (?1, ?2, ?3)"                               },
		{&r->read,        "SELECT at_us, fields FROM records WHERE id = ?1"
	                   " ORDER BY at_us, n LIMIT ?2 OFFSET ?3"                                  },
		{&r->pages,       "PRAGMA page_count"									 },
		{&r->free_pages,  "PRAGMA freelist_count"								     },
		{&r->page_octets, "PRAGMA page_size"									  },
		{&r->rows,        "SELECT coalesce((SELECT max(n) FROM records)"
	                   " - (SELECT min(n) FROM records) + 1, 0)"                                },
		{&r->oldest,
	         "SELECT coalesce((SELECT at_us FROM records ORDER BY n LIMIT 1), ?1)"                                        },
		{&r->forget,      "DELETE FROM records WHERE n < (SELECT min(n) FROM records) + ?1"                           },
		{&r->forget_old,  "DELETE FROM records"
	                         " WHERE n < (SELECT min(n) FROM records) + ?1 AND at_us < ?2"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (db_prepare(r->db, rows[i].sql, rows[i].to, e) != RC_OK)
			return e->rc;
	return RC_OK;
}

enum rc
records_open(const struct records_limits *limits, struct records **ret, struct err *e)
{
	struct records *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_sys(e, "open " RECORDS_FILE);
	r->limits = *limits;
	if (db_open(RECORDS_FILE, &kind, &r->db, e) != RC_OK || prepare(r, e) != RC_OK) {
		(void)records_close(r);
		return e->rc;
	}
	*ret = r;
	return RC_OK;
}

void
records_limit(struct records *r, const struct records_limits *limits)
{
	r->limits = *limits;
}

sqlite3 *
records_connection(struct records *r)
{
	return r->db;
}

struct records *
records_close(struct records *r)
{
	if (r == NULL)
		return NULL;
	(void)db_close(r->db);
	free(r);
	return NULL;
}

/* A file that is not there need not move. */
static enum rc
move(const char *from, const char *to, struct err *e)
{
	if (rename(from, to) < 0 && errno != ENOENT)
		return err_sys(e, "rename %s", from);
	return RC_OK;
}

enum rc
records_set_aside(struct err *e)
{
	/* the WAL first: a file without it is older, a WAL without its file is another's */
	if (move(RECORDS_FILE "-wal", RECORDS_ASIDE_FILE "-wal", e) != RC_OK)
		return e->rc;
	return move(RECORDS_FILE, RECORDS_ASIDE_FILE, e);
}

static enum rc
write_all(struct records *r, const struct waiting *w, struct err *e)
{
	const struct waiting_at *at = NULL;
	struct record record;

	while (waiting_next(w, &at, &record)) {
		/* the places are there */
		(void)sqlite3_bind_int64(r->add, 1, (sqlite3_int64)record.id);
		(void)sqlite3_bind_int64(r->add, 2, (sqlite3_int64)record.at_us);
		db_bind_str(r->add, 3, record.fields);
		if (db_run(r->add, e) != RC_OK)
			return e->rc;
	}
	return RC_OK;
}

enum rc
records_write(struct records *r, struct waiting *w, struct err *e)
{
	if (waiting_count(w) == 0)
		return RC_OK;
	if (db_run(r->begin, e) == RC_OK && write_all(r, w, e) == RC_OK &&
	    db_run(r->commit, e) == RC_OK) {
		waiting_drop(w, waiting_count(w));
		return RC_OK;
	}
	(void)sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL); /* <e> has the cause */
	return e->rc;
}

/* Octets that rows and index take, of all the file's. */
static enum rc
octets_of(struct records *r, uint64_t *ret_used, uint64_t *ret_free, struct err *e)
{
	int64_t pages;
	int64_t unused;
	int64_t octets;

	if (db_number(r->pages, &pages, e) != RC_OK ||
	    db_number(r->free_pages, &unused, e) != RC_OK ||
	    db_number(r->page_octets, &octets, e) != RC_OK)
		return e->rc;
	*ret_used = (uint64_t)((pages - unused) * octets);
	*ret_free = (uint64_t)(unused * octets);
	return RC_OK;
}

/* A file that was larger gives its pages back; in balance they are used again instead. */
static enum rc
give_back(struct records *r, uint64_t used, uint64_t unused, bool *ret_more, struct err *e)
{
	*ret_more = unused > used / 4 + (1U << 20);
	return *ret_more ? db_exec(r->db, "PRAGMA incremental_vacuum(1024)", e) : RC_OK;
}

static enum rc
forget_old(struct records *r, uint64_t now_us, bool *ret_more, struct err *e)
{
	uint64_t limit = now_us > r->limits.age_us ? now_us - r->limits.age_us : 0;
	int64_t oldest;

	(void)sqlite3_bind_int64(r->oldest, 1, (sqlite3_int64)now_us); /* the place is there */
	if (db_number(r->oldest, &oldest, e) != RC_OK)
		return e->rc;
	*ret_more = oldest >= 0 && (uint64_t)oldest < limit;
	if (!*ret_more)
		return RC_OK;
	(void)sqlite3_bind_int64(r->forget_old, 1, RECORDS_FORGET_MAX);
	(void)sqlite3_bind_int64(r->forget_old, 2, (sqlite3_int64)limit);
	return db_run(r->forget_old, e);
}

/* As large a part of the rows as is too much, and a few more. */
static enum rc
forget_part(struct records *r, uint64_t used, struct err *e)
{
	uint64_t over = used - r->limits.octets;
	int64_t rows;

	if (db_number(r->rows, &rows, e) != RC_OK)
		return e->rc;
	double part = (double)rows * (double)over / (double)used + FORGET_LEAST;
	int64_t count = part < RECORDS_FORGET_MAX ? (int64_t)part : RECORDS_FORGET_MAX;
	(void)sqlite3_bind_int64(r->forget, 1, count); /* the place is there */
	return db_run(r->forget, e);
}

static enum rc
forget_surplus(struct records *r, bool *ret_more, struct err *e)
{
	uint64_t used = 0;
	uint64_t unused = 0;

	if (octets_of(r, &used, &unused, e) != RC_OK)
		return e->rc;
	*ret_more = used > r->limits.octets;
	if (*ret_more)
		return forget_part(r, used, e);
	return give_back(r, used, unused, ret_more, e);
}

enum rc
records_forget(struct records *r, uint64_t now_us, bool *ret_more, struct err *e)
{
	enum rc rc = forget_old(r, now_us, ret_more, e);

	return rc != RC_OK || *ret_more ? rc : forget_surplus(r, ret_more, e);
}

enum rc
records_read(struct records *r, uint64_t id, uint32_t skip, unsigned most, records_each *each,
             void *arg, bool *ret_more, struct err *e)
{
	unsigned count = 0;
	int code;

	/* the places are there */
	(void)sqlite3_bind_int64(r->read, 1, (sqlite3_int64)id);
	(void)sqlite3_bind_int64(r->read, 2, (sqlite3_int64)most + 1);
	(void)sqlite3_bind_int64(r->read, 3, skip);
	while ((code = sqlite3_step(r->read)) == SQLITE_ROW && count++ < most) {
		struct record record = {.id = id,
		                        .at_us = (uint64_t)sqlite3_column_int64(r->read, 0),
		                        .fields = db_column_str(r->read, 1)};

		each(arg, &record);
	}
	*ret_more = code == SQLITE_ROW;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		(void)db_err(r->db, e, "read " RECORDS_FILE);
	(void)sqlite3_reset(r->read); /* repeats the error of the step */
	return code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : e->rc;
}
