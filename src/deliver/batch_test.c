/*
 * Deliveries on a real file system, with syncs that we make fail. See batch.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fd.h"
#include "base/test.h"
#include "deliver/scene.h"

static void
test_a_message_is_a_file_in_new(void **state)
{
	static const char want[] = "Return-Path: <s@example.net>\n"
				   "X-Original-To: Alice+x@example.org\n"
				   "Delivered-To: " ALICE "\n" BODY;
	struct mailfile_name name;
	char path[PATH_MAX];
	char got[sizeof(want) + 10];
	struct stat st;
	struct err e;
	size_t n;

	assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
	scene_settle(*state);
	name = scene_file_in(NEW);
	scene_path_of(path, NEW, name.c);
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY);

	assert_int_equal(fd_read_all(fd, got, sizeof(got), &n, &e), RC_OK);
	assert_str(((struct str){got, n}), str_of(want));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(name.c, "1577836800.1_0000000000400_1.mail.example.org,S=114");
	assert_int_equal(st.st_size, 114);
}

static void
test_folders_are_made_private_and_whole(void **state)
{
	static const char *const folders[] = {"example.org", "example.org/alice",     NEW,
	                                      CUR,           "example.org/alice/tmp", ".tmp-0"};

	assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
	for (size_t i = 0; i < LENGTH(folders); i++) {
		struct stat st;

		assert_int_equal(lstat(folders[i], &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_int_equal(scene_count_files(".tmp-0"), 0);
	assert_int_equal(scene_count_files("example.org/alice/tmp"), 0);
}

static void
test_one_sync_after_the_last_rename(void **state)
{
	for (unsigned no = 1; no <= BATCH_MAX; no++) {
		assert_false(batch_full(*state));
		assert_int_equal(scene_put(*state, no)->rc, RC_OK);
	}
	assert_true(batch_full(*state));
	assert_int_equal(scene.syncfs_calls, 0);
	scene_settle(*state);
	assert_int_equal(scene.syncfs_calls, 1);
	assert_int_equal(scene.there, BATCH_MAX);
	assert_int_equal(scene.fsync_calls, 0);
	assert_false(batch_full(*state));
}

static void
test_octets_fill_a_batch_too(void **state)
{
	struct mail m = scene_mail_no(1);

	m.size = BATCH_OCTETS_MAX; /* it is corrupt, but was work */
	assert_int_equal(scene_put_to(*state, &m, ALICE, 1)->rc, RC_PERM);
	assert_true(batch_full(*state));
}

static void
test_where_nothing_was_delivered_nothing_is_synced(void **state)
{
	struct mail m = scene_mail_no(1);

	m.hash++;
	assert_int_equal(scene_put_to(*state, &m, ALICE, 1)->rc, RC_PERM);
	scene_settle(*state);
	assert_int_equal(scene.syncfs_calls, 0);
	assert_int_equal(scene_count_files(NEW), 0);
	assert_int_equal(scene_count_files(".tmp-0"), 0);
}

static void
test_each_recipient_has_its_own_file(void **state)
{
	struct mail m = scene_mail_no(1);

	assert_int_equal(scene_put_to(*state, &m, ALICE, 1)->rc, RC_OK);
	assert_int_equal(scene_put_to(*state, &m, ALICE, 2)->rc, RC_OK); /* by an alias */
	assert_int_equal(scene_put_to(*state, &m, "bob@example.org", 3)->rc, RC_OK);
	scene_settle(*state);
	assert_int_equal(scene_count_files(NEW), 2);
	assert_int_equal(scene_count_files("example.org/bob/new"), 1);
}

/* One bad recipient takes no other with it. */
static void
test_a_mailbox_that_is_none_fails_alone(void **state)
{
	struct mail m = scene_mail_no(1);

	assert_int_equal(scene_put_to(*state, &m, "a@..", 1)->rc, RC_PERM);
	assert_int_equal(scene_put_to(*state, &m, "../../up@example.org", 2)->rc, RC_OK);
	assert_int_equal(scene_put_to(*state, &m, ALICE, 3)->rc, RC_OK);
	scene_settle(*state);
	assert_int_equal(scene_count_files("example.org/%2E.%2F..%2Fup/new"), 1);
	assert_int_equal(scene_count_files(NEW), 1);
}

/* ---- replays ---- */

static void
test_a_replay_replaces_the_file_in_new(void **state)
{
	scene_put(*state, 1);
	scene_put_file(NEW, scene_file_in(NEW).c, "cut by a crash");
	batch_clear(*state);
	assert_int_equal(scene_put_again(*state, 1)->rc, RC_OK);
	scene_settle(*state);
	struct stat st;
	char path[PATH_MAX];

	scene_path_of(path, NEW, scene_file_in(NEW).c);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 114);
}

/* It may have been seen before it was durable: so it is still synced. */
static void
test_a_replay_of_what_was_seen_brings_no_second(void **state)
{
	scene_put(*state, 1);
	scene_see();
	batch_clear(*state);
	assert_int_equal(scene_put_again(*state, 1)->rc, RC_OK);
	scene_settle(*state);
	assert_int_equal(scene.syncfs_calls, 1);
	assert_int_equal(scene_count_files(NEW), 0);
	assert_int_equal(scene_count_files(CUR), 1);
}

static void
test_what_was_seen_but_cut_comes_again(void **state)
{
	char name[PATH_MAX];

	scene_put(*state, 1);
	scene_see();
	(void)snprintf(name, sizeof(name), "%s", scene_file_in(CUR).c);
	scene_put_file(CUR, name, "");
	batch_clear(*state);
	assert_int_equal(scene_put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(scene_count_files(NEW), 1);
}

static void
test_another_name_in_cur_is_another_message(void **state)
{
	scene_put(*state, 1);
	struct mailfile_name name = scene_file_in(NEW);
	char longer[PATH_MAX];

	(void)snprintf(longer, sizeof(longer), "%s0:2,S", name.c);
	scene_put_file(CUR, longer, "x");
	batch_clear(*state);
	assert_int_equal(scene_put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(scene_count_files(NEW), 1);
	assert_int_equal(scene_count_files(CUR), 1);
}

static void
test_a_replay_before_the_mailbox_was_made_delivers(void **state)
{
	assert_int_equal(scene_put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(scene_count_files(NEW), 1);
}

/* ---- syncs that fail ---- */

static void
test_after_a_failed_sync_nothing_is_left(void **state)
{
	struct batch *b = *state;
	struct err e;

	scene_put(b, 1);
	scene_settle(b);
	scene_put(b, 2);
	scene_put_to(b, &(struct mail){.id = 1, .size = 1}, ALICE, 1); /* corrupt */
	scene_put(b, 3);
	scene.error = EIO;
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	assert_int_equal(scene_count_files(NEW), 1); /* the first was durable */
	scene_check_temp(batch_outcome(b, 0), "Input/output error");
	assert_int_equal(batch_outcome(b, 1)->rc, RC_PERM);
	scene_check_temp(batch_outcome(b, 2), "Input/output error");
	assert_int_equal(scene.syncfs_calls, 2);
}

/* The error was told once: a second syncfs would say that all is well. */
static void
test_a_failed_sync_is_never_asked_again(void **state)
{
	struct batch *b = *state;
	struct err e;

	scene_put(b, 1);
	scene.error = EIO;
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	batch_clear(b);
	scene.error = 0;
	scene_put(b, 2);
	assert_true(batch_full(b));
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	assert_int_equal(scene.syncfs_calls, 1);
	assert_int_equal(scene_count_files(NEW), 0);
}

/* Else the replay would find it there and take it for durable. */
static void
test_a_failed_sync_takes_back_what_was_seen(void **state)
{
	struct err e;

	scene_put(*state, 1);
	scene_see();
	scene_put_again(*state, 1);
	scene.error = EIO;
	assert_int_equal(batch_sync(*state, &e), RC_TEMP);
	assert_int_equal(scene_count_files(NEW) + scene_count_files(CUR), 0);
	scene_check_temp(batch_outcome(*state, 1), "Input/output error");
}

static void
test_somebody_elses_failed_sync_takes_all_back(void **state)
{
	scene_put(*state, 1);
	scene_put(*state, 2);
	batch_undo(*state, "void");
	assert_int_equal(scene_count_files(NEW), 0);
	scene_check_temp(batch_outcome(*state, 0), "void");
	scene_check_temp(batch_outcome(*state, 1), "void");
}

/* From here on syncfs is too slow, and files are synced one by one. */
static void
slow_down(struct batch *b)
{
	scene.takes_ms = 10 * DISK_SLOW_MS;
	scene_put(b, 1000);
	scene_settle(b);
	scene.fsync_calls = 0;
	scene.syncfs_calls = 0;
}

static void
test_while_syncfs_is_slow_files_and_folders_are_synced(void **state)
{
	struct batch *b = *state;

	slow_down(b);
	scene_put(b, 1);
	scene_put(b, 2);
	assert_int_equal(scene.fsync_calls, 3 + 2); /* the folders above, looked up again */
	scene_settle(b);
	assert_int_equal(scene.fsync_calls, 3 + 2 + 1); /* new/, once */
	scene_put_to(b, &(struct mail){.id = 1, .hash = XXH3_64bits("", 0), .body_fd = -1},
	             "bob@example.org", 1);
	scene_settle(b);
	assert_int_equal(scene.fsync_calls, 6 + 5);
	assert_int_equal(scene.syncfs_calls, 0);
}

static void
test_one_failed_fsync_takes_the_batch_back(void **state)
{
	struct batch *b = *state;
	struct err e;

	slow_down(b);
	scene_put(b, 1);
	scene.error = EIO;
	scene_check_temp(scene_put(b, 2), "Input/output error");
	assert_true(batch_full(b));
	scene.error = 0;
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	scene_check_temp(batch_outcome(b, 0), "Input/output error");
	assert_int_equal(scene_count_files(NEW), 1); /* of the time before */
	assert_int_equal(scene_count_files(".tmp-0"), 0);
}

static void
test_while_syncfs_is_slow_what_was_seen_is_synced(void **state)
{
	struct batch *b = *state;
	struct err e;

	scene_put(b, 1);
	scene_see();
	batch_clear(b);
	slow_down(b);
	assert_int_equal(scene_put_again(b, 1)->rc, RC_OK);
	assert_int_equal(scene.fsync_calls, 2); /* the file and cur/ */
	scene.error = EIO;
	batch_clear(b);
	scene_check_temp(scene_put_again(b, 1), "Input/output error");
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	assert_int_equal(scene_count_files(CUR), 0);
}

/* ---- a full disk ---- */

static void
deliver_until_full(struct batch *b)
{
	static char big[60000];
	struct mail m = scene_mail_no(1);
	const struct outcome *o;

	m.body = (struct str){big, sizeof(big)};
	m.size = sizeof(big);
	m.hash = XXH3_64bits(big, sizeof(big));
	do {
		m.seq++;
		o = scene_put_to(b, &m, ALICE, 1);
	} while (o->rc == RC_OK && !batch_full(b));
	scene_check_temp(o, "mailbox full, or no room");
	scene_settle(b);
	assert_int_equal(scene_count_files(NEW), m.seq - 2);
	assert_int_equal(scene_count_files(".tmp-0"), 0);
}

static void
test_a_full_disk_fails_one_recipient_and_leaves_no_part(void **state)
{
	*state = batch_free(*state);
	if (mount("none", scene_home, "tmpfs", 0, "size=1m") != 0) {
		print_message("skipped: no tmpfs can be mounted here\n");
		*state = scene_open();
		skip();
	}
	assert_int_equal(chdir(scene_home), 0);
	*state = scene_open();
	deliver_until_full(*state);
	assert_int_equal(scene_put(*state, 100)->rc, RC_OK); /* a small one has room */
	*state = batch_free(*state);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(umount(scene_home), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_start, scene_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_is_a_file_in_new),
		TEST(test_folders_are_made_private_and_whole),
		TEST(test_one_sync_after_the_last_rename),
		TEST(test_octets_fill_a_batch_too),
		TEST(test_where_nothing_was_delivered_nothing_is_synced),
		TEST(test_each_recipient_has_its_own_file),
		TEST(test_a_mailbox_that_is_none_fails_alone),
		TEST(test_a_replay_replaces_the_file_in_new),
		TEST(test_a_replay_of_what_was_seen_brings_no_second),
		TEST(test_what_was_seen_but_cut_comes_again),
		TEST(test_another_name_in_cur_is_another_message),
		TEST(test_a_replay_before_the_mailbox_was_made_delivers),
		TEST(test_after_a_failed_sync_nothing_is_left),
		TEST(test_a_failed_sync_is_never_asked_again),
		TEST(test_a_failed_sync_takes_back_what_was_seen),
		TEST(test_somebody_elses_failed_sync_takes_all_back),
		TEST(test_while_syncfs_is_slow_files_and_folders_are_synced),
		TEST(test_one_failed_fsync_takes_the_batch_back),
		TEST(test_while_syncfs_is_slow_what_was_seen_is_synced),
		TEST(test_a_full_disk_fails_one_recipient_and_leaves_no_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
