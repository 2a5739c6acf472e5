/*
 * SBX-4: each role's real executable, with a neighbour that was taken over. What is not a
 * message that this neighbour may send cuts the channel, and nothing else: the role lives,
 * takes a fresh link, and leaves in order when it is asked to.
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "cfg/cfg.h"
#include "role/try.h"

#define RANDOM_PACKETS 300 /* to each role from each neighbour */
#define LINKS 200U         /* more than most may have descriptors */

static const enum proc roles[] = {EDGE,   VAULT,   STATE,  STORE,  SPOOL,
                                  WRITER, DELIVER, REMOTE, CONTROL};

/* Who may send what to whom, as msg.def has it. */
static bool
may_send(unsigned no, enum proc from, enum proc to)
{
	static const struct {
		unsigned no;
		unsigned from;
		unsigned to;
	} rows[] = {
#define MESSAGE(no, name, from, to) {no, from, to},
#include "ipc/msg.def"
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (rows[i].no == no)
			return (rows[i].from & from) != 0 && (rows[i].to & to) != 0;
	return false;
}

/* ---- one role, on a stage of its own ---- */

struct stage {
	char dir[64];
	struct try role;
};

static void
stage_open(struct stage *s, enum proc me)
{
	struct buf dir = BUF_ON(s->dir);
	char path[96];
	struct buf body = BUF_ON(path);
	struct cfg cfg;

	buf_add(&dir, STR("/tmp/sekisho-hostile-XXXXXX"));
	assert_non_null(mkdtemp(s->dir));
	buf_addf(&body, "%s/body", s->dir); /* spool's */
	assert_int_equal(mkdir(body.p, 0700), 0);
	try_config(&cfg);
	cfg.hostname = STR("mail.example.org");
	s->role = try_start(me, &cfg, s->dir);
	try_begin(&s->role);
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
stage_close(struct stage *s)
{
	assert_int_equal(kill(s->role.pid, 0), 0);
	assert_int_equal(try_stop(&s->role), 0);
	assert_int_equal(nftw(s->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* Until the role closes it, whatever it still had to say; false after 5 s of silence. */
static bool
is_cut(int fd)
{
	static char room[MSG_OCTETS_MAX + 1];
	static const struct timeval patience = {.tv_sec = 5};
	ssize_t n;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
	                 0);
	do
		n = recv(fd, room, sizeof(room), 0);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static void
send_octets(int fd, const char *p, size_t n, bool with_descriptor)
{
	struct iovec iov = {(void *)(uintptr_t)p, n};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	int along = STDIN_FILENO;

	if (with_descriptor) {
		h.msg_control = control.room;
		h.msg_controllen = sizeof(control.room);
		*CMSG_FIRSTHDR(&h) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		                                      .cmsg_level = SOL_SOCKET,
		                                      .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), &along, sizeof(along));
	}
	(void)sendmsg(fd, &h, MSG_NOSIGNAL); /* a channel that is cut already takes nothing */
}

/* Each neighbour in turn: <attack> it over fresh links. */
static void
from_each_neighbour(void (*attack)(struct stage *s, enum proc peer))
{
	for (size_t i = 0; i < LENGTH(roles); i++) {
		struct stage s;

		stage_open(&s, roles[i]);
		for (unsigned p = 1; p < PROC_COUNT; p++)
			if (proc_linked(roles[i], proc_of(p)))
				attack(&s, proc_of(p));
		stage_close(&s);
	}
}

/* ---- the attacks ---- */

static void
cut_by(struct stage *s, enum proc peer, const char *p, size_t n, bool with_descriptor)
{
	int fd = try_link(&s->role, peer, 0);

	send_octets(fd, p, n, with_descriptor);
	if (!is_cut(fd))
		fail_msg("%s did not cut %s off for %zu octets, number %u",
		         proc_name(s->role.me), proc_name(peer), n,
		         n > 1 ? (unsigned char)p[0] : 0U);
	(void)close(fd);
}

static void
attack_shapes(struct stage *s, enum proc peer)
{
	static char huge[MSG_OCTETS_MAX + 64];

	cut_by(s, peer, "\x01", 1, false);
	cut_by(s, peer, "\xff\xff", 2, false);
	cut_by(s, peer, "\xff\xff", 2, true);
	cut_by(s, peer, huge, sizeof(huge), false);
}

static void
test_octets_that_are_no_message(void **unused)
{
	(void)unused;
	from_each_neighbour(attack_shapes);
}

/* A number this neighbour may not send; or one it may, with nothing in it. */
static void
attack_numbers(struct stage *s, enum proc peer)
{
	for (unsigned no = 0; no < MSG_NO_MAX; no++) {
		const char wire[] = {(char)no, 0};

		if (no == MSG_work_void && may_send(no, peer, s->role.me))
			continue; /* it has no fields: that is all of it */
		cut_by(s, peer, wire, sizeof(wire), false);
	}
}

static void
test_messages_of_others_and_cut_ones(void **unused)
{
	(void)unused;
	from_each_neighbour(attack_numbers);
}

/* Any octets behind a number that it may send: nobody but the channel comes to harm. */
static void
attack_at_random(struct stage *s, enum proc peer)
{
	int fd = try_link(&s->role, peer, 0);

	for (unsigned i = 0; i < RANDOM_PACKETS; i++) {
		char wire[160];
		size_t n = 2 + (size_t)rand() % (sizeof(wire) - 2);
		unsigned no = (unsigned)rand() % MSG_NO_MAX;

		if (!may_send(no, peer, s->role.me) || no == MSG_work_void ||
		    no == MSG_work_broken)
			continue;
		for (size_t at = 0; at < n; at++)
			wire[at] = rand() % 3 == 0 ? (char)rand() : 0;
		wire[0] = (char)no;
		wire[1] = 0;
		send_octets(fd, wire, n, rand() % 8 == 0);
		if (rand() % 4 == 0) {
			(void)close(fd);
			fd = try_link(&s->role, peer, 0);
		}
	}
	(void)close(fd);
}

static void
test_random_octets_behind_true_numbers(void **unused)
{
	(void)unused;
	srand(4711); /* the same packets each time */
	from_each_neighbour(attack_at_random);
}

/* It asks master for new links and never closes the old ones. */
static void
attack_links(struct stage *s, enum proc peer)
{
	int ends[LINKS];

	for (unsigned i = 0; i < LINKS; i++) {
		ends[i] = try_link(&s->role, peer, 0);
		if (i >= 2 && !is_cut(ends[i - 2]))
			fail_msg("%s keeps link %u to %s", proc_name(s->role.me), i - 2,
			         proc_name(peer));
	}
	for (unsigned i = 0; i < LINKS; i++)
		(void)close(ends[i]);
}

static void
test_links_without_end(void **unused)
{
	(void)unused;
	from_each_neighbour(attack_links);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets_that_are_no_message),
		cmocka_unit_test(test_messages_of_others_and_cut_ones),
		cmocka_unit_test(test_random_octets_behind_true_numbers),
		cmocka_unit_test(test_links_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
