/* A copy has what was there at its last piece, whatever changed while it was made. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "db/db_copy.h"

static const struct db_kind kind = {
	.name = "test.db",
	.version = 1,
	.opening = "PRAGMA locking_mode = EXCLUSIVE;",
	.pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		   "PRAGMA temp_store = MEMORY;",
	.schema = "CREATE TABLE t(n INTEGER PRIMARY KEY, text BLOB);",
};

struct fixture {
	char folder[64];
	sqlite3 *db;
	struct db_copy copy;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct buf b = BUF_ON(f->folder);
	struct err e;

	buf_add(&b, STR("/tmp/sekisho-copy-XXXXXX"));
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(chdir(f->folder), 0);
	assert_int_equal(db_open("test.db", &kind, &f->db, &e), RC_OK);
	assert_int_equal(
		db_exec(f->db,
	                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
	                " WHERE n < 3000) INSERT INTO t SELECT n, randomblob(4000) FROM c",
	                &e),
		RC_OK);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"test.db", "test.db-wal", DB_COPY_FILE};
	struct fixture *f = *state;

	(void)db_close(f->db);
	for (size_t i = 0; i < LENGTH(names); i++)
		(void)unlink(names[i]);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void
must(struct fixture *f, enum db_copy_act act)
{
	struct err e;

	if (db_copy_do(&f->copy, f->db, act, 1000, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static int64_t
number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n = -1;
	struct err e;

	assert_int_equal(db_prepare(db, sql, &st, &e), RC_OK);
	assert_int_equal(db_number(st, &n, &e), RC_OK);
	(void)sqlite3_finalize(st);
	return n;
}

static void
test_what_changes_meanwhile_is_in_it(void **state)
{
	struct fixture *f = *state;
	struct err e;
	unsigned steps = 0;

	must(f, DB_COPY_BEGIN);
	while (!f->copy.whole) {
		must(f, DB_COPY_STEP);
		steps++;
		/* behind and before what is copied already */
		assert_int_equal(db_exec(f->db,
		                         "DELETE FROM t WHERE n = (SELECT min(n) FROM t);"
		                         "INSERT INTO t(text) VALUES(randomblob(4000));",
		                         &e),
		                 RC_OK);
	}
	assert_true(steps > 2);
	int64_t rows = number(f->db, "SELECT count(*) FROM t");
	int64_t first = number(f->db, "SELECT min(n) FROM t");

	sqlite3 *copy = NULL;
	assert_int_equal(db_open(DB_COPY_FILE, &kind, &copy, &e), RC_OK);
	assert_int_equal(number(copy, "SELECT count(*) FROM t"), rows);
	/* the last change came after the last piece */
	assert_int_equal(number(copy, "SELECT min(n) FROM t"), first - 1);
	assert_int_equal(number(copy, "SELECT count(*) FROM pragma_integrity_check WHERE 1"),
	                 1);
	(void)db_close(copy);
	must(f, DB_COPY_END);
	assert_int_equal(access(DB_COPY_FILE, F_OK), -1);
}

static void
test_an_open_transaction_only_delays_it(void **state)
{
	struct fixture *f = *state;
	struct err e;

	must(f, DB_COPY_BEGIN);
	assert_int_equal(db_exec(f->db, "BEGIN IMMEDIATE; DELETE FROM t WHERE n > 100", &e),
	                 RC_OK);
	must(f, DB_COPY_STEP);
	assert_false(f->copy.whole);
	assert_int_equal(db_exec(f->db, "ROLLBACK", &e), RC_OK);
	for (int i = 0; i < 10 && !f->copy.whole; i++)
		must(f, DB_COPY_STEP);
	assert_true(f->copy.whole);
	must(f, DB_COPY_END);
}

static void
test_what_nobody_asks_for_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct err e;

	must(f, DB_COPY_BEGIN);
	db_copy_tick(&f->copy, 1000 + DB_COPY_LEASE_MS - 1);
	must(f, DB_COPY_STEP);
	db_copy_tick(&f->copy, 1000 + DB_COPY_LEASE_MS);
	assert_int_equal(access(DB_COPY_FILE, F_OK), -1);
	assert_int_equal(db_copy_do(&f->copy, f->db, DB_COPY_STEP, 2000, &e), RC_PERM);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_what_changes_meanwhile_is_in_it),
		TEST(test_an_open_transaction_only_delays_it),
		TEST(test_what_nobody_asks_for_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
