/*
 * journal.db on real files: written, read in pages, forgotten, broken.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "db/db.h"
#include "store/records.h"

#define SECOND UINT64_C(1000000)
#define START (1700000000 * SECOND)

struct room {
	char dir[64];
	int back; /* where we came from */
	struct records *r;
	struct waiting *w;
};

static const struct records_limits wide = {.octets = 64U << 20, .age_us = 3600 * SECOND};

static void
reopen(struct room *r, const struct records_limits *limits)
{
	struct err e = {.text = ""};

	r->r = records_close(r->r);
	if (records_open(limits, &r->r, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static int
setup(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	struct buf dir = BUF_ON(r->dir);

	buf_add(&dir, STR("/tmp/sekisho-journal-XXXXXX"));
	assert_non_null(mkdtemp(r->dir));
	r->back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(r->dir), 0);
	reopen(r, &wide);
	r->w = waiting_new(16U << 20);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct room *r = *state;
	static const char *const names[] = {RECORDS_FILE, RECORDS_FILE "-wal",
	                                    RECORDS_ASIDE_FILE, RECORDS_ASIDE_FILE "-wal"};

	r->r = records_close(r->r);
	(void)waiting_free(r->w);
	for (size_t i = 0; i < LENGTH(names); i++)
		(void)unlink(names[i]);
	assert_int_equal(fchdir(r->back), 0);
	(void)close(r->back);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

static void
put(struct room *r, uint64_t id, uint64_t at_us, const char *fields)
{
	waiting_put(r->w, &(struct record){id, at_us, str_of(fields)});
}

static void
write_out(struct room *r)
{
	struct err e = {.text = ""};

	if (records_write(r->r, r->w, &e) != RC_OK)
		fail_msg("%s", e.text);
	assert_int_equal(waiting_count(r->w), 0);
}

static void
join(void *arg, const struct record *record)
{
	struct buf *b = arg;

	buf_add(b, record->fields);
	buf_add(b, STR(" "));
}

#define assert_read(r, id, skip, most, want, want_more) \
	do { \
		char room_[512]; \
		struct buf b_ = BUF_ON(room_); \
		struct err e_; \
		bool more_; \
		assert_int_equal( \
			records_read((r)->r, (id), (skip), (most), join, &b_, &more_, &e_), \
			RC_OK); \
		assert_string_equal(b_.p, (want)); \
		assert_int_equal(more_, (want_more)); \
	} while (0)

/* In the order of time, whoever's batch came first; page by page; also after a restart. */
static void
test_write_and_read(void **state)
{
	struct room *r = *state;

	put(r, 7, START + 2, "b");
	put(r, 8, START + 2, "other");
	put(r, 7, START + 1, "a");
	write_out(r);
	put(r, 7, START + 3, "c");
	put(r, 7, START + 3, "d");
	write_out(r);
	for (int round = 0; round < 2; round++) {
		assert_read(r, 7, 0, 32, "a b c d ", false);
		assert_read(r, 7, 0, 4, "a b c d ", false);
		assert_read(r, 7, 0, 3, "a b c ", true);
		assert_read(r, 7, 3, 3, "d ", false);
		assert_read(r, 7, 4, 3, "", false);
		assert_read(r, 9, 0, 3, "", false);
		assert_read(r, 8, 0, 3, "other ", false);
		reopen(r, &wide);
	}
}

static uint64_t
file_octets(void)
{
	struct stat st;

	assert_int_equal(stat(RECORDS_FILE, &st), 0);
	return (uint64_t)st.st_size;
}

/* Forget until there is no more to forget; how many calls it took. */
static unsigned
forget_all(struct room *r, uint64_t now_us)
{
	struct err e = {.text = ""};
	unsigned calls = 0;
	bool more = true;

	while (more && calls++ < 1000)
		if (records_forget(r->r, now_us, &more, &e) != RC_OK)
			fail_msg("%s", e.text);
	return calls;
}

static void
fill(struct room *r, unsigned from, unsigned to)
{
	char fields[301] = "";

	memset(fields, 'f', sizeof(fields) - 1);
	for (unsigned i = from; i < to; i++) {
		put(r, i, START + i, fields);
		if (i % 1000 == 999) {
			struct err e;
			bool more;

			write_out(r);
			assert_int_equal(records_forget(r->r, START + i, &more, &e), RC_OK);
		}
	}
	write_out(r);
}

static unsigned
count_in(struct room *r, unsigned from, unsigned to)
{
	unsigned count = 0;

	for (unsigned i = from; i < to; i++) {
		char room[512];
		struct buf b = BUF_ON(room);
		struct err e;
		bool more;

		assert_int_equal(records_read(r->r, i, 0, 1, join, &b, &more, &e), RC_OK);
		count += b.n > 0;
	}
	return count;
}

/* A ring: it stays near its size however much is written, and it is the newest that stay. */
static void
test_size_is_bounded(void **state)
{
	struct room *r = *state;
	const struct records_limits limits = {.octets = 2U << 20, .age_us = wide.age_us};

	reopen(r, &limits);
	fill(r, 0, 30000);
	(void)forget_all(r, START);
	reopen(r, &limits); /* the WAL goes into the file */
	assert_in_range(file_octets(), 1U << 20, 4U << 20);
	assert_int_equal(count_in(r, 0, 10000), 0);
	assert_int_equal(count_in(r, 27000, 30000), 3000);
}

/* A smaller limit gives the room back to the disk, a bounded piece at a time. */
static void
test_shrinks(void **state)
{
	struct room *r = *state;
	const struct records_limits narrow = {.octets = 1U << 20, .age_us = wide.age_us};

	fill(r, 0, 30000);
	reopen(r, &narrow);
	assert_true(file_octets() > (8U << 20));
	assert_in_range(forget_all(r, START), 4, 100);
	reopen(r, &narrow);
	assert_in_range(file_octets(), 1U << 19, 3U << 20);
	assert_int_equal(count_in(r, 29900, 30000), 100);
}

static void
test_age(void **state)
{
	struct room *r = *state;

	put(r, 1, START, "old");
	put(r, 2, START + 10 * SECOND, "young");
	write_out(r);
	(void)forget_all(r, START + wide.age_us);
	assert_read(r, 1, 0, 1, "old ", false);
	(void)forget_all(r, START + wide.age_us + 5 * SECOND);
	assert_read(r, 1, 0, 1, "", false);
	assert_read(r, 2, 0, 1, "young ", false);
	(void)forget_all(r, START + wide.age_us + 15 * SECOND);
	assert_read(r, 2, 0, 1, "", false);
	put(r, 3, START + 20 * SECOND, "new");
	write_out(r);
	assert_read(r, 3, 0, 1, "new ", false);
}

/* A disk that takes nothing: what waits goes on waiting, and is written once when it does. */
static void
test_full_disk(void **state)
{
	struct room *r = *state;
	struct rlimit was;
	struct rlimit none;
	struct err e;

	put(r, 1, START, "before");
	write_out(r);
	put(r, 1, START + 1, "during");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){0, was.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum rc rc = records_write(r->r, r->w, &e);
	enum rc again = records_write(r->r, r->w, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(rc, RC_TEMP);
	assert_int_equal(again, RC_TEMP);
	assert_int_equal(waiting_count(r->w), 1);
	assert_read(r, 1, 0, 9, "before ", false);
	write_out(r);
	assert_read(r, 1, 0, 9, "before during ", false);
}

/* A damaged file is said to be so, set aside, and a new one begun. */
static void
test_damaged(void **state)
{
	struct room *r = *state;
	struct err e;

	put(r, 1, START, "lost");
	write_out(r);
	r->r = records_close(r->r);
	FILE *f = fopen(RECORDS_FILE, "r+");
	assert_non_null(f);
	assert_true(fputs("scribbled over the head", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(records_open(&wide, &r->r, &e), RC_PERM);
	assert_int_equal(e.sys, EBADMSG);
	assert_int_equal(records_set_aside(&e), RC_OK);
	reopen(r, &wide);
	assert_read(r, 1, 0, 9, "", false);
	assert_int_equal(access(RECORDS_ASIDE_FILE, F_OK), 0);
}

static void
test_newer_file(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;

	r->r = records_close(r->r);
	assert_int_equal(sqlite3_open(RECORDS_FILE, &db), SQLITE_OK);
	assert_int_equal(db_exec(db, "PRAGMA user_version = 9", &e), RC_OK);
	(void)db_close(db);
	assert_int_equal(records_open(&wide, &r->r, &e), RC_PERM);
	assert_int_not_equal(e.sys, EBADMSG);
	assert_non_null(strstr(e.text, "newer sekisho"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shrinks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_age, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
