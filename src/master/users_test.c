/*
 * Delivers for users, as spool asks for them: real processes, in homes of a passwd of our own.
 * See users.h. Needs root.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "master/account.h"
#include "master/house.h"
#include "master/users.h"

#define WAIT_MS 5000
#define DELIVERS 3
#define ALICE_UID 3001

static struct {
	char home[64]; /* passwd, the homes alice, bob, ... */
	struct house house;
	struct slot *spool;
	struct channel *at_spool; /* its end */
	char heard[4096];         /* what it got, a line a message */
	struct buf b;
	unsigned index; /* of the last deliver_for */
	int link;       /* the last link's end */
} scene;

static const char *const users[] = {"alice", "bob",  "carol", "dave",
                                    "erin",  "file", "thief", "gone"};

/* ---- spool's end ---- */

static void
spool_got(void *arg, struct channel *c, const struct msg *m)
{
	static const char *const codes[] = {"ok", "again", "temp", "perm"};

	(void)arg;
	(void)c;
	if (m->no == MSG_deliver_for) {
		if (m->deliver_for.rc == RC_OK)
			scene.index = m->deliver_for.index;
		buf_addf(&scene.b, "%u %.*s %s %.*s\n", m->deliver_for.ask,
		         STR_FMT(m->deliver_for.user), codes[m->deliver_for.rc],
		         STR_FMT(m->deliver_for.why));
	} else if (m->no == MSG_link) {
		fd_closep(&scene.link);
		scene.link = m->link.channel;
		buf_addf(&scene.b, "link %s\n",
		         m->link.index == scene.index ? "of it" : "of another");
	}
	assert_false(scene.b.cut);
}

static void
spool_down(void *arg, struct channel *c, const char *why)
{
	(void)arg;
	(void)c;
	fail_msg("%s", why);
}

/* ---- the house ---- */

static void
turn(void)
{
	int status;

	(void)event_base_loop(scene.house.base, EVLOOP_NONBLOCK);
	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
	     pid = waitpid(-1, &status, WNOHANG))
		house_ended(&scene.house, pid, status);
	(void)usleep(1000);
}

/* Until the spool has heard exactly that. */
static void
hear(const char *want)
{
	uint64_t end = clock_mono_ms() + WAIT_MS;

	while (!str_eq(buf_str(&scene.b), str_of(want)) && clock_mono_ms() < end)
		turn();
	assert_str(buf_str(&scene.b), str_of(want));
	buf_clear(&scene.b);
}

static void
want(unsigned ask, const char *user)
{
	struct msg m = {
		.no = MSG_deliver_want, .deliver_want = {ask, str_of(user)}
        };

	users_want(scene.spool, &m);
}

static void
let_go(unsigned ask, unsigned index)
{
	struct msg m = {
		.no = MSG_deliver_release, .deliver_release = {ask, (uint16_t)index}
        };

	users_release(scene.spool, &m);
}

static unsigned
processes(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < scene.house.slot_count; i++)
		count += scene.house.slots[i].house != NULL && scene.house.slots[i].apart;
	return count;
}

static void
wait_processes(unsigned count)
{
	uint64_t end = clock_mono_ms() + WAIT_MS;

	while (processes() != count && clock_mono_ms() < end)
		turn();
	assert_int_equal(processes(), count);
}

static pid_t
pid_of(unsigned index)
{
	struct slot *s = house_find(&scene.house, DELIVER, index);

	assert_non_null(s);
	return s->pid;
}

static void
make_homes(void)
{
	char path[128];
	FILE *passwd;

	(void)snprintf(path, sizeof(path), "%s/passwd", scene.home);
	passwd = fopen(path, "we");
	assert_non_null(passwd);
	(void)fprintf(passwd, "root:x:0:0::/root:/bin/sh\n");
	for (unsigned i = 0; i < LENGTH(users); i++) {
		(void)fprintf(passwd, "%s:x:%u:%u::%s/%s:/bin/sh\n", users[i], ALICE_UID + i,
		              4001 + i, scene.home, users[i]);
		(void)snprintf(path, sizeof(path), "%s/%s", scene.home, users[i]);
		if (str_eq(str_of(users[i]), STR("gone")))
			continue;
		assert_int_equal(mkdir(path, 0700), 0);
		assert_int_equal(chown(path, ALICE_UID + i, 4001 + i), 0);
	}
	(void)fclose(passwd);
	(void)snprintf(path, sizeof(path), "%s/file/Maildir", scene.home);
	assert_int_equal(mkfifo(path, 0666), 0);
	(void)snprintf(path, sizeof(path), "%s/thief", scene.home);
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chmod(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/passwd", scene.home);
	assert_int_equal(mount(path, ACCOUNT_PASSWD, NULL, MS_BIND, NULL), 0);
}

static void
make_house(void)
{
	struct cfg *cfg = NULL;
	char room[1024];
	struct buf report = BUF_ON(room);
	struct channel_use use = {spool_got, spool_down, NULL};
	struct err e;
	int ends[2];

	if (cfg_read_text("t",
	                  STR("hostname = \"mail.example.org\"\ndata_dir = \"/x\"\n"
	                      "listen \"mx\" { address = \"127.0.0.1:2525\" }\n"
	                      "domain \"example.org\" { mailboxes = system }\n"),
	                  &cfg, &report) != RC_OK)
		fail_msg("%s", room);
	cfg->system_delivers = DELIVERS;
	scene.house = (struct house){.base = event_base_new(), .control = -1};
	assert_int_equal(plan_new(cfg, 1, &scene.house.plan, &e), RC_OK);
	assert_int_equal(nursery_make(&scene.house.nursery, &e), RC_OK);
	assert_int_equal(house_add(&scene.house, SPOOL, 0, &scene.spool, &e), RC_OK);
	assert_int_equal(channel_pair(ends, &e), RC_OK);
	scene.spool->channel = channel_new(scene.house.base, ends[0], MASTER, SPOOL, 0, use);
	scene.at_spool = channel_new(scene.house.base, ends[1], SPOOL, MASTER, 0, use);
	struct buf b = BUF_ON(scene.heard);

	scene.b = b;
	scene.link = -1;
}

static int
start(void **unused)
{
	(void)unused;
	if (geteuid() != 0)
		return 0;
	(void)snprintf(scene.home, sizeof(scene.home), "/tmp/sekisho-users-XXXXXX");
	if (mkdtemp(scene.home) == NULL || chmod(scene.home, 0755) != 0)
		return -1;
	make_homes();
	make_house();
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int
stop(void **unused)
{
	(void)unused;
	if (geteuid() != 0)
		return 0;
	users_all_leave(&scene.house);
	wait_processes(0);
	free(scene.house.users);
	fd_closep(&scene.link);
	(void)channel_free(scene.at_spool);
	scene.spool->channel = channel_free(scene.spool->channel);
	house_drop(scene.spool);
	(void)plan_drop(scene.house.plan);
	event_base_free(scene.house.base);
	(void)close(scene.house.nursery.log_read);
	(void)close(scene.house.nursery.log_write);
	(void)umount(ACCOUNT_PASSWD);
	return nftw(scene.home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("skipped: only root may deliver to others\n");
	skip();
}

/* ---- tests ---- */

static void
test_it_runs_as_the_user_and_is_told_of_before_its_link(void **unused)
{
	char path[128];
	char status[2048];
	struct stat st;
	struct err e;
	size_t n;

	(void)unused;
	need_root();
	want(7, "alice");
	hear("7 alice ok \nlink of it\n");
	assert_true(scene.index >= DELIVER_USERS);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid_of(scene.index));
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, status, sizeof(status) - 1, &n, &e), RC_OK);
	status[n] = '\0';
	assert_non_null(strstr(status, "\nUid:\t3001\t3001\t3001\t3001\n"));
	assert_non_null(strstr(status, "\nGid:\t4001\t4001\t4001\t4001\n"));
	assert_non_null(strstr(status, "\nGroups:\t \n"));
	(void)snprintf(path, sizeof(path), "%s/alice/Maildir", scene.home);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, ALICE_UID);
	assert_int_equal(st.st_gid, 4001);
	assert_int_equal(st.st_mode & 07777, 0700);
	let_go(7, scene.index);
	wait_processes(0);
}

/* Whoever has taken spool over is believed nothing. */
static void
test_others_than_users_are_refused(void **unused)
{
	(void)unused;
	need_root();
	want(1, "root");
	hear("1 root perm root has uid 0, which is not in system_uid_min to system_uid_max\n");
	want(2, "nobody");
	hear("2 nobody perm the machine has no user nobody\n");
	assert_int_equal(processes(), 0);
}

static void
test_no_more_than_system_delivers_run(void **unused)
{
	(void)unused;
	need_root();
	for (unsigned i = 0; i < DELIVERS; i++) {
		char heard[64];

		want(i, users[i]);
		(void)snprintf(heard, sizeof(heard), "%u %s ok \nlink of it\n", i, users[i]);
		hear(heard);
	}
	want(9, users[DELIVERS]);
	hear("9 dave temp system_delivers, 3, are at work\n");
	let_go(DELIVERS - 1, scene.index);
	want(10, users[DELIVERS]); /* its place is free soon */
	assert_int_equal(processes(), DELIVERS);
	hear("10 dave ok \nlink of it\n");
}

/* What is wrong is said, and while that is fresh no process is started to say it again. */
static void
test_a_home_that_is_none_makes_mail_wait(void **unused)
{
	static const struct {
		const char *user;
		const char *before; /* the home's path */
		const char *after;  /* it; NULL: there is none in it */
	} rows[] = {
		{"file",  "open folder Maildir: Not a directory", NULL                              },
		{"thief", "home ",                                "/thief is uid 0's"               },
		{"gone",  "home ",                                "/gone: No such file or directory"},
	};

	(void)unused;
	need_root();
	for (unsigned i = 0; i < LENGTH(rows); i++) {
		char heard[256];

		(void)snprintf(heard, sizeof(heard), "%u %s temp walls: %s%s%s\n", i,
		               rows[i].user, rows[i].before,
		               rows[i].after != NULL ? scene.home : "",
		               rows[i].after != NULL ? rows[i].after : "");
		want(i, rows[i].user);
		hear(heard);
		wait_processes(0);
		want(i, rows[i].user);
		assert_int_equal(processes(), 0);
		hear(heard);
	}
}

/* Its user may kill it at any time. */
static void
test_one_that_dies_is_not_replaced_and_then_waits(void **unused)
{
	(void)unused;
	need_root();
	want(1, "alice");
	hear("1 alice ok \nlink of it\n");
	assert_int_equal(kill(pid_of(scene.index), SIGKILL), 0);
	wait_processes(0);
	want(2, "alice");
	hear("2 alice temp it ended soon after its start: see the log\n");
	want(3, "bob");
	hear("3 bob ok \nlink of it\n");
}

static void
test_a_user_has_one_at_a_time(void **unused)
{
	(void)unused;
	need_root();
	want(1, "alice");
	hear("1 alice ok \nlink of it\n");
	want(2, "alice");
	hear("2 alice temp alice has a deliver\n");
	unsigned first = scene.index;
	let_go(2, first); /* of an answer that was another's */
	let_go(1, first);
	want(3, "alice");
	hear("3 alice ok \nlink of it\n");
	let_go(1, scene.index); /* late: it is the next one's by now */
	turn();
	assert_int_equal(processes(), 1);
}

/* A stopped process cannot answer: spool's asking goes on without it. */
static void
test_when_spool_ends_all_leave(void **unused)
{
	(void)unused;
	need_root();
	want(1, "alice");
	want(2, "bob");
	users_all_leave(&scene.house);
	want(3, "bob");
	wait_processes(1);
	hear("3 bob ok \nlink of it\n");
}

/* A reload finds one that is about to stand: spool hears of the next one instead. */
static void
test_one_let_go_before_it_stands_is_started_again(void **unused)
{
	(void)unused;
	need_root();
	want(1, "alice");
	for (unsigned i = 0; i < scene.house.slot_count; i++)
		if (scene.house.slots[i].apart)
			users_lost(&scene.house.slots[i]);
	hear("1 alice ok \nlink of it\n");
	wait_processes(1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_runs_as_the_user_and_is_told_of_before_its_link),
		TEST(test_others_than_users_are_refused),
		TEST(test_no_more_than_system_delivers_run),
		TEST(test_a_home_that_is_none_makes_mail_wait),
		TEST(test_one_that_dies_is_not_replaced_and_then_waits),
		TEST(test_a_user_has_one_at_a_time),
		TEST(test_when_spool_ends_all_leave),
		TEST(test_one_let_go_before_it_stands_is_started_again),
	};

	/* our passwd is nobody else's */
	if (geteuid() == 0 && (unshare(CLONE_NEWNS) != 0 ||
	                       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
		return 77; /* meson: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
