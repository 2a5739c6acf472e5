/*
 * A copy of a database that is in use, made by the one process that may open it, in its own
 * folder: a piece at a time, so that nobody who waits for that process notices. What the
 * process changes meanwhile is changed in the copy too (sqlite3_backup); whole, the copy is
 * the database as it was at its last piece.
 */
#ifndef DB_DB_COPY_H
#define DB_DB_COPY_H

#include "db/db.h"

#define DB_COPY_FILE "backup.db"
#define DB_COPY_LEASE_MS UINT64_C(600000) /* nobody asks for so long: it is given up */

/* What copy_ask asks for; as in msg.def. */
enum db_copy_act { DB_COPY_BEGIN, DB_COPY_STEP, DB_COPY_END };

struct db_copy {
	sqlite3 *to;
	sqlite3_backup *run;
	bool on;    /* begun and not ended */
	bool whole; /* the file is the copy */
	uint64_t until_ms;
	uint64_t pages;
	uint64_t left;
};

/*
 * One step of it: some 4 MiB. RC_OK also where it could not go on just now, because <from> has
 * an open transaction: ask again. On failure it has ended, and the file is gone.
 */
enum rc db_copy_do(struct db_copy *c, sqlite3 *from, enum db_copy_act act, uint64_t now_ms,
                   struct err *e) MUST_CHECK;

/* Where nobody asked for too long it ends here. Also removes what a predecessor left. */
void db_copy_tick(struct db_copy *c, uint64_t now_ms);

/* End it, before <from> is closed. */
void db_copy_stop(struct db_copy *c);

#endif
