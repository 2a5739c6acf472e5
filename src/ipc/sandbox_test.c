/*
 * Walls tried from inside, one child a try. As root all walls stand; else those that can.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/sandbox.h"

#define TEST_UID 52999

static const char *const file_calls[] = {"openat", "mknodat", "mknod",
                                         "unlink", "rename",  NULL};
static const struct walls with_files = {FOLDER_FILES, 64, true, file_calls, NULL};
static const struct walls without = {FOLDER_EMPTY, 64, false, NULL, NULL};
static const char *const socket_calls[] = {"socket", "openat", NULL};
static const struct walls with_socket = {FOLDER_EMPTY, 64, false, socket_calls, NULL};

static const struct walls of_home = {FOLDER_FILES, 64, true, file_calls, "inner"};

enum outcome { WALLS_FAILED = 100, DONE = 101, KILLED = 200 }; /* below: an errno */

static char folder[] = "/tmp/sekisho-walls-XXXXXX";

/* Run <act> behind <w> in a child; its errno, DONE, or KILLED by seccomp. */
static int
behind(const struct walls *w, int (*act)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;
		unsigned walls;
		uid_t uid = geteuid() == 0 ? TEST_UID : 0;

		if (walls_up(w, folder, uid, uid, &walls, &e) != RC_OK)
			_exit(WALLS_FAILED);
		_exit(act() >= 0 ? DONE : errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int
act_make_file(void)
{
	return openat(AT_FDCWD, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
}

static int
act_make_file_inside(void)
{
	return openat(AT_FDCWD, "inner/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
}

static int
act_make_fifo(void)
{
	return mknodat(AT_FDCWD, "fifo", S_IFIFO | 0600, 0);
}

static int
act_leave_folder(void)
{
	return openat(AT_FDCWD, "../../../etc/hostname", O_RDONLY | O_CLOEXEC);
}

static int
act_socket(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
act_fork(void)
{
	return (int)fork();
}

static int
act_open(void)
{
	return openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
act_exec(void)
{
	char *const argv[] = {NULL};

	return execve("/bin/true", argv, argv);
}

static void
test_own_folder_takes_files_but_no_fifo(void **unused)
{
	(void)unused;
	assert_int_equal(behind(&with_files, act_make_file), DONE);
	assert_int_equal(behind(&with_files, act_make_fifo), EACCES); /* Landlock */
}

static void
test_nothing_outside_the_folder_can_be_opened(void **unused)
{
	(void)unused;
	int got = behind(&with_files, act_leave_folder);

	assert_true(got == ENOENT || got == EACCES); /* chroot, or Landlock alone */
}

static void
test_calls_not_listed_kill(void **unused)
{
	(void)unused;
	assert_int_equal(behind(&without, act_socket), KILLED);
	assert_int_equal(behind(&without, act_fork), KILLED);
	assert_int_equal(behind(&without, act_exec), KILLED);
	assert_int_equal(behind(&without, act_open), KILLED);
}

/* A role that may make sockets by mistake still has no network, and sees no file. */
static void
test_empty_folder_shows_nothing(void **unused)
{
	(void)unused;
	assert_int_equal(behind(&with_socket, act_open), EACCES);
}

/* Of a user's home, one folder and nothing beside it. */
static void
test_of_a_home_one_folder_may_be_used(void **unused)
{
	(void)unused;
	struct stat st;
	char path[64];

	assert_int_equal(behind(&of_home, act_make_file_inside), DONE);
	assert_int_equal(behind(&of_home, act_make_file), EACCES);
	(void)snprintf(path, sizeof(path), "%s/inner", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	(void)snprintf(path, sizeof(path), "%s/inner/file", folder);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/inner", folder);
	assert_int_equal(rmdir(path), 0);
}

static void
test_a_home_that_is_none_makes_no_walls(void **unused)
{
	(void)unused;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/inner", folder);
	assert_int_equal(symlink(".", path), 0);
	assert_int_equal(behind(&of_home, act_make_file_inside), WALLS_FAILED);
	assert_int_equal(unlink(path), 0);
	if (geteuid() != 0)
		return; /* whose folder it is cannot be changed */
	assert_int_equal(chown(folder, TEST_UID + 1, TEST_UID), 0);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(behind(&of_home, act_make_file_inside), WALLS_FAILED);
	assert_int_equal(chown(folder, 0, 0), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(behind(&of_home, act_make_file_inside), WALLS_FAILED);
	assert_int_equal(chown(folder, TEST_UID, TEST_UID), 0);
}

static int
make_folder(void **unused)
{
	(void)unused;
	if (mkdtemp(folder) == NULL)
		return -1;
	return geteuid() == 0 ? chown(folder, TEST_UID, TEST_UID) : 0;
}

static int
remove_folder(void **unused)
{
	(void)unused;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/file", folder);
	(void)unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_folder_takes_files_but_no_fifo),
		cmocka_unit_test(test_nothing_outside_the_folder_can_be_opened),
		cmocka_unit_test(test_calls_not_listed_kill),
		cmocka_unit_test(test_empty_folder_shows_nothing),
		cmocka_unit_test(test_of_a_home_one_folder_may_be_used),
		cmocka_unit_test(test_a_home_that_is_none_makes_no_walls),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
