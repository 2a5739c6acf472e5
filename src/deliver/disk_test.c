/*
 * When syncfs, when fsync; what an error means. See disk.h.
 */
#include <errno.h>
#include <string.h>

#include "base/test.h"
#include "deliver/disk.h"

static struct {
	uint64_t now_ms;
	uint64_t syncfs_takes_ms;
	int syncfs_error;
	int fsync_error;
	unsigned syncfs_calls;
	unsigned fsync_calls;
} world;

static int
answer(int error)
{
	errno = error;
	return error == 0 ? 0 : -1;
}

static int
our_syncfs(int fd)
{
	(void)fd;
	world.now_ms += world.syncfs_takes_ms;
	world.syncfs_calls++;
	return answer(world.syncfs_error);
}

static int
our_fsync(int fd)
{
	(void)fd;
	world.fsync_calls++;
	return answer(world.fsync_error);
}

static uint64_t
our_now_ms(void)
{
	return world.now_ms;
}

static const struct disk_calls calls = {our_syncfs, our_fsync, our_now_ms};

static int
reset(void **state)
{
	static struct disk d;

	memset(&world, 0, sizeof(world));
	world.now_ms = 1000;
	d = (struct disk){.calls = &calls};
	*state = &d;
	return 0;
}

/* A batch: one file, then all. */
static enum rc
batch(struct disk *d)
{
	struct err e;

	if (disk_sync_one(d, 3, "a file", &e) != RC_OK)
		return e.rc;
	return disk_sync_all(d, &e);
}

static void
test_a_batch_is_one_syncfs(void **state)
{
	struct disk *d = *state;

	world.syncfs_takes_ms = DISK_SLOW_MS;
	for (int i = 0; i < 100; i++)
		assert_int_equal(batch(d), RC_OK);
	assert_int_equal(world.syncfs_calls, 100);
	assert_int_equal(world.fsync_calls, 0);
}

static void
test_slow_syncfs_gives_way_to_fsync_for_a_while(void **state)
{
	struct disk *d = *state;

	world.syncfs_takes_ms = 5 * DISK_SLOW_MS;
	assert_int_equal(batch(d), RC_OK);
	for (int i = 0; i < 10; i++)
		assert_int_equal(batch(d), RC_OK);
	assert_int_equal(world.syncfs_calls, 1);
	assert_int_equal(world.fsync_calls, 10);
	world.now_ms += DISK_RETRY_MS;
	assert_int_equal(batch(d), RC_OK); /* its files are still synced one by one */
	assert_int_equal(world.fsync_calls, 11);
	assert_int_equal(batch(d), RC_OK);
	assert_int_equal(world.syncfs_calls, 2);
}

static void
test_one_good_syncfs_after_a_slow_time_suffices(void **state)
{
	struct disk *d = *state;

	world.syncfs_takes_ms = 600 * DISK_SLOW_MS;
	assert_int_equal(batch(d), RC_OK);
	world.now_ms += DISK_RETRY_MS;
	world.syncfs_takes_ms = 1;
	for (int i = 0; i < 4; i++)
		assert_int_equal(batch(d), RC_OK);
	assert_int_equal(world.syncfs_calls, 4);
	assert_int_equal(world.fsync_calls, 1);
}

static void
test_a_single_late_one_changes_nothing(void **state)
{
	struct disk *d = *state;

	world.syncfs_takes_ms = 2;
	assert_int_equal(batch(d), RC_OK);
	world.syncfs_takes_ms = 3 * DISK_SLOW_MS;
	assert_int_equal(batch(d), RC_OK);
	assert_false(d->each);
}

/* EINTR too: nobody knows any more what is on the disk. */
static void
test_any_error_is_for_good(void **state)
{
	static const int errors[] = {EIO, ENOSPC, EDQUOT, EINTR, EAGAIN, EROFS, EBADF};

	for (size_t i = 0; i < LENGTH(errors); i++) {
		struct disk *d;

		(void)reset(state);
		d = *state;
		world.syncfs_error = errors[i];
		assert_int_equal(batch(d), RC_TEMP);
		assert_true(d->broken);
		assert_int_equal(d->cause.sys, errors[i]);
	}
}

static void
test_an_error_of_fsync_is_for_good(void **state)
{
	struct disk *d = *state;

	d->each = true;
	d->retry_ms = world.now_ms + 1;
	world.fsync_error = EIO;
	assert_int_equal(batch(d), RC_TEMP);
	assert_true(d->broken);
	assert_int_equal(world.fsync_calls, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_batch_is_one_syncfs, reset),
		cmocka_unit_test_setup(test_slow_syncfs_gives_way_to_fsync_for_a_while, reset),
		cmocka_unit_test_setup(test_one_good_syncfs_after_a_slow_time_suffices, reset),
		cmocka_unit_test_setup(test_a_single_late_one_changes_nothing, reset),
		cmocka_unit_test_setup(test_any_error_is_for_good, reset),
		cmocka_unit_test_setup(test_an_error_of_fsync_is_for_good, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
