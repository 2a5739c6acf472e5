/*
 * The real store behind its walls, told by an edge and the spool, asked by control.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "role/try.h"

struct house {
	char dir[64];
	struct cfg cfg;
	struct try store;
	int edge;
	int spool;
	int control;
	uint64_t now_us; /* of all records: too old ones are forgotten */
};

static void
start(struct house *h)
{
	h->store = try_start(STORE, &h->cfg, h->dir);
	h->edge = try_link(&h->store, EDGE, 0);
	h->spool = try_link(&h->store, SPOOL, 0);
	h->control = try_link(&h->store, CONTROL, 0);
	try_begin(&h->store);
}

/* As the house does: those who write leave first. */
static void
stop(struct house *h)
{
	(void)close(h->edge);
	(void)close(h->spool);
	(void)close(h->control);
	assert_int_equal(try_stop(&h->store), 0);
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct buf b = BUF_ON(h->dir);

	buf_add(&b, STR("/tmp/sekisho-store-XXXXXX"));
	assert_non_null(mkdtemp(h->dir));
	try_config(&h->cfg);
	h->cfg.hostname = STR("mail.example.org");
	h->now_us = clock_wall_us();
	*state = h;
	return 0;
}

static void
path_of(const struct house *h, const char *end, struct buf *b)
{
	buf_clear(b);
	buf_addf(b, "%s/journal.db%s", h->dir, end);
}

static int
teardown(void **state)
{
	struct house *h = *state;
	static const char *const ends[] = {"", "-wal", ".damaged", ".damaged-wal"};
	char path[128];
	struct buf b = BUF_ON(path);

	for (size_t i = 0; i < LENGTH(ends); i++) {
		path_of(h, ends[i], &b);
		(void)unlink(path);
	}
	path_of(h, "", &b);
	(void)rmdir(path);
	assert_int_equal(rmdir(h->dir), 0);
	free(h);
	return 0;
}

static void
put(struct house *h, int fd, enum proc from, uint64_t id, unsigned count)
{
	char room[MSG_OCTETS_MAX];
	struct buf b = BUF_ON(room);
	struct item_record record = {
		.id = id, .at_us = h->now_us, .fields = STR("event=decision reply=ok")};

	for (unsigned i = 0; i < count; i++)
		assert_true(item_add_record(&b, &record));
	struct msg m = {
		.no = MSG_journal_put, .journal_put.records = {count, buf_str(&b)}
        };
	try_send(&h->store, fd, from, &m);
}

static void
ask(struct house *h, uint64_t id, uint32_t skip, struct msg *ret)
{
	struct msg m = {
		.no = MSG_journal_ask, .journal_ask = {5, id, skip}
        };

	try_send(&h->store, h->control, CONTROL, &m);
	assert_true(try_take(&h->store, h->control, CONTROL, ret));
	assert_int_equal(ret->no, MSG_journal_answer);
	assert_int_equal(ret->journal_answer.ask, 5);
}

/* Wait until store has what was sent over the other channels: they are read in any order. */
static unsigned
count_of(struct house *h, uint64_t id, unsigned want, enum rc *ret_rc)
{
	unsigned count = 0;
	struct msg m;

	for (int tries = 0; tries < 500; tries++) {
		count = 0;
		do {
			ask(h, id, count, &m);
			count += m.journal_answer.records.count;
		} while (m.journal_answer.more != 0);
		*ret_rc = (enum rc)m.journal_answer.rc;
		if (count >= want)
			break;
		(void)usleep(10000);
	}
	return count;
}

/* What was put is read back, at once and after a restart; the last words before leaving too. */
static void
test_put_and_ask(void **state)
{
	struct house *h = *state;
	struct item_record record;
	struct msg m;
	enum rc rc;

	start(h);
	put(h, h->edge, EDGE, 7, 100);
	put(h, h->spool, SPOOL, 7, 3);
	put(h, h->spool, SPOOL, 8, 1);
	assert_int_equal(count_of(h, 7, 103, &rc), 103);
	assert_int_equal(rc, RC_OK);
	for (unsigned i = 0; i < 100; i++)
		put(h, h->edge, EDGE, 9, 200);
	stop(h);
	start(h);
	assert_int_equal(count_of(h, 7, 103, &rc), 103);
	assert_int_equal(count_of(h, 9, 20000, &rc), 20000);
	ask(h, 8, 0, &m);
	assert_int_equal(m.journal_answer.more, 0);
	assert_true(item_next_record(&m.journal_answer.records, &record));
	assert_int_equal(record.id, 8);
	assert_int_equal(record.at_us, h->now_us);
	assert_str(record.fields, STR("event=decision reply=ok"));
	stop(h);
}

/* No file can be made: the channels are read all the same, and answers come from memory. */
static void
test_disk_that_fails(void **state)
{
	struct house *h = *state;
	char path[128];
	struct buf b = BUF_ON(path);
	enum rc rc;

	path_of(h, "", &b);
	assert_int_equal(mkdir(path, 0700), 0); /* a folder stands where the file should */
	start(h);
	put(h, h->edge, EDGE, 7, 40);
	assert_int_equal(count_of(h, 7, 40, &rc), 40);
	assert_int_equal(rc, RC_TEMP);
	for (unsigned i = 0; i < 1000; i++)
		put(h, h->edge, EDGE, 9, 200);
	put(h, h->spool, SPOOL, 10, 1);
	assert_int_equal(count_of(h, 10, 1, &rc), 1);
	stop(h);
}

/* A damaged file is kept under another name; the new one works. */
static void
test_damaged_file(void **state)
{
	struct house *h = *state;
	char path[128];
	struct buf b = BUF_ON(path);
	enum rc rc;

	path_of(h, "", &b);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(fputs("this was a journal once\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	start(h);
	put(h, h->edge, EDGE, 7, 1);
	assert_int_equal(count_of(h, 7, 1, &rc), 1);
	assert_int_equal(rc, RC_OK);
	stop(h);
	path_of(h, ".damaged", &b);
	assert_int_equal(access(path, F_OK), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_and_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_that_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
