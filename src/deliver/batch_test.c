/*
 * Deliveries on a real file system, with syncs that we make fail. See batch.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fd.h"
#include "base/test.h"
#include "deliver/batch.h"
#include "deliver/folders.h"
#include "ipc/msg.h"

#define BODY "Subject: hi\n\nhello"
#define ALICE "alice@example.org"
#define NEW "example.org/alice/new"
#define CUR "example.org/alice/cur"

static char home[64]; /* the mail folder, on a disk */

static struct {
	uint64_t now_ms;
	int error;         /* of each sync */
	uint64_t takes_ms; /* syncfs */
	unsigned syncfs_calls;
	unsigned fsync_calls;
	unsigned there; /* files in NEW at the last syncfs */
} world;

/* ---- looking at folders ---- */

static unsigned
count_files(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned count = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}

/* The only file there. */
static struct mailfile_name
file_in(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct mailfile_name name = {""};

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			(void)snprintf(name.c, sizeof(name.c), "%s", entry->d_name);
	(void)closedir(dir);
	assert_int_equal(count_files(folder), 1);
	return name;
}

static void
path_of(char path[PATH_MAX], const char *folder, const char *name)
{
	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

static void
put_file(const char *folder, const char *name, const char *content)
{
	char path[PATH_MAX];
	int fd;

	path_of(path, folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	(void)close(fd);
}

/* A reader has seen it: new/NAME becomes cur/NAME:2,S. */
static void
see(void)
{
	struct mailfile_name name = file_in(NEW);
	char old[PATH_MAX];
	char now[PATH_MAX];

	path_of(old, NEW, name.c);
	(void)snprintf(now, sizeof(now), "%s/%s:2,S", CUR, name.c);
	assert_int_equal(rename(old, now), 0);
}

/* ---- the system, as we want it ---- */

static int
answer(void)
{
	errno = world.error;
	return world.error == 0 ? 0 : -1;
}

static int
our_syncfs(int fd)
{
	(void)fd;
	world.syncfs_calls++;
	world.now_ms += world.takes_ms;
	world.there = count_files(NEW);
	return answer();
}

static int
our_fsync(int fd)
{
	(void)fd;
	world.fsync_calls++;
	return answer();
}

static uint64_t
our_now_ms(void)
{
	return world.now_ms;
}

static const struct disk_calls calls = {our_syncfs, our_fsync, our_now_ms};

static struct batch *
open_batch(void)
{
	struct batch *b;
	struct err e;

	if (batch_open(0, STR("mail.example.org"), &calls, &b, &e) != RC_OK)
		fail_msg("%s", e.text);
	return b;
}

static int
start(void **state)
{
	(void)snprintf(home, sizeof(home), "/tmp/sekisho-batch-XXXXXX");
	if (mkdtemp(home) == NULL || chdir(home) != 0)
		return -1;
	memset(&world, 0, sizeof(world));
	world.now_ms = 1;
	*state = open_batch();
	return 0;
}

static void
remove_all(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[PATH_MAX];

		if (str_eq(str_of(entry->d_name), STR(".")) ||
		    str_eq(str_of(entry->d_name), STR("..")))
			continue;
		path_of(path, folder, entry->d_name);
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			remove_all(path);
		else
			(void)unlink(path);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(folder);
}

static int
stop(void **state)
{
	*state = batch_free(*state);
	if (chdir("/") != 0)
		return -1;
	remove_all(home);
	return 0;
}

/* ---- delivering ---- */

static struct mail
mail_no(unsigned no)
{
	return (struct mail){.id = (uint64_t)no << 12,
	                     .seq = no,
	                     .size = sizeof(BODY) - 1,
	                     .hash = XXH3_64bits(BODY, sizeof(BODY) - 1),
	                     .sender = STR("s@example.net"),
	                     .body = STR(BODY),
	                     .body_fd = -1};
}

static const struct outcome *
put_to(struct batch *b, const struct mail *m, const char *mailbox, unsigned n)
{
	struct item_rcpt to = {.n = (uint16_t)n,
	                       .mailbox = str_of(mailbox),
	                       .orig = STR("Alice+x@example.org")};

	batch_put(b, m, &to);
	return batch_outcome(b, batch_count(b) - 1);
}

static const struct outcome *
put(struct batch *b, unsigned no)
{
	struct mail m = mail_no(no);

	return put_to(b, &m, ALICE, 1);
}

static const struct outcome *
put_again(struct batch *b, unsigned no)
{
	struct mail m = mail_no(no);

	m.again = true;
	return put_to(b, &m, ALICE, 1);
}

static void
settle(struct batch *b)
{
	struct err e;

	assert_int_equal(batch_sync(b, &e), RC_OK);
	batch_clear(b);
}

static void
check_temp(const struct outcome *o, const char *why)
{
	assert_int_equal(o->rc, RC_TEMP);
	if (strstr(o->why, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", o->why, why);
}

/* ---- what is promised ---- */

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

	assert_int_equal(put(*state, 1)->rc, RC_OK);
	settle(*state);
	name = file_in(NEW);
	path_of(path, NEW, name.c);
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

	assert_int_equal(put(*state, 1)->rc, RC_OK);
	for (size_t i = 0; i < LENGTH(folders); i++) {
		struct stat st;

		assert_int_equal(lstat(folders[i], &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_int_equal(count_files(".tmp-0"), 0);
	assert_int_equal(count_files("example.org/alice/tmp"), 0);
}

static void
test_one_sync_after_the_last_rename(void **state)
{
	for (unsigned no = 1; no <= BATCH_MAX; no++) {
		assert_false(batch_full(*state));
		assert_int_equal(put(*state, no)->rc, RC_OK);
	}
	assert_true(batch_full(*state));
	assert_int_equal(world.syncfs_calls, 0);
	settle(*state);
	assert_int_equal(world.syncfs_calls, 1);
	assert_int_equal(world.there, BATCH_MAX);
	assert_int_equal(world.fsync_calls, 0);
	assert_false(batch_full(*state));
}

static void
test_octets_fill_a_batch_too(void **state)
{
	struct mail m = mail_no(1);

	m.size = BATCH_OCTETS_MAX; /* it is corrupt, but was work */
	assert_int_equal(put_to(*state, &m, ALICE, 1)->rc, RC_PERM);
	assert_true(batch_full(*state));
}

static void
test_where_nothing_was_delivered_nothing_is_synced(void **state)
{
	struct mail m = mail_no(1);

	m.hash++;
	assert_int_equal(put_to(*state, &m, ALICE, 1)->rc, RC_PERM);
	settle(*state);
	assert_int_equal(world.syncfs_calls, 0);
	assert_int_equal(count_files(NEW), 0);
	assert_int_equal(count_files(".tmp-0"), 0);
}

static void
test_each_recipient_has_its_own_file(void **state)
{
	struct mail m = mail_no(1);

	assert_int_equal(put_to(*state, &m, ALICE, 1)->rc, RC_OK);
	assert_int_equal(put_to(*state, &m, ALICE, 2)->rc, RC_OK); /* by an alias */
	assert_int_equal(put_to(*state, &m, "bob@example.org", 3)->rc, RC_OK);
	settle(*state);
	assert_int_equal(count_files(NEW), 2);
	assert_int_equal(count_files("example.org/bob/new"), 1);
}

/* One bad recipient takes no other with it. */
static void
test_a_mailbox_that_is_none_fails_alone(void **state)
{
	struct mail m = mail_no(1);

	assert_int_equal(put_to(*state, &m, "a@..", 1)->rc, RC_PERM);
	assert_int_equal(put_to(*state, &m, "../../up@example.org", 2)->rc, RC_OK);
	assert_int_equal(put_to(*state, &m, ALICE, 3)->rc, RC_OK);
	settle(*state);
	assert_int_equal(count_files("example.org/%2E.%2F..%2Fup/new"), 1);
	assert_int_equal(count_files(NEW), 1);
}

/* ---- replays ---- */

static void
test_a_replay_replaces_the_file_in_new(void **state)
{
	put(*state, 1);
	put_file(NEW, file_in(NEW).c, "cut by a crash");
	batch_clear(*state);
	assert_int_equal(put_again(*state, 1)->rc, RC_OK);
	settle(*state);
	struct stat st;
	char path[PATH_MAX];

	path_of(path, NEW, file_in(NEW).c);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 114);
}

/* It may have been seen before it was durable: so it is still synced. */
static void
test_a_replay_of_what_was_seen_brings_no_second(void **state)
{
	put(*state, 1);
	see();
	batch_clear(*state);
	assert_int_equal(put_again(*state, 1)->rc, RC_OK);
	settle(*state);
	assert_int_equal(world.syncfs_calls, 1);
	assert_int_equal(count_files(NEW), 0);
	assert_int_equal(count_files(CUR), 1);
}

static void
test_what_was_seen_but_cut_comes_again(void **state)
{
	char name[PATH_MAX];

	put(*state, 1);
	see();
	(void)snprintf(name, sizeof(name), "%s", file_in(CUR).c);
	put_file(CUR, name, "");
	batch_clear(*state);
	assert_int_equal(put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(count_files(NEW), 1);
}

static void
test_another_name_in_cur_is_another_message(void **state)
{
	put(*state, 1);
	struct mailfile_name name = file_in(NEW);
	char longer[PATH_MAX];

	(void)snprintf(longer, sizeof(longer), "%s0:2,S", name.c);
	put_file(CUR, longer, "x");
	batch_clear(*state);
	assert_int_equal(put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(count_files(NEW), 1);
	assert_int_equal(count_files(CUR), 1);
}

static void
test_a_replay_before_the_mailbox_was_made_delivers(void **state)
{
	assert_int_equal(put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(count_files(NEW), 1);
}

/* ---- syncs that fail ---- */

static void
test_after_a_failed_sync_nothing_is_left(void **state)
{
	struct batch *b = *state;
	struct err e;

	put(b, 1);
	settle(b);
	put(b, 2);
	put_to(b, &(struct mail){.id = 1, .size = 1}, ALICE, 1); /* corrupt */
	put(b, 3);
	world.error = EIO;
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	assert_int_equal(count_files(NEW), 1); /* the first was durable */
	check_temp(batch_outcome(b, 0), "Input/output error");
	assert_int_equal(batch_outcome(b, 1)->rc, RC_PERM);
	check_temp(batch_outcome(b, 2), "Input/output error");
	assert_int_equal(world.syncfs_calls, 2);
}

/* The error was told once: a second syncfs would say that all is well. */
static void
test_a_failed_sync_is_never_asked_again(void **state)
{
	struct batch *b = *state;
	struct err e;

	put(b, 1);
	world.error = EIO;
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	batch_clear(b);
	world.error = 0;
	put(b, 2);
	assert_true(batch_full(b));
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	assert_int_equal(world.syncfs_calls, 1);
	assert_int_equal(count_files(NEW), 0);
}

/* Else the replay would find it there and take it for durable. */
static void
test_a_failed_sync_takes_back_what_was_seen(void **state)
{
	struct err e;

	put(*state, 1);
	see();
	put_again(*state, 1);
	world.error = EIO;
	assert_int_equal(batch_sync(*state, &e), RC_TEMP);
	assert_int_equal(count_files(NEW) + count_files(CUR), 0);
	check_temp(batch_outcome(*state, 1), "Input/output error");
}

static void
test_somebody_elses_failed_sync_takes_all_back(void **state)
{
	put(*state, 1);
	put(*state, 2);
	batch_undo(*state, "void");
	assert_int_equal(count_files(NEW), 0);
	check_temp(batch_outcome(*state, 0), "void");
	check_temp(batch_outcome(*state, 1), "void");
}

/* From here on syncfs is too slow, and files are synced one by one. */
static void
slow_down(struct batch *b)
{
	world.takes_ms = 10 * DISK_SLOW_MS;
	put(b, 1000);
	settle(b);
	world.fsync_calls = 0;
	world.syncfs_calls = 0;
}

static void
test_while_syncfs_is_slow_files_and_folders_are_synced(void **state)
{
	struct batch *b = *state;

	slow_down(b);
	put(b, 1);
	put(b, 2);
	assert_int_equal(world.fsync_calls, 3 + 2); /* the folders above, looked up again */
	settle(b);
	assert_int_equal(world.fsync_calls, 3 + 2 + 1); /* new/, once */
	put_to(b, &(struct mail){.id = 1, .hash = XXH3_64bits("", 0), .body_fd = -1},
	       "bob@example.org", 1);
	settle(b);
	assert_int_equal(world.fsync_calls, 6 + 5);
	assert_int_equal(world.syncfs_calls, 0);
}

static void
test_one_failed_fsync_takes_the_batch_back(void **state)
{
	struct batch *b = *state;
	struct err e;

	slow_down(b);
	put(b, 1);
	world.error = EIO;
	check_temp(put(b, 2), "Input/output error");
	assert_true(batch_full(b));
	world.error = 0;
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	check_temp(batch_outcome(b, 0), "Input/output error");
	assert_int_equal(count_files(NEW), 1); /* of the time before */
	assert_int_equal(count_files(".tmp-0"), 0);
}

static void
test_while_syncfs_is_slow_what_was_seen_is_synced(void **state)
{
	struct batch *b = *state;
	struct err e;

	put(b, 1);
	see();
	batch_clear(b);
	slow_down(b);
	assert_int_equal(put_again(b, 1)->rc, RC_OK);
	assert_int_equal(world.fsync_calls, 2); /* the file and cur/ */
	world.error = EIO;
	batch_clear(b);
	check_temp(put_again(b, 1), "Input/output error");
	assert_int_equal(batch_sync(b, &e), RC_TEMP);
	assert_int_equal(count_files(CUR), 0);
}

/* ---- what others do to the folders ---- */

static void
test_a_deleted_mailbox_is_made_again(void **state)
{
	put(*state, 1);
	settle(*state);
	remove_all("example.org");
	assert_int_equal(put(*state, 2)->rc, RC_OK);
	assert_int_equal(count_files(NEW), 1);
}

static void
test_a_mailbox_moved_away_is_soon_looked_up_again(void **state)
{
	put(*state, 1);
	settle(*state);
	assert_int_equal(rename("example.org/alice", "example.org/old"), 0);
	world.now_ms += FOLDERS_FRESH_MS;
	assert_int_equal(put(*state, 2)->rc, RC_OK);
	settle(*state);
	assert_int_equal(count_files(NEW), 1);
	assert_int_equal(count_files("example.org/old/new"), 1);
}

static unsigned
count_descriptors(void)
{
	return count_files("/proc/self/fd");
}

static void
test_any_number_of_mailboxes_takes_bounded_descriptors(void **state)
{
	unsigned before = count_descriptors();
	struct mail m = mail_no(1);

	for (unsigned i = 0; i < 2 * FOLDERS_MAX; i++) {
		char mailbox[64];

		(void)snprintf(mailbox, sizeof(mailbox), "u%u@example.org", i);
		assert_int_equal(put_to(*state, &m, mailbox, 1)->rc, RC_OK);
		if (batch_full(*state))
			settle(*state);
	}
	assert_true(count_descriptors() <= before + FOLDERS_MAX);
	assert_int_equal(count_files("example.org"), 2 * FOLDERS_MAX);
}

enum plant { PLANT_LINK, PLANT_DANGLING, PLANT_FIFO, PLANT_FILE };

static void
plant(enum plant what, const char *path)
{
	assert_int_equal(mkdir("outside", 0700) == 0 || errno == EEXIST, 1);
	switch (what) {
	case PLANT_LINK:
		assert_int_equal(symlink(home, path), 0);
		break;
	case PLANT_DANGLING:
		assert_int_equal(symlink("outside/made", path), 0);
		break;
	case PLANT_FIFO:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case PLANT_FILE:
		put_file(".", path, "x");
		break;
	}
}

/* It is neither followed nor opened nor removed, and mail waits until it is gone. */
static void
test_nothing_planted_for_a_folder_is_used(void **state)
{
	static const char *const places[] = {"example.org", "example.org/alice", NEW};

	for (size_t i = 0; i < LENGTH(places); i++) {
		for (int what = PLANT_LINK; what <= PLANT_FILE; what++) {
			(void)mkdir("example.org", 0700);
			(void)mkdir("example.org/alice", 0700);
			remove_all(places[i]);
			plant((enum plant)what, places[i]);
			check_temp(put(*state, 1), "open folder");
			assert_int_equal(count_files("outside"), 0);
			assert_int_equal(count_files(".tmp-0"), 0);
			assert_int_equal(unlink(places[i]), 0);
			batch_clear(*state);
		}
	}
	assert_int_equal(put(*state, 1)->rc, RC_OK);
}

/* We neither read nor write there but on a replay, which then waits. */
static void
test_nothing_planted_for_tmp_and_cur_is_used(void **state)
{
	for (int what = PLANT_LINK; what <= PLANT_FILE; what++) {
		(void)mkdir("example.org", 0700);
		(void)mkdir("example.org/alice", 0700);
		plant((enum plant)what, CUR);
		plant((enum plant)what, "example.org/alice/tmp");
		assert_int_equal(put(*state, 1)->rc, RC_OK);
		check_temp(put_again(*state, 1), "open folder cur");
		settle(*state);
		assert_int_equal(count_files("outside"), 0);
		remove_all("example.org");
		world.now_ms += FOLDERS_FRESH_MS;
	}
}

/* A reader's own file with our name in it is left as it is. */
static void
test_a_link_in_cur_is_no_delivery(void **state)
{
	char path[PATH_MAX];

	put(*state, 1);
	see();
	path_of(path, CUR, file_in(CUR).c);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	batch_clear(*state);
	assert_int_equal(put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(count_files(NEW), 1);
}

static void
test_a_start_empties_our_temporary_folder(void **state)
{
	*state = batch_free(*state);
	put_file(".tmp-0", "message", "half a mess");
	put_file(".tmp-0", "other", "");
	assert_int_equal(mkdir(".tmp-1", 0700), 0);
	put_file(".tmp-1", "message", "another process writes this");
	*state = open_batch();
	assert_int_equal(count_files(".tmp-0"), 0);
	assert_int_equal(count_files(".tmp-1"), 1);
}

static void
test_nothing_planted_for_our_temporary_folder_is_used(void **state)
{
	struct batch *b;
	struct err e;

	*state = batch_free(*state);
	for (int what = PLANT_LINK; what <= PLANT_FILE; what++) {
		remove_all(".tmp-0");
		plant((enum plant)what, ".tmp-0");
		assert_int_not_equal(batch_open(0, STR("h"), &calls, &b, &e), RC_OK);
		assert_int_equal(unlink(".tmp-0"), 0);
	}
}

/* ---- a full disk ---- */

static void
deliver_until_full(struct batch *b)
{
	static char big[60000];
	struct mail m = mail_no(1);
	const struct outcome *o;

	m.body = (struct str){big, sizeof(big)};
	m.size = sizeof(big);
	m.hash = XXH3_64bits(big, sizeof(big));
	do {
		m.seq++;
		o = put_to(b, &m, ALICE, 1);
	} while (o->rc == RC_OK && !batch_full(b));
	check_temp(o, "mailbox full, or no room");
	settle(b);
	assert_int_equal(count_files(NEW), m.seq - 2);
	assert_int_equal(count_files(".tmp-0"), 0);
}

static void
test_a_full_disk_fails_one_recipient_and_leaves_no_part(void **state)
{
	*state = batch_free(*state);
	if (mount("none", home, "tmpfs", 0, "size=1m") != 0) {
		print_message("skipped: no tmpfs can be mounted here\n");
		*state = open_batch();
		skip();
	}
	assert_int_equal(chdir(home), 0);
	*state = open_batch();
	deliver_until_full(*state);
	assert_int_equal(put(*state, 100)->rc, RC_OK); /* a small one has room */
	*state = batch_free(*state);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(umount(home), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

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
		TEST(test_a_deleted_mailbox_is_made_again),
		TEST(test_a_mailbox_moved_away_is_soon_looked_up_again),
		TEST(test_any_number_of_mailboxes_takes_bounded_descriptors),
		TEST(test_nothing_planted_for_a_folder_is_used),
		TEST(test_nothing_planted_for_tmp_and_cur_is_used),
		TEST(test_a_link_in_cur_is_no_delivery),
		TEST(test_a_start_empties_our_temporary_folder),
		TEST(test_nothing_planted_for_our_temporary_folder_is_used),
		TEST(test_a_full_disk_fails_one_recipient_and_leaves_no_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
