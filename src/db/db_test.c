/*
 * db.c on real files: made, kept, refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
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
		cmocka_unit_test_setup_teardown(test_schema_is_whole_or_absent, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_no_database, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_folder_and_link, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
