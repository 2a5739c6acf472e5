/*
 * Descriptors. See fd.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/test.h"

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
test_cleanup_closes_what_was_not_handed_on(void **unused)
{
	int closed;
	int kept;

	(void)unused;
	{
		CLEANUP(fd_closep) int a = open("/dev/null", O_RDONLY | O_CLOEXEC);
		CLEANUP(fd_closep) int b = open("/dev/null", O_RDONLY | O_CLOEXEC);

		closed = a;
		kept = fd_take(&b);
		assert_int_equal(b, -1);
	}
	assert_false(is_open(closed));
	assert_true(is_open(kept));
	errno = EXDEV;
	fd_closep(&kept);
	assert_int_equal(errno, EXDEV);
	fd_closep(&kept); /* -1 by now */
}

static void
test_read_all_takes_what_fits_and_no_more(void **unused)
{
	static const struct {
		size_t octets;
		enum rc rc;
	} rows[] = {
		{0,   RC_OK  },
                {7,   RC_OK  },
                {8,   RC_OK  },
                {9,   RC_PERM},
                {100, RC_PERM},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char wrote[100];
		char room[8];
		size_t n = 99;
		struct err e;
		int ends[2];

		memset(wrote, 'x', sizeof(wrote));
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(fd_write_all(ends[1], (struct str){wrote, rows[i].octets}, &e),
		                 RC_OK);
		fd_closep(&ends[1]);
		assert_int_equal(fd_read_all(ends[0], room, sizeof(room), &n, &e), rows[i].rc);
		assert_int_equal(n, rows[i].rc == RC_OK ? rows[i].octets : 99);
		fd_closep(&ends[0]);
	}
}

static void
test_nonblocking_says_again(void **unused)
{
	char room[8];
	size_t n;
	struct err e;
	int ends[2];

	(void)unused;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_nonblock(ends[0], &e), RC_OK);
	assert_int_equal(fd_read_all(ends[0], room, sizeof(room), &n, &e), RC_AGAIN);
	fd_closep(&ends[0]);
	fd_closep(&ends[1]);
}

static void
test_failures_are_the_systems(void **unused)
{
	char room[8];
	size_t n;
	struct err e;

	(void)unused;
	assert_int_equal(fd_write_all(-1, STR("x"), &e), RC_PERM);
	assert_int_equal(e.sys, EBADF);
	assert_int_equal(fd_read_all(-1, room, sizeof(room), &n, &e), RC_PERM);
	assert_int_equal(fd_nonblock(-1, &e), RC_PERM);
	assert_int_equal(fd_write_all(-1, STR_NONE, &e), RC_OK); /* nothing to do */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cleanup_closes_what_was_not_handed_on),
		cmocka_unit_test(test_read_all_takes_what_fits_and_no_more),
		cmocka_unit_test(test_nonblocking_says_again),
		cmocka_unit_test(test_failures_are_the_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
