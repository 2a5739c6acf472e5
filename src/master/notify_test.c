/*
 * notify.c towards a socket of the test's: what the service manager reads, and when.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/test.h"
#include "master/notify.h"

struct manager {
	int fd;
	char address[64]; /* as in NOTIFY_SOCKET */
	struct event_base *base;
	struct notify *n;
};

static void
listen_at(struct manager *m)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = strlen(m->address);

	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(m->fd >= 0);
	memcpy(sa.sun_path, m->address, n);
	if (m->address[0] == '@')
		sa.sun_path[0] = '\0';
	assert_int_equal(bind(m->fd, (struct sockaddr *)&sa,
	                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
	                 0);
}

static int
set_up(void **state)
{
	struct manager *m = calloc(1, sizeof(*m));
	struct buf b = BUF_ON(m->address);

	buf_addf(&b, "@sekisho-notify-test-%d", (int)getpid());
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	m->base = event_base_new();
	assert_non_null(m->base);
	*state = m;
	return 0;
}

static int
tear_down(void **state)
{
	struct manager *m = *state;

	m->n = notify_close(m->n);
	event_base_free(m->base);
	fd_closep(&m->fd);
	if (m->address[0] == '/')
		(void)unlink(m->address);
	free(m);
	return 0;
}

static void
open_to(struct manager *m)
{
	struct err e;

	listen_at(m);
	(void)setenv("NOTIFY_SOCKET", m->address, 1);
	assert_int_equal(notify_open(m->base, &m->n, &e), RC_OK);
	assert_non_null(m->n);
}

/* The next datagram, or "". */
static const char *
heard(const struct manager *m)
{
	static char text[512];
	ssize_t n = recv(m->fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
turn_for(const struct manager *m, unsigned ms)
{
	struct timeval end = {.tv_usec = (suseconds_t)ms * 1000};

	assert_int_equal(event_base_loopexit(m->base, &end), 0);
	assert_true(event_base_dispatch(m->base) >= 0);
}

static void
test_nobody_asked(void **state)
{
	struct manager *m = *state;
	struct err e;

	m->fd = -1;
	(void)unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(m->base, &m->n, &e), RC_OK);
	assert_null(m->n);
	notify_ready(m->n);
	notify_status(m->n, "nobody hears %s", "this");
	notify_extend(m->n, 1);
	assert_null(notify_close(m->n));
}

/* From READY to STOPPING, over a reload; after STOPPING nothing turns it back. */
static void
test_a_life(void **state)
{
	struct manager *m = *state;

	open_to(m);
	assert_string_equal(heard(m), "");
	notify_status(m->n, "%d of %d processes are ready", 3, 12);
	assert_string_equal(heard(m), "STATUS=3 of 12 processes are ready\n");
	notify_started(m->n);
	assert_string_equal(heard(m), "READY=1\nSTATUS=3 of 12 processes are ready\n");
	notify_reloading(m->n);
	assert_int_equal(strncmp(heard(m), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	notify_started(m->n); /* a process that came back does not end the reload */
	assert_string_equal(heard(m), "");
	notify_ready(m->n);
	assert_int_equal(strncmp(heard(m), "READY=1\n", 8), 0);
	notify_stopping(m->n);
	assert_int_equal(strncmp(heard(m), "STOPPING=1\n", 11), 0);
	notify_ready(m->n);
	notify_extend(m->n, 35000);
	assert_string_equal(heard(m), "EXTEND_TIMEOUT_USEC=35000000\n");
	assert_string_equal(heard(m), "");
}

/* MONOTONIC_USEC is the time of the reload by the clock that the manager compares it with. */
static void
test_reload_has_its_time(void **state)
{
	struct manager *m = *state;
	struct timespec before;
	struct timespec after;
	unsigned long long us = 0;

	open_to(m);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	notify_reloading(m->n);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(sscanf(heard(m), "RELOADING=1\nMONOTONIC_USEC=%llu", &us), 1);
	assert_true(us >= (unsigned long long)before.tv_sec * 1000000 +
	                          (unsigned long long)before.tv_nsec / 1000);
	assert_true(us <= (unsigned long long)after.tv_sec * 1000000 +
	                          (unsigned long long)after.tv_nsec / 1000);
}

static void
test_path(void **state)
{
	struct manager *m = *state;
	struct buf b = BUF_ON(m->address);

	buf_addf(&b, "/tmp/sekisho-notify-test-%d", (int)getpid());
	open_to(m);
	notify_ready(m->n);
	assert_string_equal(heard(m), "READY=1\n");
}

/* A manager whose queue is full blocks nobody and learns the newest later. */
static void
test_full_queue(void **state)
{
	struct manager *m = *state;

	open_to(m);
	int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un sa;
	socklen_t n = sizeof(sa);
	assert_int_equal(getsockname(m->fd, (struct sockaddr *)&sa, &n), 0);
	unsigned filled = 0;
	while (sendto(other, "x", 1, 0, (struct sockaddr *)&sa, n) == 1)
		filled++;
	notify_status(m->n, "first");
	notify_ready(m->n);
	notify_status(m->n, "last");
	while (filled-- > 0)
		assert_string_equal(heard(m), "x");
	assert_string_equal(heard(m), "");
	turn_for(m, 250);
	assert_string_equal(heard(m), "READY=1\nSTATUS=last\n");
	turn_for(m, 250);
	assert_string_equal(heard(m), "");
	(void)close(other);
}

/* The sign of life comes from the loop, at half of the time that was asked for. */
static void
test_watchdog(void **state)
{
	struct manager *m = *state;
	unsigned beats = 0;

	(void)setenv("WATCHDOG_USEC", "100000", 1);
	open_to(m);
	assert_string_equal(heard(m), "");
	turn_for(m, 330);
	while (strcmp(heard(m), "WATCHDOG=1\n") == 0)
		beats++;
	assert_in_range(beats, 3, 6);
}

static void
test_watchdog_of_another(void **state)
{
	struct manager *m = *state;

	(void)setenv("WATCHDOG_USEC", "20000", 1);
	(void)setenv("WATCHDOG_PID", "1", 1);
	open_to(m);
	turn_for(m, 100);
	assert_string_equal(heard(m), "");
}

static void
test_what_is_no_socket(void **state)
{
	struct manager *m = *state;
	char long_name[200];
	const char *const wrong[] = {"relative", "vsock:2:5", "/", "@", long_name};
	struct err e;

	m->fd = -1;
	memset(long_name, 'a', sizeof(long_name));
	long_name[0] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		(void)setenv("NOTIFY_SOCKET", wrong[i], 1);
		assert_int_equal(notify_open(m->base, &m->n, &e), RC_PERM);
		assert_non_null(strstr(e.text, "NOTIFY_SOCKET"));
		assert_null(m->n);
	}
	(void)setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	assert_int_not_equal(notify_open(m->base, &m->n, &e), RC_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload_has_its_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_path, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watchdog, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_watchdog_of_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_socket, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
