/*
 * What spool alone costs a message: the real process behind its walls, an edge that keeps
 * <window> commits under way, a deliver that reports all done at once. Then as many without a
 * deliver, kill -9, and how soon the next one takes mail and empties the queue.
 *
 *   bench-spool FOLDER [MESSAGES [WINDOW [OCTETS]]]
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "role/try.h"

struct bench {
	struct try spool;
	int edge;
	int deliver;
	struct id_source ids;
	struct str body;
	uint64_t window;
	uint64_t sent;
	uint64_t kept;
	uint64_t done;
};

static void
commit(struct bench *b)
{
	char room[256];
	struct buf rcpts = BUF_ON(room);
	struct item_rcpt r = {.mailbox = STR("user0001@example.org"),
	                      .orig = STR("user0001@example.org")};
	struct msg m = {
		.no = MSG_mail_commit,
		.mail_commit = {.session = (uint32_t)b->sent,
	                        .id = id_make(&b->ids, clock_wall_us()),
	                        .size = b->body.n,
	                        .hash = XXH3_64bits(b->body.p, b->body.n),
	                        .sender = STR("sender@example.net"),
	                        .helo = STR("client.example.net"),
	                        .body = b->body}
        };

	assert_true(item_add_rcpt(&rcpts, &r));
	m.mail_commit.rcpts = (struct list){1, buf_str(&rcpts)};
	try_send(&b->spool, b->edge, EDGE, &m);
	b->sent++;
}

static void
take_reply(struct bench *b)
{
	struct msg m;

	assert_true(try_take(&b->spool, b->edge, EDGE, &m));
	if (m.no == MSG_mail_reply) {
		assert_int_equal(m.mail_reply.rc, RC_OK);
		b->kept++;
	}
}

static void
take_work(struct bench *b)
{
	char room[64];
	struct buf results = BUF_ON(room);
	struct item_result r = {.rc = RC_OK};
	struct msg m;

	assert_true(try_take(&b->spool, b->deliver, DELIVER, &m));
	assert_int_equal(m.no, MSG_work);
	assert_true(item_add_result(&results, &r));
	m = (struct msg){
		.no = MSG_work_done, .work_done = {m.work.id, {1, buf_str(&results)}}
        };
	try_send(&b->spool, b->deliver, DELIVER, &m);
	m = (struct msg){.no = MSG_work_want, .work_want.messages = 1};
	try_send(&b->spool, b->deliver, DELIVER, &m);
	b->done++;
}

static void
ask(struct bench *b)
{
	struct msg m = {.no = MSG_work_want, .work_want.messages = 256};

	try_send(&b->spool, b->deliver, DELIVER, &m);
}

/* Until <total> are kept and <done> of them delivered. */
static void
go(struct bench *b, uint64_t total, uint64_t done)
{
	while (b->kept < total || b->done < done) {
		struct pollfd p[] = {
			{.fd = b->edge,    .events = POLLIN},
			{.fd = b->deliver, .events = POLLIN}
                };

		while (b->sent < total && b->sent - b->kept < b->window)
			commit(b);
		assert_true(poll(p, LENGTH(p), -1) > 0);
		if (p[0].revents != 0)
			take_reply(b);
		if (p[1].revents != 0)
			take_work(b);
	}
}

static void
start(struct bench *b, const char *folder)
{
	struct cfg cfg;

	try_config(&cfg);
	b->spool = try_start(SPOOL, &cfg, folder);
	b->edge = try_link(&b->spool, EDGE, 0);
	b->deliver = try_link(&b->spool, DELIVER, 0);
	try_begin(&b->spool);
}

static void
leave(struct bench *b)
{
	(void)close(b->edge);
	(void)close(b->deliver);
	assert_int_equal(try_stop(&b->spool), 0);
}

static void
report(const char *what, uint64_t messages, uint64_t start_ms)
{
	static struct rusage before;
	struct rusage now;
	double s = (double)(clock_mono_ms() - start_ms) / 1e3;

	assert_int_equal(getrusage(RUSAGE_CHILDREN, &now), 0);
	double user = (double)(now.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1e6 +
	              (double)(now.ru_utime.tv_usec - before.ru_utime.tv_usec);
	double sys = (double)(now.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e6 +
	             (double)(now.ru_stime.tv_usec - before.ru_stime.tv_usec);
	before = now;
	printf("%-8s %7.0f messages/s, CPU %5.1f us a message (user %.1f, system %.1f), peak "
	       "%ld KiB\n",
	       what, (double)messages / s, (user + sys) / (double)messages,
	       user / (double)messages, sys / (double)messages, now.ru_maxrss);
}

/* A full queue, and nobody had time to tidy up. */
static void
backlog(struct bench *b, const char *folder, uint64_t messages)
{
	int status;
	uint64_t start_ms = clock_mono_ms();

	start(b, folder);
	go(b, b->sent + messages, 0);
	assert_int_equal(kill(b->spool.pid, SIGKILL), 0);
	assert_int_equal(waitpid(b->spool.pid, &status, 0), b->spool.pid);
	(void)close(b->edge);
	(void)close(b->deliver);
	(void)close(b->spool.master);
	report("fill", messages, start_ms);

	start_ms = clock_mono_ms();
	start(b, folder);
	go(b, b->sent + 1, 0);
	printf("restart: mail is kept again after %llu ms\n",
	       (unsigned long long)(clock_mono_ms() - start_ms));
	b->done = 0;
	ask(b);
	go(b, 0, messages + 1);
	leave(b);
	report("drain", messages, start_ms);
}

static uint64_t
argument(int argc, char **argv, int at, uint64_t initial)
{
	uint64_t value = initial;

	if (argc > at && !str_u64(str_of(argv[at]), 10000000, &value))
		fail_msg("%s is no number", argv[at]);
	return value;
}

int
main(int argc, char **argv)
{
	struct bench b = {.window = argument(argc, argv, 3, 20)};
	uint64_t messages = argument(argc, argv, 2, 50000);

	if (argc < 2)
		fail_msg("usage: bench-spool FOLDER [MESSAGES [WINDOW [OCTETS]]]");
	b.body.n = argument(argc, argv, 4, 4096);
	char *octets = malloc(b.body.n + 1);
	assert_non_null(octets);
	memset(octets, 'x', b.body.n);
	b.body.p = octets;
	uint64_t start_ms = clock_mono_ms();
	start(&b, argv[1]);
	ask(&b);
	go(&b, messages, messages);
	leave(&b);
	report("through", messages, start_ms);
	backlog(&b, argv[1], messages);
	free(octets);
	return 0;
}
