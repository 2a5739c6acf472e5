/*
 * spool as a process, behind its walls: what was answered RC_OK is there after kill -9, goes
 * out, and its row goes when its delivery is durable.
 */
#include <poll.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/test.h"
#include "proto/smtp.h"
#include "spool/house.h"

#define RESERVE_MOST UINT64_C(1099511627776) /* of spool_reserve */

static void
test_kept_delivered_gone(void **state)
{
	struct house *h = *state;
	struct item_queued q;
	uint64_t id = house_keep(h, 2, STR("Subject: x\n\nhello\n"));

	house_want(h, 1);
	struct msg_work w = house_work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 0);
	assert_int_equal(w.seq, (UINT64_C(1) << 32) + 1);
	assert_int_equal(w.flags, MAIL_8BIT | MAIL_SMTPUTF8);
	assert_str(w.sender, STR("someone@example.net"));
	assert_str(w.body, STR("Subject: x\n\nhello\n"));
	assert_int_equal(w.rcpts.count, 2);
	assert_int_equal(house_queue(h, &q), 2);
	assert_int_equal(q.state, 2);
	house_done(h, id, 0, 2, RC_OK);
	house_queue_empties(h);
}

static void
test_kept_survives_kill(void **state)
{
	struct house *h = *state;
	uint64_t id = house_keep(h, 1, STR("kept\n"));

	house_kill(h);
	house_settle_in(h);
	house_want(h, 1);
	struct msg_work w = house_work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	assert_int_equal(w.hash, XXH3_64bits("kept\n", 5));
	assert_int_equal(w.flags, MAIL_8BIT | MAIL_SMTPUTF8);
	assert_str(w.body, STR("kept\n"));
	house_done(h, id, 0, 1, RC_OK);
}

static void
test_dead_deliver_work_goes_out_again(void **state)
{
	struct house *h = *state;
	uint64_t id = house_keep(h, 1, STR("x\n"));

	house_want(h, 1);
	assert_int_equal(house_work(h).again, 0);
	house_replace_deliver(h);
	house_want(h, 1);
	struct msg_work w = house_work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	assert_str(w.body, STR("x\n"));
	house_done(h, id, 0, 1, RC_OK);
	house_queue_empties(h);
}

static void
test_no_credit_no_work(void **state)
{
	struct house *h = *state;
	struct pollfd p = {.fd = h->deliver, .events = POLLIN};

	(void)house_keep(h, 1, STR("1\n"));
	uint64_t second = house_keep(h, 1, STR("2\n"));
	assert_int_equal(poll(&p, 1, 50), 0);
	house_want(h, 1);
	(void)house_work(h);
	assert_int_equal(poll(&p, 1, 50), 0);
	house_want(h, 1);
	assert_int_equal(house_work(h).id, second);
}

static void
test_deferred_is_tried_again(void **state)
{
	struct house *h = *state;
	struct item_queued q;
	uint64_t id = house_keep(h, 2, STR("x\n"));

	house_want(h, 2);
	(void)house_work(h);
	house_done(h, id, 0, 1, RC_TEMP);
	house_done(h, id, 1, 2, RC_OK);
	for (int i = 0; i < 100 && house_queue(h, &q) != 1; i++)
		(void)usleep(10000);
	assert_int_equal(q.state, 0);
	assert_int_equal(q.tries, 1);
	assert_int_equal(q.rcpts, 2);
	struct msg_work w = house_work(h); /* after retry_first, give or take a tenth */
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	assert_int_equal(w.rcpts.count, 1);
	house_done(h, id, 0, 1, RC_OK);
	house_queue_empties(h);
}

static void
test_refused_is_held(void **state)
{
	struct house *h = *state;
	struct item_queued q = {.state = 2};
	uint64_t id = house_keep(h, 1, STR("x\n"));

	house_want(h, 2);
	(void)house_work(h);
	house_done(h, id, 0, 1, RC_PERM);
	for (int i = 0; i < 100 && q.state == 2; i++) {
		assert_int_equal(house_queue(h, &q), 1);
		(void)usleep(10000);
	}
	assert_int_equal(q.state, 1);
	(void)usleep(200000); /* results may wait a little for mail to share its sync */
	house_kill(h);
	house_settle_in(h);
	assert_int_equal(house_queue(h, &q), 1); /* never dropped, never sent */
	assert_int_equal(q.state, 1);
}

/* More recipients than a message between processes carries: before it, and out in parts. */
static void
test_many_recipients(void **state)
{
	struct house *h = *state;
	static char room[60000];
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	static bool seen[250];
	unsigned total = 0;

	for (unsigned n = 0; n < 250; n += 50) {
		struct buf b = BUF_ON(room);
		struct list l = house_rcpts(&b, n, n + 50);
		struct msg m = {
			.no = MSG_mail_rcpts, .mail_rcpts = {id, l}
                };

		if (n == 200)
			m = house_commit(id, l, STR("to many\n"));
		try_send(&h->spool, h->edge, EDGE, &m);
	}
	assert_int_equal(house_answer(h, id), RC_OK);
	house_want(h, 1000);
	while (total < 250) {
		struct msg_work w = house_work(h);
		struct list l = w.rcpts;
		struct item_rcpt r;

		assert_in_range(l.count, 1, 32);
		while (item_next_rcpt(&l, &r)) {
			assert_false(seen[r.n]);
			seen[r.n] = true;
			total++;
			house_done(h, id, r.n, r.n + 1U, RC_OK);
		}
	}
	house_queue_empties(h);
}

static void
test_dropped_recipients_are_forgotten(void **state)
{
	struct house *h = *state;
	char room[512];
	struct buf b = BUF_ON(room);
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	struct msg m = {
		.no = MSG_mail_rcpts, .mail_rcpts = {id, house_rcpts(&b, 0, 3)}
        };
	struct msg drop = {.no = MSG_mail_drop, .mail_drop.id = id};

	try_send(&h->spool, h->edge, EDGE, &m);
	try_send(&h->spool, h->edge, EDGE, &drop);
	buf_clear(&b);
	m = house_commit(id, house_rcpts(&b, 0, 1), STR("x\n"));
	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(house_answer(h, id), RC_OK);
	house_want(h, 1);
	assert_int_equal(house_work(h).rcpts.count, 1);
}

static void
test_id_is_kept_once(void **state)
{
	struct house *h = *state;
	char room[512];
	struct buf b = BUF_ON(room);
	uint64_t id = house_keep(h, 1, STR("first\n"));
	struct msg m = house_commit(id, house_rcpts(&b, 0, 1), STR("other\n"));

	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(house_answer(h, id), RC_TEMP);
	house_want(h, 2);
	assert_str(house_work(h).body, STR("first\n"));
}

/* IO-3: below the reserve mail is refused, what is here goes out, and nobody restarts. */
static void
test_reserve_refuses_mail(void **state)
{
	struct house *h = *state;
	char room[256];
	struct buf b = BUF_ON(room);
	uint64_t kept = house_keep(h, 1, STR("x\n"));
	struct statvfs fs;
	struct msg m;

	assert_int_equal(statvfs(h->folder, &fs), 0);
	if ((uint64_t)fs.f_bavail * fs.f_frsize > RESERVE_MOST)
		skip(); /* no reserve that may be configured is larger */
	house_kill(h);
	h->cfg.spool_reserve = RESERVE_MOST;
	h->spool = try_start(SPOOL, &h->cfg, h->folder);
	h->edge = try_link(&h->spool, EDGE, 0);
	h->deliver = try_link(&h->spool, DELIVER, 0);
	h->control = try_link(&h->spool, CONTROL, 0);
	try_begin(&h->spool);
	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_spool_room);
	assert_int_equal(m.spool_room.open, 0);
	m = house_commit(id_make(&h->ids, UINT64_C(1700000000000000)), house_rcpts(&b, 0, 1),
	                 STR("x\n"));
	try_send(&h->spool, h->edge, EDGE, &m);
	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.mail_reply.rc, RC_TEMP);
	assert_int_equal(m.mail_reply.full, 1);
	house_want(h, 1);
	assert_int_equal(house_work(h).id, kept);
	house_done(h, kept, 0, 1, RC_OK);
	house_queue_empties(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kept_delivered_gone),
		TEST(test_kept_survives_kill),
		TEST(test_dead_deliver_work_goes_out_again),
		TEST(test_no_credit_no_work),
		TEST(test_deferred_is_tried_again),
		TEST(test_refused_is_held),
		TEST(test_many_recipients),
		TEST(test_dropped_recipients_are_forgotten),
		TEST(test_id_is_kept_once),
		TEST(test_reserve_refuses_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
