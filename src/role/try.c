/*
 * A role under test. See try.h. A failure here is a failed test: there is nobody to tell.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "ipc/channel.h"
#include "ipc/sandbox.h"
#include "role/try.h"

#define WAIT_MS 5000
#define DRAIN_MS 1000

void
try_config(struct cfg *cfg)
{
	/* clang-format off */
	*cfg = (struct cfg){
#define TEXT(name, initial, doc)
#define OPTION(name, initial, min, max, unit, doc) .name = (initial),
#define CHOICE(name, initial, choices, doc)
#include "cfg/cfg.def"
	};
	/* clang-format on */
}

/* The configuration as master hands it over. */
static int
config_fd(const struct cfg *cfg)
{
	char *room = malloc(CFG_OCTETS_MAX);
	struct buf b = {.p = room, .cap = CFG_OCTETS_MAX};
	int fd = memfd_create("configuration", MFD_CLOEXEC);
	struct err e;

	assert_non_null(room);
	assert_true(fd >= 0);
	assert_int_equal(cfg_encode(cfg, &b, &e), RC_OK);
	assert_int_equal(fd_write_all(fd, buf_str(&b), &e), RC_OK);
	free(room);
	return fd;
}

static void
beside_us(const char *name, struct buf *ret)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

	assert_true(n > 0 && (size_t)n < sizeof(self));
	struct str path = {self, (size_t)n};
	buf_add(ret, str_slice(path, 0, str_rfind(path, '/')));
	buf_addf(ret, "/sekisho-%s", name);
	assert_false(ret->cut);
}

/* Past 10 first, so that no end stands where another is to go. */
static void
become(const char *path, int channel, int config, const char *folder)
{
	int from_channel = fcntl(channel, F_DUPFD, 10);
	int from_config = fcntl(config, F_DUPFD, 10);

	/* a sanitizer looks for leaks with a thread and ptrace, which no wall allows */
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	if (dup2(from_channel, 3) == 3 && dup2(from_config, 4) == 4)
		(void)execl(path, path, "0", "0", "0", folder, (char *)NULL);
	_exit(127);
}

struct try
try_start(enum proc me, const struct cfg *cfg, const char *folder)
{
	char path[600];
	struct buf b = BUF_ON(path);
	int config = config_fd(cfg);
	int ends[2];
	struct err e;

	beside_us(proc_name(me), &b);
	assert_int_equal(channel_pair(ends, &e), RC_OK);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become(path, ends[1], config, folder);
	(void)close(ends[1]);
	(void)close(config);
	return (struct try){me, pid, ends[0]};
}

void
try_send(const struct try *t, int fd, enum proc from, const struct msg *m)
{
	static char room[MSG_OCTETS_MAX + 2];
	struct buf b = BUF_ON(room);
	struct err e = {.text = ""};
	struct iovec iov;
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		struct cmsghdr align;
		char octets[CMSG_SPACE(sizeof(int))];
	} control;
	int along;

	if (msg_encode(from, t->me, m, &b, &along, &e) != RC_OK)
		fail_msg("%s", e.text);
	iov = (struct iovec){b.p, b.n};
	if (along >= 0) {
		memset(&control, 0, sizeof(control));
		h.msg_control = control.octets;
		h.msg_controllen = sizeof(control.octets);
		*CMSG_FIRSTHDR(&h) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		                                      .cmsg_level = SOL_SOCKET,
		                                      .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), &along, sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &h, MSG_NOSIGNAL), b.n);
}

/* One message's octets; *ret_fd is the descriptor that came along, or -1. */
static ssize_t
take_octets(int fd, char *room, size_t cap, int *ret_fd)
{
	struct iovec iov = {room, cap};
	union {
		struct cmsghdr align;
		char octets[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr h = {.msg_iov = &iov,
	                   .msg_iovlen = 1,
	                   .msg_control = control.octets,
	                   .msg_controllen = sizeof(control.octets)};
	ssize_t n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);

	*ret_fd = -1;
	if (n > 0 && CMSG_FIRSTHDR(&h) != NULL)
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(int));
	return n;
}

bool
try_take(const struct try *t, int fd, enum proc to, struct msg *ret)
{
	static char room[MSG_OCTETS_MAX];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct err e = {.text = ""};
	int along;

	if (poll(&p, 1, WAIT_MS) != 1)
		return false;
	ssize_t n = take_octets(fd, room, sizeof(room), &along);
	if (n <= 0)
		return false;
	if (msg_decode(t->me, to, (struct str){room, (size_t)n}, along, ret, &e) != RC_OK)
		fail_msg("%s", e.text);
	return true;
}

int
try_link(const struct try *t, enum proc peer, unsigned index)
{
	struct msg m = {.no = MSG_link};
	int ends[2];
	struct err e;

	assert_int_equal(channel_pair(ends, &e), RC_OK);
	m.link = (struct msg_link){.peer = (uint8_t)proc_number(peer),
	                           .index = (uint16_t)index,
	                           .channel = ends[1]};
	try_send(t, t->master, MASTER, &m);
	(void)close(ends[1]);
	return ends[0];
}

void
try_begin(const struct try *t)
{
	struct msg m;

	assert_true(try_take(t, t->master, MASTER, &m));
	assert_int_equal(m.no, MSG_ready);
	assert_true((m.ready.walls & WALL_SECCOMP) != 0);
	m = (struct msg){.no = MSG_begin};
	try_send(t, t->master, MASTER, &m);
}

void
try_reload(const struct try *t, const struct cfg *cfg)
{
	int config = config_fd(cfg);
	off_t octets = lseek(config, 0, SEEK_END);
	struct msg m = {
		.no = MSG_config, .config = {.octets = (uint32_t)octets, .sealed = config}
        };

	try_send(t, t->master, MASTER, &m);
	(void)close(config);
}

int
try_stop(struct try *t)
{
	struct msg m = {.no = MSG_drain, .drain = {.most_ms = DRAIN_MS}};
	int status;

	try_send(t, t->master, MASTER, &m);
	while (try_take(t, t->master, MASTER, &m))
		;
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	(void)close(t->master);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
