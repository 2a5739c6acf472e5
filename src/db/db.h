/*
 * SQLite as every database of ours is opened: by one process, WAL, one schema with a number.
 *
 * A folder of its own so that a role without a database is not linked to SQLite.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <sqlite3.h>

#include "base/err.h"
#include "base/str.h"

/*
 * The system calls of SQLite for a role's walls: files of its folder, read, written, locked
 * (fcntl), synced; sleep while somebody else has the lock; a symbolic link read to be refused;
 * modes and owner set as those of the database (the latter only where a role stays root).
 */
#define DB_CALLS \
	"openat", "fstat", "newfstatat", "readlink", "getcwd", "pread64", "pwrite64", \
		"fdatasync", "fsync", "ftruncate", "unlink", "fchmod", "fchown", "geteuid", \
		"clock_nanosleep"

/* What a file is, as a constant beside the code that owns it. */
struct db_kind {
	const char *name; /* for error texts: "accounts.db" */
	int64_t version;  /* in PRAGMA user_version; a file with a higher one is not touched */
	const char *opening; /* NULL, or run before the file is first read */
	const char *pragmas; /* run at each opening, before the schema */
	const char *schema;  /* makes an empty file into version <version> */

	/*
	 * upgrades[n - 1] makes a file of version n into one of n + 1, in one transaction;
	 * there are version - 1 of them, NULL where a version is no longer taken over. What
	 * they make and what <schema> makes must be the same.
	 */
	const char *const *upgrades;
};

/*
 * SQLite draws its randomness from /dev/urandom once; behind the walls there is none. To be
 * called first thing in main.
 */
void db_before_walls(void);

/*
 * Open or make <path>; *ret is the caller's, to be closed with db_close. A missing file is
 * made whole or not at all; one of an older version is taken step by step to ours, each of
 * which is logged (event=upgraded) once it is durable. RC_PERM: not ours to use (newer
 * version, no database, damaged, no permission), and nothing was changed; RC_TEMP: the disk
 * or memory, or somebody else has it locked.
 */
enum rc db_open(const char *path, const struct db_kind *kind, sqlite3 **ret,
                struct err *e) MUST_CHECK;

/* With all its statements. NULL is fine; returns NULL. */
sqlite3 *db_close(sqlite3 *db);

/*
 * From SQLite's last error: "<doing>: disk I/O error". e->sys is EBADMSG where the file's
 * content is broken: no later attempt will do better.
 */
enum rc db_err(sqlite3 *db, struct err *e, const char *doing);

/* All statements of <sql>; rows they return are dropped. */
enum rc db_exec(sqlite3 *db, const char *sql, struct err *e) MUST_CHECK;

/* To be kept for the life of the connection; freed by db_close, or sqlite3_finalize before. */
enum rc db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct err *e) MUST_CHECK;

/* The number in the only column of the only row; the statement is reset. */
enum rc db_number(sqlite3_stmt *s, int64_t *ret, struct err *e) MUST_CHECK;

/* Run a statement that gives no rows, and reset it. */
enum rc db_run(sqlite3_stmt *s, struct err *e) MUST_CHECK;

/* <s> is not copied: it must live until the statement is reset. */
void db_bind_str(sqlite3_stmt *s, int at, struct str text);

/* The text lives until the statement steps or is reset. */
struct str db_column_str(sqlite3_stmt *s, int at);

#endif
