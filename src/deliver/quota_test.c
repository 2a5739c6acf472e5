/*
 * Quotas: the sum is believed as long as there is room, and the files before mail waits.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/test.h"
#include "deliver/quota.h"

#define QUOTA 1000U

struct box {
	char dir[64];
	int fd;
};

static const char *const folders[] = {".", "new", "cur", "tmp", ".Sent", ".Sent/cur"};

static int
setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));
	struct buf dir = BUF_ON(b->dir);

	buf_add(&dir, STR("/tmp/sekisho-quota-XXXXXX"));
	assert_non_null(mkdtemp(b->dir));
	b->fd = open(b->dir, O_RDONLY | O_DIRECTORY);
	for (size_t i = 1; i < LENGTH(folders); i++)
		assert_int_equal(mkdirat(b->fd, folders[i], 0700), 0);
	*state = b;
	return 0;
}

static void
empty(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		(void)unlinkat(fd, entry->d_name, 0); /* folders stay */
	(void)closedir(dir);
}

static int
teardown(void **state)
{
	struct box *b = *state;

	for (size_t i = LENGTH(folders) - 1; i > 0; i--) {
		empty(b->fd, folders[i]);
		assert_int_equal(unlinkat(b->fd, folders[i], AT_REMOVEDIR), 0);
	}
	empty(b->fd, folders[0]);
	assert_int_equal(rmdir(b->dir), 0);
	(void)close(b->fd);
	free(b);
	return 0;
}

static void
put(const struct box *b, const char *name, const char *text)
{
	CLEANUP(fd_closep) int fd = openat(b->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct err e;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, str_of(text), &e), RC_OK);
}

static void
assert_file(const struct box *b, const char *want)
{
	CLEANUP(fd_closep) int fd = openat(b->fd, QUOTA_FILE, O_RDONLY | O_NOFOLLOW);
	char room[256];
	struct err e;
	size_t n = 0;

	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, room, sizeof(room), &n, &e), RC_OK);
	assert_str(((struct str){room, n}), str_of(want));
}

static enum rc
check(const struct box *b, uint64_t size)
{
	struct err e;
	enum rc rc = quota_check(b->fd, QUOTA, size, &e);

	if (rc != RC_OK)
		assert_non_null(strstr(e.text, "over quota: "));
	return rc;
}

/* Names say sizes; where they do not the file is asked; folders of the mailbox count. */
static void
test_counted_at_first(void **state)
{
	put(*state, "new/1.a.host,S=300", "");
	put(*state, "cur/2.a.host,S=200:2,S", "");
	put(*state, ".Sent/cur/3.a.host:2,", "twenty octets of mail");
	put(*state, "tmp/4.a.host,S=900", "");
	assert_int_equal(check(*state, 479), RC_OK);
	assert_file(*state, "1000S\n521 3\n");
	assert_int_equal(check(*state, 480), RC_TEMP);
	assert_int_equal(check(*state, 1001), RC_TEMP);
	assert_int_equal(check(*state, UINT64_MAX), RC_TEMP);
}

static void
test_what_comes_is_added(void **state)
{
	struct box *b = *state;

	quota_add(b->fd, 7); /* nothing to add to: it is not made up */
	assert_int_equal(faccessat(b->fd, QUOTA_FILE, F_OK, 0), -1);
	assert_int_equal(check(b, 400), RC_OK);
	put(b, "new/1.a.host,S=400", "");
	quota_add(b->fd, 400);
	assert_file(b, "1000S\n0 0\n400 1\n");
	assert_int_equal(check(b, 600), RC_OK);
	assert_int_equal(check(b, 601), RC_TEMP);
	assert_file(b, "1000S\n400 1\n"); /* it was counted before the message had to wait */
}

/* As an IMAP server writes: what went is negative, blanks stand where they like. */
static void
test_entries_of_others(void **state)
{
	put(*state, QUOTA_FILE, "1000S\n 900    9\n   -300  -3\n");
	assert_int_equal(check(*state, 400), RC_OK);
	assert_int_equal(check(*state, 401), RC_OK); /* counted: there is nothing at all */
	assert_file(*state, "1000S\n0 0\n");
}

/* A sum that nobody corrects is believed for a while, not for ever. */
static void
test_an_old_sum_is_counted_again(void **state)
{
	static const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
	struct box *b = *state;

	put(b, QUOTA_FILE, "1000S\n990 9\n");
	assert_int_equal(check(b, 11), RC_TEMP);
	assert_int_equal(utimensat(b->fd, QUOTA_FILE, old, 0), 0);
	assert_int_equal(check(b, 11), RC_OK);
}

static void
test_what_is_no_sum_is_counted(void **state)
{
	static const char *const texts[] = {
		"",
		"1000S",
		"2000S\n990 9\n",
		"1000S,5C\n990 9\n",
		"1000S\n990\n",
		"1000S\n990 9 9\n",
		"1000S\n990 x\n",
		"1000S\n990 9\n1",
		"1000S\n-1 0\n",
		"1000S\n99999999999999999999 1\n",
	};

	put(*state, "new/1.a.host,S=10", "");
	for (size_t i = 0; i < LENGTH(texts); i++) {
		put(*state, QUOTA_FILE, texts[i]);
		assert_int_equal(check(*state, 990), RC_OK);
		assert_file(*state, "1000S\n10 1\n");
	}
}

/* Nobody's link is read or written through. */
static void
test_a_link_is_replaced(void **state)
{
	struct box *b = *state;

	put(b, "victim", "1000S\n990 9\n");
	assert_int_equal(symlinkat("victim", b->fd, QUOTA_FILE), 0);
	quota_add(b->fd, 5);
	assert_int_equal(check(b, 1000), RC_OK);
	assert_file(b, "1000S\n0 0\n");
	struct stat st;
	assert_int_equal(fstatat(b->fd, "victim", &st, 0), 0);
	assert_int_equal(st.st_size, 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counted_at_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_comes_is_added, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entries_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_old_sum_is_counted_again, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_sum_is_counted, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_a_link_is_replaced, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
