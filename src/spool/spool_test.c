/*
 * spool as a process, behind its walls: what was answered RC_OK is there after kill -9, goes
 * out, and its row goes when its delivery is durable.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "ipc/channel.h"
#include "proto/smtp.h"
#include "role/try.h"

struct house {
	char folder[64];
	struct cfg cfg;
	struct try spool;
	int edge;
	int deliver;
	int control;
	struct id_source ids;
};

static void
settle_in(struct house *h)
{
	struct msg m;

	h->spool = try_start(SPOOL, &h->cfg, h->folder);
	h->edge = try_link(&h->spool, EDGE, 0);
	h->deliver = try_link(&h->spool, DELIVER, 0);
	h->control = try_link(&h->spool, CONTROL, 0);
	try_begin(&h->spool);
	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_spool_room);
	assert_int_equal(m.spool_room.open, 1);
}

static void
close_ends(struct house *h)
{
	(void)close(h->edge);
	(void)close(h->deliver);
	(void)close(h->control);
}

static void
kill_it(struct house *h)
{
	int status;

	assert_int_equal(kill(h->spool.pid, SIGKILL), 0);
	assert_int_equal(waitpid(h->spool.pid, &status, 0), h->spool.pid);
	(void)close(h->spool.master);
	close_ends(h);
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	char body[128];
	struct buf b = BUF_ON(body);
	struct buf folder = BUF_ON(h->folder);

	buf_add(&folder, STR("/tmp/sekisho-spool-XXXXXX"));
	assert_non_null(mkdtemp(h->folder));
	buf_addf(&b, "%s/body", h->folder);
	assert_int_equal(mkdir(body, 0700), 0);
	try_config(&h->cfg);
	h->cfg.retry_first = 1;
	h->ids = (struct id_source){.maker = 0};
	settle_in(h);
	*state = h;
	return 0;
}

static void
remove_all(const struct house *h)
{
	static const char *const names[] = {"spool.db", "spool.db-wal", "body"};

	for (size_t i = 0; i < LENGTH(names); i++) {
		char path[128];
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%s/%s", h->folder, names[i]);
		(void)remove(path);
	}
	assert_int_equal(rmdir(h->folder), 0);
}

static int
teardown(void **state)
{
	struct house *h = *state;

	close_ends(h);
	assert_int_equal(try_stop(&h->spool), 0);
	remove_all(h);
	free(h);
	return 0;
}

static struct list
rcpts_of(struct buf *b, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++) {
		char name[32];
		struct buf mailbox = BUF_ON(name);

		buf_addf(&mailbox, "user%u@example.org", n);
		struct item_rcpt r = {.n = (uint16_t)n,
		                      .mailbox = buf_str(&mailbox),
		                      .orig = buf_str(&mailbox)};
		assert_true(item_add_rcpt(b, &r));
	}
	return (struct list){to - from, buf_str(b)};
}

static struct msg
commit_of(uint64_t id, struct list rcpts, struct str body)
{
	return (struct msg){
		.no = MSG_mail_commit,
		.mail_commit = {.session = 7,
	                        .id = id,
	                        .size = body.n,
	                        .hash = XXH3_64bits(body.p, body.n),
	                        .sender = STR("someone@example.net"),
	                        .helo = STR("client.example.net"),
	                        .rcpts = rcpts,
	                        .body = body}
        };
}

static enum rc
answer_to(struct house *h, uint64_t id)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_mail_reply);
	assert_int_equal(m.mail_reply.id, id);
	assert_int_equal(m.mail_reply.session, 7);
	return (enum rc)m.mail_reply.rc;
}

/* A message of <count> recipients, answered RC_OK. */
static uint64_t
keep(struct house *h, unsigned count, struct str body)
{
	char room[8192];
	struct buf b = BUF_ON(room);
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	struct msg m = commit_of(id, rcpts_of(&b, 0, count), body);

	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(answer_to(h, id), RC_OK);
	return id;
}

static void
want(struct house *h, unsigned messages)
{
	struct msg m = {.no = MSG_work_want, .work_want.messages = messages};

	try_send(&h->spool, h->deliver, DELIVER, &m);
}

static void
done(struct house *h, uint64_t id, unsigned from, unsigned to, enum rc rc)
{
	char room[8192];
	struct buf b = BUF_ON(room);
	struct msg m = {.no = MSG_work_done, .work_done.id = id};

	for (unsigned n = from; n < to; n++) {
		struct item_result r = {(uint16_t)n, (uint8_t)rc, STR("said so")};
		assert_true(item_add_result(&b, &r));
	}
	m.work_done.results = (struct list){to - from, buf_str(&b)};
	try_send(&h->spool, h->deliver, DELIVER, &m);
}

static struct msg_work
work(struct house *h)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->deliver, DELIVER, &m));
	assert_int_equal(m.no, MSG_work);
	return m.work;
}

/* How many rows the queue has, and the first of them. */
static unsigned
queue(struct house *h, struct item_queued *ret_first)
{
	struct msg m = {
		.no = MSG_queue_ask, .queue_ask = {.ask = 3, .most = 32}
        };

	try_send(&h->spool, h->control, CONTROL, &m);
	assert_true(try_take(&h->spool, h->control, CONTROL, &m));
	assert_int_equal(m.queue_answer.ask, 3);
	unsigned count = m.queue_answer.rows.count;
	if (count > 0)
		assert_true(item_next_queued(&m.queue_answer.rows, ret_first));
	return count;
}

/* The results come over another channel than the question. */
static void
assert_queue_empties(struct house *h)
{
	struct item_queued q;
	unsigned rows = 1;

	for (int i = 0; i < 500 && rows > 0; i++) {
		rows = queue(h, &q);
		if (rows > 0)
			(void)usleep(10000);
	}
	assert_int_equal(rows, 0);
}

static void
test_kept_delivered_gone(void **state)
{
	struct house *h = *state;
	struct item_queued q;
	uint64_t id = keep(h, 2, STR("Subject: x\n\nhello\n"));

	want(h, 1);
	struct msg_work w = work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 0);
	assert_int_equal(w.seq, (UINT64_C(1) << 32) + 1);
	assert_str(w.sender, STR("someone@example.net"));
	assert_str(w.body, STR("Subject: x\n\nhello\n"));
	assert_int_equal(w.rcpts.count, 2);
	assert_int_equal(queue(h, &q), 2);
	assert_int_equal(q.state, 2);
	done(h, id, 0, 2, RC_OK);
	assert_queue_empties(h);
}

static void
test_kept_survives_kill(void **state)
{
	struct house *h = *state;
	uint64_t id = keep(h, 1, STR("kept\n"));

	kill_it(h);
	settle_in(h);
	want(h, 1);
	struct msg_work w = work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	assert_int_equal(w.hash, XXH3_64bits("kept\n", 5));
	assert_str(w.body, STR("kept\n"));
	done(h, id, 0, 1, RC_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept_delivered_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept_survives_kill, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
