/* Operators' connections: one request at a time, bounded, and nobody holds one for ever. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/test.h"
#include "control/answer.h"
#include "control/client.h"

#define PATIENCE_MS 5000

struct house {
	struct event_base *base;
	struct clients *clients;
	struct sockaddr_un at;
	struct client *last; /* whose line came last */
	unsigned lines;
	char text[128]; /* all of them */
	struct buf b;
};

static void
on_line(void *arg, struct client *c, struct str line)
{
	struct house *h = arg;

	h->last = c;
	h->lines++;
	buf_add(&h->b, line);
	buf_addc(&h->b, '|');
}

/* Nothing is known meanwhile. */
static bool
on_late(void *arg, struct client *c)
{
	(void)arg;
	(void)c;
	return false;
}

static void
on_refused(void *arg, uid_t uid, pid_t pid)
{
	(void)arg;
	fail_msg("refused uid %u pid %d", uid, pid);
}

/* An abstract address of this test's own: the kernel picks one on bind. */
static struct house *
house_new(uint64_t deadline_ms)
{
	struct house *h = calloc(1, sizeof(*h));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(h->at);
	struct err e;

	assert_non_null(h);
	h->b = BUF_ON(h->text);
	h->base = event_base_new();
	h->at.sun_family = AF_UNIX;
	assert_int_equal(bind(fd, (struct sockaddr *)&h->at, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&h->at, &n), 0);
	assert_int_equal(listen(fd, 64), 0);
	h->clients = clients_new(h->base, (struct clients_use){.line = on_line,
	                                                       .late = on_late,
	                                                       .refused = on_refused,
	                                                       .arg = h,
	                                                       .deadline_ms = deadline_ms});
	assert_int_equal(clients_listen(h->clients, fd, &e), RC_OK);
	return h;
}

static void
house_free(struct house *h)
{
	(void)clients_free(h->clients);
	event_base_free(h->base);
	free(h);
}

static int
connect_to(const struct house *h)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* the kernel's own names are a NUL and five digits */
	socklen_t n = sizeof(sa_family_t) + 6;

	assert_int_equal(connect(fd, (const struct sockaddr *)&h->at, n), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
turn(struct house *h)
{
	assert_true(event_base_loop(h->base, EVLOOP_NONBLOCK) >= 0);
}

static void
until_lines(struct house *h, unsigned lines)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;

	while (h->lines < lines && clock_mono_ms() < end)
		turn(h);
	assert_int_equal(h->lines, lines);
}

/* All that comes until the house closes, a NUL behind it. */
static struct str
until_closed(struct house *h, int fd, char *room, size_t cap)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;
	size_t n = 0;
	ssize_t got = -1;

	while (got != 0 && clock_mono_ms() < end && n < cap) {
		turn(h);
		got = recv(fd, room + n, cap - n, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
	}
	assert_int_equal(got, 0);
	return (struct str){room, n};
}

static void
test_a_request_waits_for_the_answer_to_the_one_before(void **unused)
{
	(void)unused;
	struct house *h = house_new(PATIENCE_MS);
	int fd = connect_to(h);
	char got[16] = "";

	say(fd, "one\ntwo\nth");
	until_lines(h, 1);
	turn(h);
	assert_int_equal(h->lines, 1);
	client_answer(h->last, STR("first\n"));
	until_lines(h, 2);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 6);
	assert_string_equal(got, "first\n");
	client_answer(h->last, STR("second\n"));
	turn(h);
	say(fd, "ree\n");
	until_lines(h, 3);
	assert_string_equal(h->text, "one|two|three|");
	(void)close(fd);
	house_free(h);
}

static void
test_a_line_without_end_is_cut_off(void **unused)
{
	(void)unused;
	static char room[1024];
	struct house *h = house_new(PATIENCE_MS);
	int fd = connect_to(h);
	char x[REQUEST_OCTETS_MAX];

	memset(x, 'x', sizeof(x));
	assert_int_equal(send(fd, x, sizeof(x), 0), sizeof(x));
	struct str got = until_closed(h, fd, room, sizeof(room));
	assert_true(str_starts(got, STR("{\"error\":\"a request is at most 8192 octets\"")));
	assert_int_equal(h->lines, 0);
	(void)close(fd);
	house_free(h);
}

static void
test_who_says_nothing_is_closed(void **unused)
{
	(void)unused;
	static char room[64];
	struct house *h = house_new(20);
	int fd = connect_to(h);

	say(fd, "half a li");
	assert_int_equal(until_closed(h, fd, room, sizeof(room)).n, 0);
	(void)close(fd);
	house_free(h);
}

static void
test_who_stops_reading_is_closed(void **unused)
{
	(void)unused;
	static char lines[ANSWER_OCTETS_MAX];
	static char room[ANSWER_OCTETS_MAX];
	struct house *h = house_new(20);
	int fd = connect_to(h);
	uint64_t end = clock_mono_ms() + 60;

	memset(lines, 'x', sizeof(lines));
	say(fd, "list\n");
	until_lines(h, 1);
	client_answer(h->last, (struct str){lines, sizeof(lines)});
	while (clock_mono_ms() < end)
		turn(h);
	/* what the socket held is there, the rest never comes */
	assert_true(until_closed(h, fd, room, sizeof(room)).n < sizeof(lines));
	(void)close(fd);
	house_free(h);
}

static void
test_an_answer_that_does_not_come_is_an_error_in_time(void **unused)
{
	(void)unused;
	static char room[1024];
	struct house *h = house_new(20);
	int fd = connect_to(h);
	struct request q;
	struct err e;

	assert_int_equal(request_read(STR("{\"verb\":\"queue_list\"}"), &q, &e), RC_OK);
	say(fd, "list\n");
	until_lines(h, 1);
	client_wait(h->last, &q, 5, NULL);
	assert_ptr_equal(clients_waiting(h->clients, 5), h->last);
	struct str got = until_closed(h, fd, room, sizeof(room));
	assert_true(str_starts(got, STR("{\"error\":\"no answer in time")));
	assert_null(clients_waiting(h->clients, 5));
	(void)close(fd);
	house_free(h);
}

static void
test_a_lost_channel_fails_only_those_who_wait_for_it(void **unused)
{
	(void)unused;
	struct house *h = house_new(PATIENCE_MS);
	const struct channel *channels[2] = {(const struct channel *)&h->lines,
	                                     (const struct channel *)&h->last};
	char got[256] = "";
	struct request q;
	struct err e;
	int fds[2];

	assert_int_equal(request_read(STR("{\"verb\":\"queue_list\"}"), &q, &e), RC_OK);
	for (unsigned i = 0; i < 2; i++) {
		fds[i] = connect_to(h);
		say(fds[i], "list\n");
		until_lines(h, i + 1);
		client_wait(h->last, &q, i + 1, channels[i]);
	}
	clients_channel_gone(h->clients, channels[0], "spool is not there, try again");
	turn(h);
	assert_true(recv(fds[0], got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_non_null(strstr(got, "spool is not there"));
	assert_int_equal(recv(fds[1], got, sizeof(got), MSG_DONTWAIT), -1);
	assert_null(clients_waiting(h->clients, 1));
	assert_non_null(clients_waiting(h->clients, 2));
	(void)close(fds[0]);
	(void)close(fds[1]);
	house_free(h);
}

static void
test_one_operator_too_many_is_told_so(void **unused)
{
	(void)unused;
	static char room[1024];
	struct house *h = house_new(PATIENCE_MS);
	int fds[CLIENTS_MAX + 1];

	for (unsigned i = 0; i <= CLIENTS_MAX; i++)
		fds[i] = connect_to(h);
	struct str got = until_closed(h, fds[CLIENTS_MAX], room, sizeof(room));
	assert_true(str_starts(got, STR("{\"error\":\"too many operators")));
	(void)close(fds[0]);
	fds[0] = connect_to(h); /* the place of one who left is free again */
	say(fds[0], "list\n");
	until_lines(h, 1);
	for (unsigned i = 0; i <= CLIENTS_MAX; i++)
		(void)close(fds[i]);
	house_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_waits_for_the_answer_to_the_one_before),
		cmocka_unit_test(test_a_line_without_end_is_cut_off),
		cmocka_unit_test(test_who_says_nothing_is_closed),
		cmocka_unit_test(test_who_stops_reading_is_closed),
		cmocka_unit_test(test_an_answer_that_does_not_come_is_an_error_in_time),
		cmocka_unit_test(test_a_lost_channel_fails_only_those_who_wait_for_it),
		cmocka_unit_test(test_one_operator_too_many_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
