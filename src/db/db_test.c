/*
 * db.c on real files: made, kept, refused.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/test.h"
#include "db/db.h"

static const struct db_kind kind_1 = {
	.name = "try.db",
	.version = 1,
	.pragmas = "PRAGMA journal_mode = WAL",
	.schema = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)",
};
static const struct db_kind kind_2 = {
	.name = "try.db",
	.version = 2,
	.pragmas = "",
	.schema = "",
};
static const struct db_kind kind_bad = {
	.name = "try.db",
	.version = 1,
	.pragmas = "",
	.schema = "CREATE TABLE t (a INTEGER); CREATE TABLE t (a INTEGER)",
};

/* Version 3 of kind_1, as made and as reached from the versions before. */
static const char *const upgrades[] = {
	"ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 4",
	"CREATE INDEX t_c ON t (c)",
};
static const struct db_kind kind_3 = {
	.name = "try.db",
	.version = 3,
	.pragmas = "",
	.schema =
		"CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c INTEGER NOT NULL DEFAULT 4);"
		"CREATE INDEX t_c ON t (c)",
	.upgrades = upgrades,
};
/* Its second step fails in its second statement. */
static const char *const upgrades_bad[] = {
	"ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 4",
	"CREATE TABLE u (a INTEGER); CREATE TABLE u (a INTEGER)",
};
static const struct db_kind kind_3_bad = {
	.name = "try.db",
	.version = 3,
	.pragmas = "",
	.schema = "",
	.upgrades = upgrades_bad,
};
/* Knows the way from 2 alone. */
static const char *const upgrades_from_2[] = {NULL, "CREATE INDEX t_c ON t (c)"};
static const struct db_kind kind_3_from_2 = {
	.name = "try.db",
	.version = 3,
	.pragmas = "PRAGMA journal_mode = DELETE",
	.schema = "",
	.upgrades = upgrades_from_2,
};

struct room {
	char dir[64];
	char path[96];
};

static int
setup(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	struct buf dir = BUF_ON(r->dir);
	struct buf path = BUF_ON(r->path);

	buf_add(&dir, STR("/tmp/sekisho-db-XXXXXX"));
	assert_non_null(mkdtemp(r->dir));
	buf_addf(&path, "%s/try.db", r->dir);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct room *r = *state;
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};

	(void)chmod(r->dir, 0700);
	for (size_t i = 0; i < LENGTH(ends); i++) {
		char path[128];
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%s%s", r->path, ends[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

/* What was written is there at the next opening. */
static void
test_rows_stay(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	sqlite3_stmt *s;
	struct err e;
	int64_t n;

	assert_int_equal(db_open(r->path, &kind_1, &db, &e), RC_OK);
	assert_int_equal(db_prepare(db, "INSERT INTO t VALUES (7, ?1)", &s, &e), RC_OK);
	db_bind_str(s, 1, STR("seven"));
	assert_int_equal(db_run(s, &e), RC_OK);
	/* the same key again is an error with SQLite's text */
	assert_int_equal(db_run(s, &e), RC_PERM);
	assert_non_null(strstr(e.text, "UNIQUE"));
	(void)sqlite3_finalize(s);
	assert_null(db_close(db));

	assert_int_equal(db_open(r->path, &kind_1, &db, &e), RC_OK);
	assert_int_equal(db_prepare(db, "SELECT a FROM t WHERE b = 'seven'", &s, &e), RC_OK);
	assert_int_equal(db_number(s, &n, &e), RC_OK);
	assert_int_equal(n, 7);
	(void)sqlite3_finalize(s);
	(void)db_close(db);
}

/* A file of a newer sekisho is refused in words, and left as it is. */
static void
test_newer_version_is_refused(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;

	assert_int_equal(db_open(r->path, &kind_2, &db, &e), RC_OK);
	(void)db_close(db);
	assert_int_equal(db_open(r->path, &kind_1, &db, &e), RC_PERM);
	assert_non_null(strstr(e.text, "newer sekisho"));
	assert_int_equal(db_open(r->path, &kind_2, &db, &e), RC_OK);
	(void)db_close(db);
}

/* A file of version 1 with the row (7, 'seven'). */
static void
make_old(const struct room *r)
{
	sqlite3 *db;
	struct err e;

	assert_int_equal(db_open(r->path, &kind_1, &db, &e), RC_OK);
	assert_int_equal(db_exec(db, "INSERT INTO t VALUES (7, 'seven')", &e), RC_OK);
	(void)db_close(db);
}

static int64_t
ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s;
	struct err e;
	int64_t n = -1;

	assert_int_equal(db_prepare(db, sql, &s, &e), RC_OK);
	assert_int_equal(db_number(s, &n, &e), RC_OK);
	(void)sqlite3_finalize(s);
	return n;
}

/* The number in the file, read past db_open. */
static int64_t
version_in(const struct room *r)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	int64_t n = ask(db, "PRAGMA user_version");
	(void)db_close(db);
	return n;
}

/* A file two versions old is taken over with its rows, and each step is told. */
static void
test_older_version_is_taken_over(void **state)
{
	struct room *r = *state;
	int ends[2];
	sqlite3 *db;
	struct err e;

	make_old(r);
	assert_int_equal(pipe(ends), 0);
	log_open(ends[1], "try", LOG_INFO);
	assert_int_equal(db_open(r->path, &kind_3, &db, &e), RC_OK);
	log_flush();
	log_open(STDERR_FILENO, "try", LOG_INFO);
	assert_int_equal(ask(db, "SELECT a + c FROM t INDEXED BY t_c WHERE c = 4"), 11);
	assert_int_equal(ask(db, "PRAGMA user_version"), 3);
	(void)db_close(db);

	char lines[512] = "";
	assert_true(read(ends[0], lines, sizeof(lines) - 1) > 0);
	assert_non_null(strstr(lines, "event=upgraded file=try.db from=1 to=2\n"));
	assert_non_null(strstr(lines, "event=upgraded file=try.db from=2 to=3\n"));
	(void)close(ends[0]);
	(void)close(ends[1]);
	/* and from then on it is as if made so */
	assert_int_equal(db_open(r->path, &kind_3, &db, &e), RC_OK);
	(void)db_close(db);
	assert_int_equal(db_open(r->path, &kind_1, &db, &e), RC_PERM);
}

/* A new file has the newest version at once, without the steps. */
static void
test_new_file_takes_no_steps(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;

	assert_int_equal(db_open(r->path, &kind_3, &db, &e), RC_OK);
	assert_int_equal(ask(db, "SELECT count(*) FROM t INDEXED BY t_c WHERE c = 4"), 0);
	(void)db_close(db);
}

/* A step that fails leaves the version before it, whole and usable. */
static void
test_step_is_whole_or_absent(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;

	make_old(r);
	assert_int_not_equal(db_open(r->path, &kind_3_bad, &db, &e), RC_OK);
	assert_non_null(strstr(e.text, "upgrade from version 2"));
	assert_non_null(strstr(e.text, "already exists"));
	assert_int_equal(version_in(r), 2);
	assert_int_equal(db_open(r->path, &kind_3, &db, &e), RC_OK);
	assert_int_equal(ask(db, "SELECT a FROM t WHERE b = 'seven'"), 7);
	assert_int_equal(ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'u'"), 0);
	(void)db_close(db);
}

/* Too old or of no version of ours: refused before anything is changed, the pragmas too. */
static void
test_unknown_version_is_refused(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;

	make_old(r);
	assert_int_equal(db_open(r->path, &kind_3_from_2, &db, &e), RC_PERM);
	assert_non_null(strstr(e.text, "version 1, older than this sekisho takes over"));
	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	assert_int_equal(ask(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_int_equal(ask(db, "PRAGMA user_version"), 1);
	assert_int_equal(db_exec(db, "PRAGMA user_version = -5", &e), RC_OK);
	(void)db_close(db);
	assert_int_equal(db_open(r->path, &kind_3, &db, &e), RC_PERM);
	assert_non_null(strstr(e.text, "version -5"));
	assert_int_equal(version_in(r), -5);
}

/* Two processes at once: both end with the newest version, and each step was taken once. */
static void
test_two_upgrade_at_once(void **state)
{
	struct room *r = *state;
	enum { CHILDREN = 4 };
	pid_t children[CHILDREN];

	make_old(r);
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			sqlite3 *db;
			struct err e;

			_exit(db_open(r->path, &kind_3, &db, &e) == RC_OK ? 0 : 1);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(version_in(r), 3);
}

static off_t
octets_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* What a crash of the newer one left in its log stays there: no octet is moved. */
static void
test_refused_file_keeps_its_log(void **state)
{
	struct room *r = *state;
	char wal[128];
	struct buf b = BUF_ON(wal);
	sqlite3 *db;
	struct err e;

	buf_addf(&b, "%s-wal", r->path);
	make_old(r);
	pid_t newer = fork();
	assert_true(newer >= 0);
	if (newer == 0) {
		if (db_open(r->path, &kind_1, &db, &e) == RC_OK &&
		    db_exec(db, "PRAGMA user_version = 9", &e) == RC_OK)
			(void)kill(getpid(), SIGKILL); /* and so nothing is tidied up */
		_exit(1);
	}
	int status = 0;
	assert_int_equal(waitpid(newer, &status, 0), newer);
	assert_true(WIFSIGNALED(status));
	off_t file = octets_of(r->path);
	off_t log = octets_of(wal);
	assert_true(log > 0);
	assert_int_equal(db_open(r->path, &kind_3, &db, &e), RC_PERM);
	assert_non_null(strstr(e.text, "version 9"));
	assert_int_equal(octets_of(r->path), file);
	assert_int_equal(octets_of(wal), log);
}

/* A schema that fails half-way leaves an empty file, for the next attempt. */
static void
test_schema_is_whole_or_absent(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;

	assert_int_not_equal(db_open(r->path, &kind_bad, &db, &e), RC_OK);
	assert_int_equal(db_open(r->path, &kind_1, &db, &e), RC_OK);
	(void)db_close(db);
}

static void
test_no_database(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;
	FILE *f = fopen(r->path, "w");

	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		assert_true(fputs("this is no database\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(db_open(r->path, &kind_1, &db, &e), RC_PERM);
	assert_non_null(strstr(e.text, "not a database"));
	assert_int_equal(e.sys, EBADMSG);
}

static void
test_missing_folder_and_link(void **state)
{
	struct room *r = *state;
	char path[128];
	struct buf b = BUF_ON(path);
	sqlite3 *db;
	struct err e;

	buf_addf(&b, "%s/none/try.db", r->dir);
	assert_int_equal(db_open(path, &kind_1, &db, &e), RC_TEMP);
	/* whoever may write the folder cannot lead us elsewhere */
	assert_int_equal(symlink("/tmp/sekisho-elsewhere", r->path), 0);
	assert_int_not_equal(db_open(r->path, &kind_1, &db, &e), RC_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_version_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_version_is_taken_over, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_new_file_takes_no_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_step_is_whole_or_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_file_keeps_its_log, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_unknown_version_is_refused, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_two_upgrade_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_schema_is_whole_or_absent, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_no_database, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_folder_and_link, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
