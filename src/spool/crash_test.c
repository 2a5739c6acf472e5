/*
 * PWR-3, KILL-1 and IO-1 for spool.db: the process ends, power fails, or the disk does,
 * before each single write and sync; then what was said to be durable is there, whole, and
 * what was not is whole or absent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/test.h"
#include "spool/disk_fake.h"
#include "spool/tables.h"

#define MAILS 12
#define CALLS_MOST 2000
#define SEEDS 3

/* On another "disk": shared with the process that dies. */
struct ledger {
	bool kept[MAILS + 1];    /* its commit returned */
	bool removed[MAILS + 1]; /* the removal's commit returned */
	bool begun[MAILS + 1];   /* its removal was asked for */
	bool finished;
	unsigned calls;
};

struct room {
	char dir[64];
	char path[96];
	struct ledger *ledger;
};

static void
clear(const struct room *r)
{
	static const char *const ends[] = {"", "-wal", "-journal"};

	for (size_t i = 0; i < LENGTH(ends); i++) {
		char path[128];
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%s%s", r->path, ends[i]);
		(void)unlink(path);
	}
	memset(r->ledger, 0, sizeof(*r->ledger));
}

static int
setup(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	struct buf dir = BUF_ON(r->dir);
	struct buf path = BUF_ON(r->path);

	buf_add(&dir, STR("/tmp/sekisho-crash-XXXXXX"));
	assert_non_null(mkdtemp(r->dir));
	buf_addf(&path, "%s/spool.db", r->dir);
	r->ledger = mmap(NULL, sizeof(*r->ledger), PROT_READ | PROT_WRITE,
	                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(r->ledger != MAP_FAILED);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct room *r = *state;

	clear(r);
	(void)munmap(r->ledger, sizeof(*r->ledger));
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

/* Of different lengths; the longest fills several pages. */
static struct str
body_of(uint64_t id)
{
	static char room[20000];

	memset(room, 'a' + (int)id, sizeof(room));
	return (struct str){room, id * id * 100};
}

static enum rc
put(struct tables *t, uint64_t id, struct err *e)
{
	struct str body = body_of(id);
	struct mail_row m = {.id = id,
	                     .seq = id,
	                     .arrived_us = id,
	                     .rcpts = 1,
	                     .size = body.n,
	                     .hash = XXH3_64bits(body.p, body.n),
	                     .sender = STR("a@example.net"),
	                     .body = body};
	struct rcpt_row r = {.id = id, .next_us = id, .mailbox = STR("b@example.org")};

	if (tables_begin(t, e) != RC_OK || tables_put_mail(t, &m, e) != RC_OK)
		return e->rc;
	return tables_put_rcpt(t, &r, e);
}

static enum rc
drop(struct tables *t, uint64_t id, struct err *e)
{
	if (tables_begin(t, e) != RC_OK || tables_drop_rcpt(t, id, 0, e) != RC_OK)
		return e->rc;
	return tables_drop_mail(t, id, e);
}

/* Three messages a commit; each commit also removes one of the batch before. */
static enum rc
batch(struct tables *t, struct ledger *l, uint64_t first, struct err *e)
{
	for (uint64_t id = first; id < first + 3; id++)
		if (put(t, id, e) != RC_OK)
			return e->rc;
	if (first > 3) {
		l->begun[first - 3] = true;
		if (drop(t, first - 3, e) != RC_OK)
			return e->rc;
	}
	if (tables_commit(t, e) != RC_OK)
		return e->rc;
	for (uint64_t id = first; id < first + 3; id++)
		l->kept[id] = true;
	if (first > 3)
		l->removed[first - 3] = true;
	return RC_OK;
}

/* A life of the process: a failure ends it as batch_lost does. */
static void
live(const struct room *r)
{
	struct tables *t = NULL;
	struct ledger *l = r->ledger;
	uint32_t boot;
	struct err e = {.rc = RC_OK};

	if (tables_open(r->path, &t, &e) != RC_OK || tables_boot(t, &boot, &e) != RC_OK)
		return;
	for (uint64_t first = 1; first < MAILS; first += 3) {
		if (batch(t, l, first, &e) == RC_OK)
			continue;
		if (e.sys != ENOSPC && e.sys != ENOMEM) {
			return; /* and never closes it */
		}
		tables_rollback(t);
	}
	if (tables_checkpoint(t, &e) == RC_OK)
		l->finished = true;
	(void)tables_close(t);
}

/* It dies by <how>; *r->ledger says what it had promised. */
static void
one_life(const struct room *r, struct disk_fake how)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		disk = how;
		live(r);
		r->ledger->calls = disk.calls;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* False: something promised is lost. Half a message fails at once. */
static bool
promises_hold(const struct room *r, struct tables *t)
{
	const struct ledger *l = r->ledger;
	bool hold = true;

	for (uint64_t id = 1; id <= MAILS; id++) {
		struct mail_row m;
		struct err e;
		bool there = tables_mail(t, id, &m, &e) == RC_OK;

		if (!there)
			assert_int_equal(e.sys, ENOENT);
		else
			assert_true(str_eq(m.body, body_of(id)));
		tables_mail_end(t);
		assert_int_equal(tables_has_rcpts(t, id, &e) == RC_OK, there);
		hold = hold && (there || !l->kept[id] || l->begun[id]) &&
		       (!there || !l->removed[id]);
	}
	return hold;
}

static bool
hold_after(const struct room *r, struct disk_fake how)
{
	struct tables *t = NULL;
	struct err e = {.text = ""};

	clear(r);
	one_life(r, how);
	if (tables_open(r->path, &t, &e) != RC_OK) {
		if (!how.sync_is_empty)
			fail_msg("call %u: %s", how.cut_at, e.text);
		return false;
	}
	bool hold = promises_hold(r, t);
	(void)tables_close(t);
	return hold;
}

static unsigned
calls_of_a_life(const struct room *r)
{
	clear(r);
	one_life(r, (struct disk_fake){0});
	assert_true(r->ledger->finished);
	assert_in_range(r->ledger->calls, 50, CALLS_MOST);
	return r->ledger->calls;
}

static void
test_power_may_fail_before_any_call(void **state)
{
	struct room *r = *state;
	unsigned calls = calls_of_a_life(r);

	for (unsigned at = 1; at <= calls; at++)
		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			if (!hold_after(r, (struct disk_fake){.cut_at = at, .seed = seed}))
				fail_msg("lost: cut before call %u, seed %u", at,
				         (unsigned)seed);
	printf("%u power cuts\n", calls * SEEDS);
}

/* The same with syncs that do nothing must find losses, or it finds nothing at all. */
static void
test_missing_sync_is_found(void **state)
{
	struct room *r = *state;
	unsigned calls = calls_of_a_life(r);
	unsigned lost = 0;

	for (unsigned at = 1; at <= calls; at++) {
		clear(r);
		one_life(r,
		         (struct disk_fake){.cut_at = at, .seed = at, .sync_is_empty = true});
		struct tables *t = NULL;
		struct err e;
		bool hold = true;

		if (tables_open(r->path, &t, &e) != RC_OK) {
			lost++;
			continue;
		}
		for (uint64_t id = 1; id <= MAILS; id++) {
			struct mail_row m;

			hold = hold && (!r->ledger->kept[id] || r->ledger->begun[id] ||
			                tables_mail(t, id, &m, &e) == RC_OK);
			tables_mail_end(t);
		}
		lost += !hold;
		(void)tables_close(t);
	}
	printf("%u of %u cuts lose mail when syncs do nothing\n", lost, calls);
	assert_true(lost > calls / 4);
}

/* Each call fails once, with each error; nothing promised is lost, now or after a cut. */
static void
test_any_call_may_fail(void **state)
{
	static const int numbers[] = {ENOSPC, EIO, EDQUOT, EROFS, EINVAL};
	struct room *r = *state;
	unsigned calls = calls_of_a_life(r);

	for (unsigned at = 1; at <= calls; at++)
		for (size_t i = 0; i < LENGTH(numbers); i++)
			if (!hold_after(r, (struct disk_fake){.fail_write = at,
			                                      .fail_errno = numbers[i]}))
				fail_msg("lost: call %u failed with %d", at, numbers[i]);
	printf("%zu failed calls\n", calls * LENGTH(numbers));
}

/* SQLite calls a file that cannot be read damaged: we must not, or nobody tries again. */
static void
test_failed_read_is_not_damage(void **state)
{
	struct room *r = *state;
	unsigned failed = 0;
	unsigned reads = 0;

	clear(r);
	one_life(r, (struct disk_fake){.cut_at = 120});
	do {
		struct tables *t = NULL;
		struct mail_row m;
		struct err e = {.rc = RC_OK};

		disk = (struct disk_fake){.fail_read = ++failed};
		enum rc rc = tables_open(r->path, &t, &e);
		for (uint64_t id = 1; rc == RC_OK && id <= MAILS; id++) {
			rc = tables_mail(t, id, &m, &e);
			tables_mail_end(t);
			if (rc != RC_OK && e.sys == ENOENT)
				rc = RC_OK;
		}
		if (rc != RC_OK && (rc != RC_TEMP || e.sys == EBADMSG))
			fail_msg("read %u: %s", failed, e.text);
		reads = disk.reads;
		disk = (struct disk_fake){0};
		(void)tables_close(t);
	} while (reads >= failed);
	assert_in_range(failed, 5, 200);
}

/* And the life after it loses nothing either when power fails in it (KILL-3). */
static void
test_recovery_may_be_cut_as_well(void **state)
{
	struct room *r = *state;
	unsigned calls = calls_of_a_life(r);

	for (unsigned at = 40; at <= calls; at += 7)
		for (unsigned again = 1; again < 30; again += 3) {
			struct tables *t;
			struct err e = {.text = ""};

			clear(r);
			one_life(r, (struct disk_fake){.cut_at = at, .seed = again});
			struct ledger kept = *r->ledger;
			one_life(r, (struct disk_fake){.cut_at = again, .seed = at});
			*r->ledger = kept;
			if (tables_open(r->path, &t, &e) != RC_OK)
				fail_msg("%s", e.text);
			if (!promises_hold(r, t))
				fail_msg("lost: cut at %u, then at %u", at, again);
			(void)tables_close(t);
		}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_power_may_fail_before_any_call),
		TEST(test_missing_sync_is_found),
		TEST(test_any_call_may_fail),
		TEST(test_failed_read_is_not_damage),
		TEST(test_recovery_may_be_cut_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
