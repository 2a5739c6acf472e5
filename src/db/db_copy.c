/*
 * Copies of databases in use. See db_copy.h.
 */
#include <unistd.h>

#include "db/db_copy.h"

#define STEP_PAGES 1024

static void
close_copy(struct db_copy *c)
{
	(void)sqlite3_backup_finish(c->run); /* repeats the failure of its last step */
	c->run = NULL;
	c->to = db_close(c->to);
}

void
db_copy_stop(struct db_copy *c)
{
	close_copy(c);
	*c = (struct db_copy){.on = false};
	(void)unlink(DB_COPY_FILE); /* there may be none */
}

static enum rc
open_copy(struct db_copy *c, sqlite3 *from, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	            SQLITE_OPEN_NOFOLLOW;

	if (sqlite3_open_v2(DB_COPY_FILE, &c->to, flags, NULL) != SQLITE_OK)
		return db_err(c->to, e, "make " DB_COPY_FILE);
	/* who takes it away syncs what he has; until then it may be torn */
	if (db_exec(c->to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;", e) != RC_OK)
		return e->rc;
	c->run = sqlite3_backup_init(c->to, "main", from, "main");
	return c->run != NULL ? RC_OK : db_err(c->to, e, "begin " DB_COPY_FILE);
}

static enum rc
begin(struct db_copy *c, sqlite3 *from, struct err *e)
{
	db_copy_stop(c);
	c->on = true;
	if (open_copy(c, from, e) == RC_OK)
		return RC_OK;
	db_copy_stop(c);
	return e->rc;
}

static enum rc
step(struct db_copy *c, struct err *e)
{
	int code;

	if (!c->on)
		return err_set(e, RC_PERM, "no copy was begun, or nobody asked for too long");
	if (c->whole)
		return RC_OK;
	code = sqlite3_backup_step(c->run, STEP_PAGES);
	c->pages = (uint64_t)sqlite3_backup_pagecount(c->run);
	c->left = (uint64_t)sqlite3_backup_remaining(c->run);
	if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return RC_OK;
	if (code != SQLITE_DONE) {
		(void)err_set(e, RC_TEMP, "write " DB_COPY_FILE ": %s", sqlite3_errstr(code));
		db_copy_stop(c);
		return RC_TEMP;
	}
	c->whole = true;
	close_copy(c);
	return RC_OK;
}

enum rc
db_copy_do(struct db_copy *c, sqlite3 *from, enum db_copy_act act, uint64_t now_ms,
           struct err *e)
{
	enum rc rc = RC_OK;

	if (act == DB_COPY_BEGIN)
		rc = begin(c, from, e);
	else if (act == DB_COPY_STEP)
		rc = step(c, e);
	else
		db_copy_stop(c);
	c->until_ms = now_ms + DB_COPY_LEASE_MS;
	return rc;
}

void
db_copy_tick(struct db_copy *c, uint64_t now_ms)
{
	if (c->until_ms != 0 && (!c->on || now_ms < c->until_ms))
		return;
	db_copy_stop(c);
	c->until_ms = now_ms;
}
