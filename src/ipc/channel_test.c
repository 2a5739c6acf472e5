/*
 * Channels: real socket pairs, a hostile neighbour at the other end.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <event2/event.h>

#include "ipc/channel.h"

/* One channel of ours (as STATE) to an "edge" that we play by hand on <other>. */
struct scene {
	struct event_base *base;
	struct channel *c;
	int other;
	unsigned got;
	uint32_t last_session;
	unsigned downs;
	char why[240];
};

static void
on_got(void *arg, struct channel *c, const struct msg *m)
{
	struct scene *s = arg;

	(void)c;
	s->got++;
	s->last_session = m->conn_close.session;
}

static void
on_down(void *arg, struct channel *c, const char *why)
{
	struct scene *s = arg;
	struct buf b = BUF_ON(s->why);

	s->downs++;
	buf_add(&b, str_of(why));
	s->c = channel_free(c);
}

static void
scene_open(struct scene *s)
{
	int ends[2];
	struct err e;

	*s = (struct scene){0};
	s->base = event_base_new();
	assert_int_equal(channel_pair(ends, &e), RC_OK);
	s->other = ends[1];
	s->c = channel_new(s->base, ends[0], STATE, EDGE, 0,
	                   (struct channel_use){on_got, on_down, s});
	assert_non_null(s->c);
}

static void
scene_close(struct scene *s)
{
	(void)channel_free(s->c);
	if (s->other >= 0)
		(void)close(s->other);
	event_base_free(s->base);
}

static void
turn(struct scene *s)
{
	assert_true(event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static struct str
wire_close(char *room, size_t cap, uint32_t session)
{
	struct msg m = {.no = MSG_conn_close, .conn_close = {session}};
	struct buf b = {.p = room, .cap = cap};
	struct err e;
	int fd;

	assert_int_equal(msg_encode(EDGE, STATE, &m, &b, &fd, &e), RC_OK);
	return buf_str(&b);
}

static void
send_raw(int to, struct str octets, const int *fds, size_t fd_count)
{
	struct iovec iov = {(void *)(uintptr_t)octets.p, octets.n};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd_count > 0) {
		h.msg_control = control.room;
		h.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
	}
	assert_true(sendmsg(to, &h, MSG_NOSIGNAL) >= 0);
}

static void
test_all_that_was_sent_is_read_before_the_end(void **unused)
{
	(void)unused;
	struct scene s;
	char room[64];

	scene_open(&s);
	for (uint32_t i = 1; i <= 300; i++)
		send_raw(s.other, wire_close(room, sizeof(room), i), NULL, 0);
	(void)close(s.other);
	s.other = -1;
	for (int i = 0; i < 8; i++)
		turn(&s);
	assert_int_equal(s.got, 300);
	assert_int_equal(s.last_session, 300);
	assert_int_equal(s.downs, 1);
	assert_string_equal(s.why, "closed");
	scene_close(&s);
}

/* A reset hides what is still queued, once: a lost "kept" would be a duplicate message. */
static void
test_reset_does_not_lose_what_is_queued(void **unused)
{
	(void)unused;
	struct scene s;
	char room[64];
	struct msg m = {
		.no = MSG_conn_verdict, .conn_verdict = {1, 0}
        };
	struct err e;

	scene_open(&s);
	assert_int_equal(channel_send(s.c, &m, &e),
	                 RC_OK); /* unread there: close means reset here */
	send_raw(s.other, wire_close(room, sizeof(room), 1), NULL, 0);
	send_raw(s.other, wire_close(room, sizeof(room), 2), NULL, 0);
	(void)close(s.other);
	s.other = -1;
	for (int i = 0; i < 4; i++)
		turn(&s);
	assert_int_equal(s.got, 2);
	assert_int_equal(s.downs, 1);
	scene_close(&s);
}

static void
test_malformed_messages_end_the_channel_only(void **unused)
{
	(void)unused;
	static char huge[MSG_OCTETS_MAX + 100];
	const struct str bad[] = {
		STR("\x00"),
		STR("\xff\xff"),
		STR("\x0b\x00\x01\x00\x00\x00\x00"), /* conn_verdict: not theirs */
		STR("\x0c\x00\x01\x00\x00"),
		STR("\x0c\x00\x01\x00\x00\x00\x00"),
		{huge, sizeof(huge)},
	};

	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct scene s;

		scene_open(&s);
		send_raw(s.other, bad[i], NULL, 0);
		turn(&s);
		assert_int_equal(s.got, 0);
		assert_int_equal(s.downs, 1);
		scene_close(&s);
	}
}

static unsigned
open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 200; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void
test_unasked_descriptors_are_closed_with_the_channel(void **unused)
{
	(void)unused;
	const int fds[8] = {0, 1, 2, 0, 1, 2, 0, 1};

	for (size_t count = 1; count <= LENGTH(fds); count += 7) {
		struct scene s;
		char room[64];
		unsigned before;

		scene_open(&s);
		before = open_descriptors();
		send_raw(s.other, wire_close(room, sizeof(room), 1), fds, count);
		turn(&s);
		assert_int_equal(s.got, 0);
		assert_int_equal(s.downs, 1);
		assert_int_equal(open_descriptors(), before - 1); /* only our own end went */
		scene_close(&s);
	}
}

/* Nobody waits to write, and nobody's queue grows without bound. */
static void
test_full_channel_says_again_and_keeps_order(void **unused)
{
	(void)unused;
	struct scene s;
	struct msg m = {
		.no = MSG_conn_verdict, .conn_verdict = {0, 0}
        };
	struct err e;
	uint32_t sent = 0;
	char in[64];

	scene_open(&s);
	for (;; sent++) {
		m.conn_verdict.session = sent;
		enum rc rc = channel_send(s.c, &m, &e);
		if (rc != RC_OK) {
			assert_int_equal(rc, RC_AGAIN);
			break;
		}
	}
	assert_true(channel_queued(s.c) > CHANNEL_QUEUE_MAX - 64);
	for (uint32_t i = 0; i < sent; i++) {
		ssize_t n = recv(s.other, in, sizeof(in), MSG_DONTWAIT);
		if (n < 0) { /* the socket is empty: let the queue move up */
			turn(&s);
			n = recv(s.other, in, sizeof(in), MSG_DONTWAIT);
		}
		struct msg got;
		assert_int_equal(
			msg_decode(STATE, EDGE, (struct str){in, (size_t)n}, -1, &got, &e),
			RC_OK);
		assert_int_equal(got.conn_verdict.session, i);
	}
	assert_int_equal(channel_queued(s.c), 0);
	scene_close(&s);
}

static void
test_sending_to_one_who_is_gone_fails_later(void **unused)
{
	(void)unused;
	struct scene s;
	struct msg m = {
		.no = MSG_conn_verdict, .conn_verdict = {0, 0}
        };
	struct err e;

	scene_open(&s);
	(void)close(s.other);
	s.other = -1;
	assert_int_equal(channel_send(s.c, &m, &e), RC_TEMP);
	assert_int_equal(s.downs, 0); /* only the loop tells */
	turn(&s);
	assert_int_equal(s.downs, 1);
	scene_close(&s);
}

static void
test_cut_reaches_down_from_the_loop(void **unused)
{
	(void)unused;
	struct scene s;

	scene_open(&s);
	channel_cut(s.c, "nobody honest does that");
	assert_int_equal(s.downs, 0);
	turn(&s);
	assert_int_equal(s.downs, 1);
	assert_string_equal(s.why, "nobody honest does that");
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_was_sent_is_read_before_the_end),
		cmocka_unit_test(test_reset_does_not_lose_what_is_queued),
		cmocka_unit_test(test_malformed_messages_end_the_channel_only),
		cmocka_unit_test(test_unasked_descriptors_are_closed_with_the_channel),
		cmocka_unit_test(test_full_channel_says_again_and_keeps_order),
		cmocka_unit_test(test_sending_to_one_who_is_gone_fails_later),
		cmocka_unit_test(test_cut_reaches_down_from_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
