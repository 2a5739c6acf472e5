/*
 * What tables.c and rows.c share: the connection and its statements.
 */
#ifndef SPOOL_TABLES_INSIDE_H
#define SPOOL_TABLES_INSIDE_H

#include "db/db.h"
#include "spool/tables.h"

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
	NEXT_ROUTE,
	REROUTE,
	LIST,
	OLDEST,
	CENSUS,
	DROP_HELD,
	TRIED,
	MOVE,
	STATEMENTS
};

struct tables {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS];
	struct tally tally;
	struct tally tally_before; /* the open transaction */
	bool open_changes;
	uint64_t log_octets;
};

/* SQLite's last error as tables.h has it: "<doing>: disk I/O error". */
enum rc tables_failed(const struct tables *t, struct err *e, const char *doing);

/* EBADMSG; <what> is damaged. */
enum rc tables_damaged(struct err *e, const char *what, uint64_t id);

/* Run a statement that returns no row. */
enum rc tables_run(struct tables *t, enum statement s, const char *doing,
                   struct err *e) MUST_CHECK;

#endif
