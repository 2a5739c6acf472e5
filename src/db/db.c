/*
 * Opening and errors of our SQLite files. See db.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "db/db.h"

#define BUSY_MS 2000 /* the operator's command may hold the lock for a commit */

void
db_before_walls(void)
{
	unsigned char drop[8];

	(void)sqlite3_initialize(); /* a failure shows again in db_open, which reports it */
	sqlite3_randomness((int)sizeof(drop), drop);
}

static enum rc
rc_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return RC_OK;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_MISUSE:
		return RC_PERM;
	default:
		return RC_TEMP;
	}
}

enum rc
db_err(sqlite3 *db, struct err *e, const char *doing)
{
	int number = errno; /* of the call that failed */
	int code = db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(db);
	/* SQLite calls a file that cannot be read just now damaged: SQLITE_IOERR_CORRUPTFS */
	bool unread = (code & 0xff) == SQLITE_CORRUPT && number == EIO;
	enum rc rc = unread ? RC_TEMP : rc_of(code);

	(void)err_set(e, rc == RC_OK ? RC_TEMP : rc, "%s: %s", doing,
	              db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db));
	e->sys = db == NULL ? 0 : sqlite3_system_errno(db);
	if (!unread && ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB))
		e->sys = EBADMSG;
	return e->rc;
}

enum rc
db_exec(sqlite3 *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return RC_OK;
	/* without the statements: a schema would be longer than the error */
	return db_err(db, e, "SQLite");
}

enum rc
db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *e)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
		return db_err(db, e, sql);
	return RC_OK;
}

enum rc
db_number(sqlite3_stmt *s, int64_t *ret, struct err *e)
{
	int code = sqlite3_step(s);

	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(s, 0);
	else
		(void)db_err(sqlite3_db_handle(s), e, sqlite3_sql(s));
	(void)sqlite3_reset(s); /* repeats the error of the step */
	return code == SQLITE_ROW ? RC_OK : e->rc;
}

enum rc
db_run(sqlite3_stmt *s, struct err *e)
{
	int code = sqlite3_step(s);

	if (code != SQLITE_DONE)
		(void)db_err(sqlite3_db_handle(s), e, sqlite3_sql(s));
	(void)sqlite3_reset(s); /* repeats the error of the step */
	return code == SQLITE_DONE ? RC_OK : e->rc;
}

void
db_bind_str(sqlite3_stmt *s, int at, struct str text)
{
	/* fails only for an <at> that is not in the statement, or a text over a gigabyte */
	(void)sqlite3_bind_text(s, at, text.n == 0 ? "" : text.p, (int)text.n, SQLITE_STATIC);
}

struct str
db_column_str(sqlite3_stmt *s, int at)
{
	const char *p = (const char *)sqlite3_column_text(s, at);

	return (struct str){p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(s, at)};
}

static enum rc
version_of(sqlite3 *db, int64_t *ret, struct err *e)
{
	sqlite3_stmt *s;

	if (db_prepare(db, "PRAGMA user_version", &s, e) != RC_OK)
		return e->rc;
	enum rc rc = db_number(s, ret, e);
	(void)sqlite3_finalize(s);
	return rc;
}

/* What takes a file of <version> one step further. */
static const char *
step_from(const struct db_kind *kind, int64_t version)
{
	if (version == 0)
		return kind->schema;
	return kind->upgrades == NULL ? NULL : kind->upgrades[version - 1];
}

/*
 * One step from <version>: its statements and the number appear in one transaction, or
 * neither does. Version 0 is an empty file, which the schema makes into ours at once.
 */
static enum rc
take_step(sqlite3 *db, const struct db_kind *kind, int64_t version, struct err *e)
{
	int64_t to = version == 0 ? kind->version : version + 1;
	const char *sql = step_from(kind, version);
	int64_t now = 0;
	char number[64];

	(void)snprintf(number, sizeof(number), "PRAGMA user_version = %" PRId64, to);
	if (db_exec(db, "BEGIN IMMEDIATE", e) != RC_OK)
		return e->rc;
	/* another process may have been first */
	if (version_of(db, &now, e) == RC_OK &&
	    (now != version ||
	     (db_exec(db, sql, e) == RC_OK && db_exec(db, number, e) == RC_OK)) &&
	    db_exec(db, "COMMIT", e) == RC_OK) {
		if (now == version && version > 0)
			log_put(LOG_INFO, "upgraded",
			        KVS(kv_text("file", kind->name),
			            kv_num("from", (uint64_t)version),
			            kv_num("to", (uint64_t)to)));
		return RC_OK;
	}
	(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* <e> has the cause */
	return e->rc;
}

static enum rc
known_version(sqlite3 *db, const struct db_kind *kind, int64_t *ret, struct err *e)
{
	if (version_of(db, ret, e) != RC_OK)
		return e->rc;
	if (*ret < 0)
		return err_set(e, RC_PERM,
		               "it has version %" PRId64 ", which no sekisho ever gave", *ret);
	if (*ret > kind->version)
		return err_set(e, RC_PERM,
		               "%s has version %" PRId64
		               ", made by a newer sekisho; this one knows up to %" PRId64,
		               kind->name, *ret, kind->version);
	if (*ret < kind->version && step_from(kind, *ret) == NULL)
		return err_set(e, RC_PERM,
		               "%s has version %" PRId64
		               ", older than this sekisho takes over; "
		               "start one in between first",
		               kind->name, *ret);
	return RC_OK;
}

static enum rc
settle(sqlite3 *db, const struct db_kind *kind, struct err *e)
{
	int64_t version = 0;

	(void)sqlite3_busy_timeout(db, BUSY_MS); /* cannot fail on an open connection */
	if (kind->opening != NULL && db_exec(db, kind->opening, e) != RC_OK)
		return e->rc;
	/* before any change: a newer file must stay as it is */
	if (known_version(db, kind, &version, e) != RC_OK ||
	    db_exec(db, kind->pragmas, e) != RC_OK)
		return e->rc;
	/* each step is read back: another process, perhaps a newer one, may be taking them too
	 */
	while (version < kind->version) {
		if (take_step(db, kind, version, e) != RC_OK)
			return version == 0
			               ? e->rc
			               : err_in(e, "upgrade from version %" PRId64, version);
		if (known_version(db, kind, &version, e) != RC_OK)
			return e->rc;
	}
	return RC_OK;
}

enum rc
db_open(const char *path, const struct db_kind *kind, sqlite3 **ret, struct err *e)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	                            SQLITE_OPEN_NOFOLLOW,
	                    NULL) != SQLITE_OK) {
		(void)db_err(db, e, kind->name);
		(void)db_close(db);
		return e->rc;
	}
	/* closing a file that we refuse must not move its log into it */
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (settle(db, kind, e) != RC_OK) {
		(void)db_close(db);
		return err_in(e, "open %s", kind->name);
	}
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	*ret = db;
	return RC_OK;
}

sqlite3 *
db_close(sqlite3 *db)
{
	sqlite3_stmt *s;

	while (db != NULL && (s = sqlite3_next_stmt(db, NULL)) != NULL)
		(void)sqlite3_finalize(s); /* repeats the error of its last step */
	(void)sqlite3_close(db);           /* with no statement left it cannot fail */
	return NULL;
}
