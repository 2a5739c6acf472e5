/*
 * Delivery into the Maildir of a user of the machine, who may do anything in the home but
 * what it takes other rights for. See layout.h; virtual mailboxes are in folders_test.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/test.h"
#include "deliver/folders.h"
#include "deliver/layout.h"
#include "deliver/scene.h"

#define INBOX "Maildir/new"
#define SEEN "Maildir/cur"
#define TMP "Maildir/tmp"

static int
start_user(void **state)
{
	if (scene_start(state) != 0)
		return -1;
	*state = batch_free(*state);
	scene_remove_all(".tmp-0");
	*state = scene_open_user("alice");
	return 0;
}

static void
see(void)
{
	struct mailfile_name name = scene_file_in(INBOX);
	char old[PATH_MAX];
	char now[PATH_MAX];

	scene_path_of(old, INBOX, name.c);
	(void)snprintf(now, sizeof(now), "%s/%s:2,S", SEEN, name.c);
	assert_int_equal(rename(old, now), 0);
}

static void
check_nothing_outside(void)
{
	assert_int_equal(scene_count_files("outside"), 0);
	assert_int_equal(scene_count_files(TMP), 0);
}

static void
test_a_message_is_a_file_in_the_users_maildir(void **state)
{
	static const char *const folders[] = {"Maildir", INBOX, SEEN, TMP};
	struct stat st;
	char path[PATH_MAX];

	assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
	scene_settle(*state);
	assert_int_equal(scene.syncfs_calls, 1);
	for (size_t i = 0; i < LENGTH(folders); i++) {
		assert_int_equal(lstat(folders[i], &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	scene_path_of(path, INBOX, scene_file_in(INBOX).c);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(scene_count_files(TMP), 0);
	assert_int_equal(scene_count_files("."), 1);
}

/* Whatever domain the mailbox is named by: the spool says which users' it is. */
static void
test_only_the_users_own_mail_is_taken(void **state)
{
	static const char *const others[] = {"bob@example.org",
	                                     "Alice@example.org",
	                                     "alic@example.org",
	                                     "alicee@example.org",
	                                     "alice",
	                                     "@example.org"};
	struct mail m = scene_mail_no(1);

	for (size_t i = 0; i < LENGTH(others); i++) {
		assert_int_equal(scene_put_to(*state, &m, others[i], 1)->rc, RC_PERM);
		batch_clear(*state);
	}
	assert_int_equal(scene_put_to(*state, &m, "alice@example.net", 2)->rc, RC_OK);
}

static void
test_a_replay_is_found_where_it_was_seen(void **state)
{
	scene_put(*state, 1);
	see();
	batch_clear(*state);
	assert_int_equal(scene_put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(scene_count_files(INBOX), 0);
	batch_undo(*state, "void");
	assert_int_equal(scene_count_files(SEEN), 0);
}

/* Readers and other deliverers have files there too; ours of another host may be in use. */
static void
test_a_start_removes_only_what_we_left(void **state)
{
	static const char *const kept[] = {"123.message", "sekisho-12.other.example.org",
	                                   "sekisho-", "sekisho-12.mail.example.org.bak"};

	*state = batch_free(*state);
	scene_put_file(TMP, "sekisho-12.mail.example.org", "half a mess");
	for (size_t i = 0; i < LENGTH(kept); i++)
		scene_put_file(TMP, kept[i], "");
	*state = scene_open_user("alice");
	assert_int_equal(scene_count_files(TMP), LENGTH(kept));
}

/* ---- what a user may have planted ---- */

enum plant { LINK, DANGLING, FIFO, PLAIN, NO_RIGHTS, PLANTS };

static void
plant(enum plant what, const char *path)
{
	char outside[PATH_MAX];

	switch (what) {
	case LINK:
		assert_int_equal(mkdir("outside", 0700) == 0 || errno == EEXIST, 1);
		scene_path_of(outside, scene_home, "outside");
		assert_int_equal(symlink(outside, path), 0);
		break;
	case DANGLING:
		assert_int_equal(symlink("outside/made", path), 0);
		break;
	case FIFO:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case PLAIN:
		scene_put_file(".", path, "x");
		break;
	default:
		assert_int_equal(mkdir(path, 0), 0);
		break;
	}
}

static void
test_nothing_planted_for_a_folder_is_used(void **state)
{
	static const char *const places[] = {INBOX, TMP};

	for (size_t i = 0; i < LENGTH(places); i++)
		for (int what = LINK; what < PLANTS; what++) {
			if (what == NO_RIGHTS && geteuid() == 0)
				continue;
			*state = batch_free(*state);
			*state = scene_open_user("alice");
			scene_remove_all(places[i]);
			plant((enum plant)what, places[i]);
			scene_check_temp(scene_put(*state, 1), "folder");
			check_nothing_outside();
			scene_remove_all(places[i]);
			batch_clear(*state);
			/* it is looked up again, as soon as it is one */
			assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
			scene_settle(*state);
		}
}

static void
test_nothing_planted_for_maildir_is_used(void **state)
{
	struct batch *b;
	struct err e;

	*state = batch_free(*state);
	for (int what = LINK; what < NO_RIGHTS; what++) {
		scene_remove_all("Maildir");
		plant((enum plant)what, "Maildir");
		assert_int_not_equal(
			batch_open(STR("alice"), 0, STR("h"), &scene_calls, &b, &e), RC_OK);
		assert_int_equal(scene_count_files("outside"), 0);
	}
	scene_remove_all("Maildir");
}

/* The name of a file is known before it comes: what has it gives way, and nothing behind it. */
static void
test_what_has_the_files_name_gives_way(void **state)
{
	char path[PATH_MAX];
	char kept[8] = "";
	int fd;

	assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
	scene_path_of(path, INBOX, scene_file_in(INBOX).c);
	scene_put_file(".", "kept", "kept");
	for (int what = 0; what < 2; what++) {
		assert_int_equal(unlink(path), 0);
		assert_int_equal(what == 0 ? symlink("../../kept", path) : link("kept", path),
		                 0);
		assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
		fd = open("kept", O_RDONLY);
		assert_int_equal(read(fd, kept, sizeof(kept)), 4);
		(void)close(fd);
	}
	assert_int_equal(mkdir("Maildir/dir", 0700), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename("Maildir/dir", path), 0);
	scene_check_temp(scene_put(*state, 1), "Is a directory");
	check_nothing_outside();
}

/* Whoever plants the temporary name has it removed, be it a link, a FIFO or a hard link. */
static void
test_what_has_the_temporary_name_gives_way(void **state)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), TMP "/sekisho-%d.mail.example.org", (int)getpid());
	scene_put_file(".", "kept", "kept");
	for (int what = 0; what < 4; what++) {
		switch (what) {
		case 0:
			assert_int_equal(symlink("../../kept", path), 0);
			break;
		case 1:
			assert_int_equal(link("kept", path), 0);
			break;
		case 2:
			assert_int_equal(mkfifo(path, 0600), 0);
			break;
		default:
			assert_int_equal(mkdir(path, 0700), 0);
			break;
		}
		if (what < 3)
			assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
		else
			scene_check_temp(scene_put(*state, 1), "make a file");
		batch_clear(*state);
		assert_int_equal(stat("kept", &st), 0);
		assert_int_equal(st.st_size, 4);
	}
}

/* ---- what changes while we hold it open ---- */

static void
test_deleted_folders_are_made_again(void **state)
{
	assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
	scene_settle(*state);
	scene_remove_all(INBOX);
	scene_remove_all(TMP);
	assert_int_equal(scene_put(*state, 2)->rc, RC_OK);
	scene_settle(*state);
	assert_int_equal(scene_count_files(INBOX), 1);
}

/* What another folder takes from then on is for a process that may enter it. */
static void
test_a_maildir_moved_away_is_noticed(void **state)
{
	for (int made = 0; made < 2; made++) {
		assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
		scene_settle(*state);
		assert_false(batch_moved(*state));
		assert_int_equal(rename("Maildir", "Old"), 0);
		if (made)
			assert_int_equal(symlink("Old", "Maildir"), 0);
		scene.now_ms += FOLDERS_FRESH_MS;
		scene_check_temp(scene_put(*state, 2), "Maildir was moved");
		assert_true(batch_moved(*state));
		assert_int_equal(scene_count_files("Old/new"), 1);
		(void)unlink("Maildir");
		scene_remove_all("Old");
		*state = batch_free(*state);
		*state = scene_open_user("alice");
	}
}

static void
test_new_on_another_file_system_makes_mail_wait(void **state)
{
	(void)mkdir(INBOX, 0700);
	if (mount("none", INBOX, "tmpfs", 0, "size=1m") != 0) {
		print_message("skipped: no tmpfs can be mounted here\n");
		skip();
	}
	scene_check_temp(scene_put(*state, 1), "Invalid cross-device link");
	*state = batch_free(*state); /* it holds the folder open */
	assert_int_equal(umount(INBOX), 0);
	*state = scene_open_user("alice");
	assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_user, scene_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_is_a_file_in_the_users_maildir),
		TEST(test_only_the_users_own_mail_is_taken),
		TEST(test_a_replay_is_found_where_it_was_seen),
		TEST(test_a_start_removes_only_what_we_left),
		TEST(test_nothing_planted_for_a_folder_is_used),
		TEST(test_nothing_planted_for_maildir_is_used),
		TEST(test_what_has_the_files_name_gives_way),
		TEST(test_what_has_the_temporary_name_gives_way),
		TEST(test_deleted_folders_are_made_again),
		TEST(test_a_maildir_moved_away_is_noticed),
		TEST(test_new_on_another_file_system_makes_mail_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
