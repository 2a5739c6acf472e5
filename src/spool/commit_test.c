/*
 * "250 means kept" where it is decided: who is told what when a commit works, has no room, or
 * cannot be synced.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "role/try.h"
#include "spool/disk_fake.h"
#include "spool/spool.h"

#define NOW UINT64_C(1700000000000000)

struct house {
	char dir[64];
	char was[256];
	struct cfg cfg;
	struct event_base *base;
	struct channel *edge;
	struct channel *deliver;
	int edge_end;
	int deliver_end;
	uint64_t made;
	struct spool spool;
};

static void
no_message(void *arg, struct channel *c, const struct msg *m)
{
	(void)arg;
	(void)c;
	(void)m;
}

static void
no_end(void *arg, struct channel *c, const char *why)
{
	(void)arg;
	(void)c;
	(void)why;
}

static struct channel *
neighbour(struct house *h, enum proc peer, int *ret_end)
{
	struct channel_use use = {no_message, no_end, h};
	int ends[2];
	struct err e;

	assert_int_equal(channel_pair(ends, &e), RC_OK);
	*ret_end = ends[1];
	struct channel *c = channel_new(h->base, ends[0], SPOOL, peer, 0, use);
	assert_non_null(c);
	return c;
}

/* The route of all recipients here. */
static struct schedule *
maildirs(const struct spool *sp)
{
	return route_find(sp, STR(""))->schedule;
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct spool *sp = &h->spool;
	struct buf b = BUF_ON(h->dir);
	struct err e = {.text = ""};
	const char *why;

	disk = (struct disk_fake){0};
	buf_add(&b, STR("/tmp/sekisho-commit-XXXXXX"));
	assert_non_null(mkdtemp(h->dir));
	assert_non_null(getcwd(h->was, sizeof(h->was)));
	assert_int_equal(chdir(h->dir), 0);
	try_config(&h->cfg);
	h->base = event_base_new();
	assert_non_null(h->base);
	TAILQ_INIT(&sp->boxes);
	sp->cfg = &h->cfg;
	sp->retry = (struct retry){60, 14400, 432000};
	sp->wall_us = NOW;
	sp->now_ms = 5000;
	sp->boot = 1;
	if (tables_open("spool.db", &sp->tables, &e) != RC_OK)
		fail_msg("%s", e.text);
	assert_true(routes_open(sp, (struct table_secret){
					    {1, 2}
        }));
	sp->journal = journal_new();
	h->edge = neighbour(h, EDGE, &h->edge_end);
	h->deliver = neighbour(h, DELIVER, &h->deliver_end);
	assert_true(keep_edge_up(sp, h->edge));
	assert_true(routes_deliver_up(sp, h->deliver, &why));
	assert_null(why);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;
	struct spool *sp = &h->spool;

	disk = (struct disk_fake){0};
	keep_edge_down(sp, h->edge);
	routes_close(sp);
	sp->journal = journal_free(sp->journal);
	sp->tables = tables_close(sp->tables);
	h->edge = channel_free(h->edge);
	h->deliver = channel_free(h->deliver);
	(void)close(h->edge_end);
	(void)close(h->deliver_end);
	event_base_free(h->base);
	(void)unlink("spool.db");
	(void)unlink("spool.db-wal"); /* of a life that ended without closing */
	assert_int_equal(chdir(h->was), 0);
	assert_int_equal(rmdir(h->dir), 0);
	free(h);
	return 0;
}

/* The next message the spool has sent there; false: none. */
static bool
sent(int end, enum proc to, struct msg *ret)
{
	static char room[MSG_OCTETS_MAX];
	struct err e;
	ssize_t n = recv(end, room, sizeof(room), MSG_DONTWAIT);

	if (n <= 0)
		return false;
	assert_int_equal(msg_decode(SPOOL, to, (struct str){room, (size_t)n}, -1, ret, &e),
	                 RC_OK);
	return true;
}

/* Hands a message in; its id. */
static uint64_t
hand_in(struct house *h)
{
	char room[256];
	struct buf b = BUF_ON(room);
	struct item_rcpt r = {.mailbox = STR("b@example.org"), .orig = STR("b@example.org")};
	struct msg_mail_commit m = {.id = ++h->made << 12,
	                            .size = 5,
	                            .hash = XXH3_64bits("mail\n", 5),
	                            .body = STR("mail\n")};

	assert_true(item_add_rcpt(&b, &r));
	m.rcpts = (struct list){1, buf_str(&b)};
	assert_null(keep_mail(&h->spool, h->edge, &m));
	return m.id;
}

static void
assert_answers(struct house *h, unsigned count, enum rc rc, bool full)
{
	struct msg m;

	for (unsigned i = 0; i < count; i++) {
		assert_true(sent(h->edge_end, EDGE, &m));
		assert_int_equal(m.no, MSG_mail_reply);
		assert_int_equal(m.mail_reply.rc, rc);
		assert_int_equal(m.mail_reply.full, full);
	}
	assert_false(sent(h->edge_end, EDGE, &m));
}

static void
test_nobody_is_told_before_the_commit(void **state)
{
	struct house *h = *state;

	(void)hand_in(h); /* the first one starts a log, with syncs of its own */
	batch_commit(&h->spool);
	assert_answers(h, 1, RC_OK, false);
	uint64_t id = hand_in(h);
	(void)hand_in(h);
	assert_answers(h, 0, RC_OK, false);
	assert_null(schedule_find(maildirs(&h->spool), id));
	unsigned syncs = disk.syncs;
	batch_commit(&h->spool);
	assert_int_equal(disk.syncs, syncs + 1); /* one for both */
	assert_answers(h, 2, RC_OK, false);
	assert_non_null(schedule_find(maildirs(&h->spool), id));
}

static void
test_batch_is_bounded(void **state)
{
	struct house *h = *state;

	for (unsigned i = 0; i < BATCH_MAILS - 1; i++)
		(void)hand_in(h);
	assert_answers(h, 0, RC_OK, false);
	(void)hand_in(h);
	assert_answers(h, BATCH_MAILS, RC_OK, false);
}

static struct tables *volatile left_open; /* until the process ends */

/* IO-1: after a failed sync nobody is told "kept", and the file is not touched again. */
static void
test_failed_sync_is_final(void **state)
{
	struct house *h = *state;

	(void)hand_in(h);
	(void)hand_in(h);
	disk.fail_sync = disk.syncs + 1;
	batch_commit(&h->spool);
	assert_true(h->spool.broken);
	assert_answers(h, 2, RC_TEMP, false);

	unsigned calls = disk.calls;
	(void)hand_in(h);
	batch_commit(&h->spool);
	batch_checkpoint(&h->spool);
	hand_out(&h->spool);
	assert_answers(h, 1, RC_TEMP, false);
	assert_int_equal(disk.calls, calls);
	left_open = h->spool.tables; /* as on_close does */
	h->spool.tables = NULL;
}

static void
test_no_room_is_said_and_passes(void **state)
{
	struct house *h = *state;

	uint64_t lost = hand_in(h);
	disk.fail_write = disk.calls + 1;
	disk.fail_errno = ENOSPC;
	batch_commit(&h->spool);
	assert_false(h->spool.broken);
	assert_answers(h, 1, RC_TEMP, true);
	assert_false(tables_has_mail(h->spool.tables, lost));
	assert_null(schedule_find(maildirs(&h->spool), lost));
	uint64_t kept = hand_in(h);
	batch_commit(&h->spool);
	assert_answers(h, 1, RC_OK, false);
	assert_true(tables_has_mail(h->spool.tables, kept));
}

static void
give_credit(struct house *h, unsigned messages)
{
	assert_null(settle_credit(&h->spool, h->deliver,
	                          &(struct msg_work_want){.messages = messages}));
	hand_out(&h->spool);
}

static void
report(struct house *h, uint64_t id, enum rc rc)
{
	char room[64];
	struct buf b = BUF_ON(room);
	struct item_result r = {.rc = (uint8_t)rc};
	struct msg_work_done m = {.id = id};

	assert_true(item_add_result(&b, &r));
	m.results = (struct list){1, buf_str(&b)};
	assert_null(settle_results(&h->spool, h->deliver, &m));
}

/* Results wait a little for mail to share its sync; then they are committed alone. */
static void
test_results_wait_for_mail_but_not_for_long(void **state)
{
	struct house *h = *state;
	struct spool *sp = &h->spool;
	uint64_t id = hand_in(h);

	batch_commit(sp);
	give_credit(h, 1);
	report(h, id, RC_OK);
	assert_false(batch_is_due(sp));
	sp->now_ms += BATCH_WAIT_MS;
	assert_true(batch_is_due(sp));
	sp->now_ms -= BATCH_WAIT_MS;
	(void)hand_in(h);
	assert_true(batch_is_due(sp));
	batch_commit(sp);
	assert_false(tables_has_mail(sp->tables, id));
}

/* The row came back with the rollback: its delivery is reported again, with again=1. */
static void
test_lost_result_goes_out_again(void **state)
{
	struct house *h = *state;
	struct spool *sp = &h->spool;
	struct msg m;
	uint64_t id = hand_in(h);

	batch_commit(sp);
	give_credit(h, 2);
	assert_true(sent(h->deliver_end, DELIVER, &m));
	assert_int_equal(m.work.again, 0);
	report(h, id, RC_OK);
	disk.fail_write = disk.calls + 1;
	disk.fail_errno = ENOSPC;
	batch_commit(sp);
	assert_true(tables_has_mail(sp->tables, id));
	hand_out(sp);
	assert_false(sent(h->deliver_end, DELIVER, &m)); /* a pause: there was no room */
	sp->now_ms += 1000;
	sp->wall_us += 1000000;
	hand_out(sp);
	assert_true(sent(h->deliver_end, DELIVER, &m));
	assert_int_equal(m.work.id, id);
	assert_int_equal(m.work.again, 1);
	report(h, id, RC_OK);
	batch_commit(sp);
	assert_false(tables_has_mail(sp->tables, id));
}

/* An edge that died must not be answered, nor its successor for it. */
static void
test_dead_edge_is_not_answered(void **state)
{
	struct house *h = *state;
	uint64_t id = hand_in(h);

	keep_edge_down(&h->spool, h->edge);
	batch_commit(&h->spool);
	assert_answers(h, 0, RC_OK, false);
	assert_true(tables_has_mail(h->spool.tables, id));
}

/* A message tried for too long is held, not dropped. */
static void
test_old_message_is_held(void **state)
{
	struct house *h = *state;
	struct spool *sp = &h->spool;
	struct rcpt_row r;
	struct err e;
	uint64_t id = hand_in(h);

	sp->retry.lifetime_s = 3000; /* less than the waits of so few tries */
	batch_commit(sp);
	for (unsigned i = 0; i < RETRY_TRIES_MIN; i++) {
		give_credit(h, 1);
		assert_non_null(schedule_find(maildirs(sp), id));
		report(h, id, RC_TEMP);
		batch_commit(sp);
		sp->wall_us += UINT64_C(500000) * 1000000;
	}
	tables_rcpts(sp->tables, id);
	assert_int_equal(tables_rcpt_next(sp->tables, &r, &e), RC_OK);
	assert_int_equal(r.state, ROW_HELD);
	assert_int_equal(r.tries, RETRY_TRIES_MIN);
	tables_rcpts_end(sp->tables);
	give_credit(h, 1);
	assert_null(schedule_find(maildirs(sp), id));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_is_told_before_the_commit),
		TEST(test_batch_is_bounded),
		TEST(test_failed_sync_is_final),
		TEST(test_no_room_is_said_and_passes),
		TEST(test_results_wait_for_mail_but_not_for_long),
		TEST(test_lost_result_goes_out_again),
		TEST(test_dead_edge_is_not_answered),
		TEST(test_old_message_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
