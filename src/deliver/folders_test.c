/*
 * What others do to the folders of mailboxes, and what must not come of it. See folders.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "deliver/folders.h"
#include "deliver/scene.h"

static void
test_a_deleted_mailbox_is_made_again(void **state)
{
	scene_put(*state, 1);
	scene_settle(*state);
	scene_remove_all("example.org");
	assert_int_equal(scene_put(*state, 2)->rc, RC_OK);
	assert_int_equal(scene_count_files(NEW), 1);
}

static void
test_a_mailbox_moved_away_is_soon_looked_up_again(void **state)
{
	scene_put(*state, 1);
	scene_settle(*state);
	assert_int_equal(rename("example.org/alice", "example.org/old"), 0);
	scene.now_ms += FOLDERS_FRESH_MS;
	assert_int_equal(scene_put(*state, 2)->rc, RC_OK);
	scene_settle(*state);
	assert_int_equal(scene_count_files(NEW), 1);
	assert_int_equal(scene_count_files("example.org/old/new"), 1);
}

static unsigned
count_descriptors(void)
{
	return scene_count_files("/proc/self/fd");
}

static void
test_any_number_of_mailboxes_takes_bounded_descriptors(void **state)
{
	unsigned before = count_descriptors();
	struct mail m = scene_mail_no(1);

	for (unsigned i = 0; i < 2 * FOLDERS_MAX; i++) {
		char mailbox[64];

		(void)snprintf(mailbox, sizeof(mailbox), "u%u@example.org", i);
		assert_int_equal(scene_put_to(*state, &m, mailbox, 1)->rc, RC_OK);
		if (batch_full(*state))
			scene_settle(*state);
	}
	assert_true(count_descriptors() <= before + FOLDERS_MAX);
	assert_int_equal(scene_count_files("example.org"), 2 * FOLDERS_MAX);
}

enum plant { PLANT_LINK, PLANT_DANGLING, PLANT_FIFO, PLANT_FILE };

static void
plant(enum plant what, const char *path)
{
	assert_int_equal(mkdir("outside", 0700) == 0 || errno == EEXIST, 1);
	switch (what) {
	case PLANT_LINK:
		assert_int_equal(symlink(scene_home, path), 0);
		break;
	case PLANT_DANGLING:
		assert_int_equal(symlink("outside/made", path), 0);
		break;
	case PLANT_FIFO:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case PLANT_FILE:
		scene_put_file(".", path, "x");
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
			scene_remove_all(places[i]);
			plant((enum plant)what, places[i]);
			scene_check_temp(scene_put(*state, 1), "open folder");
			assert_int_equal(scene_count_files("outside"), 0);
			assert_int_equal(scene_count_files(".tmp-0"), 0);
			assert_int_equal(unlink(places[i]), 0);
			batch_clear(*state);
		}
	}
	assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
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
		assert_int_equal(scene_put(*state, 1)->rc, RC_OK);
		scene_check_temp(scene_put_again(*state, 1), "open folder cur");
		scene_settle(*state);
		assert_int_equal(scene_count_files("outside"), 0);
		scene_remove_all("example.org");
		scene.now_ms += FOLDERS_FRESH_MS;
	}
}

/* A reader's own file with our name in it is left as it is. */
static void
test_a_link_in_cur_is_no_delivery(void **state)
{
	char path[PATH_MAX];

	scene_put(*state, 1);
	scene_see();
	scene_path_of(path, CUR, scene_file_in(CUR).c);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	batch_clear(*state);
	assert_int_equal(scene_put_again(*state, 1)->rc, RC_OK);
	assert_int_equal(scene_count_files(NEW), 1);
}

static void
test_a_start_empties_our_temporary_folder(void **state)
{
	*state = batch_free(*state);
	scene_put_file(".tmp-0", "message", "half a mess");
	scene_put_file(".tmp-0", "other", "");
	assert_int_equal(mkdir(".tmp-1", 0700), 0);
	scene_put_file(".tmp-1", "message", "another process writes this");
	*state = scene_open();
	assert_int_equal(scene_count_files(".tmp-0"), 0);
	assert_int_equal(scene_count_files(".tmp-1"), 1);
}

static void
test_nothing_planted_for_our_temporary_folder_is_used(void **state)
{
	struct batch *b;
	struct err e;

	*state = batch_free(*state);
	for (int what = PLANT_LINK; what <= PLANT_FILE; what++) {
		scene_remove_all(".tmp-0");
		plant((enum plant)what, ".tmp-0");
		assert_int_not_equal(batch_open(STR_NONE, 0, STR("h"), &scene_calls, &b, &e),
		                     RC_OK);
		assert_int_equal(unlink(".tmp-0"), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_start, scene_stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_deleted_mailbox_is_made_again),
		TEST(test_a_mailbox_moved_away_is_soon_looked_up_again),
		TEST(test_any_number_of_mailboxes_takes_bounded_descriptors),
		TEST(test_nothing_planted_for_a_folder_is_used),
		TEST(test_nothing_planted_for_tmp_and_cur_is_used),
		TEST(test_a_link_in_cur_is_no_delivery),
		TEST(test_a_start_empties_our_temporary_folder),
		TEST(test_nothing_planted_for_our_temporary_folder_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
