/*
 * Neighbours that cannot be believed: an edge that lies is cut, a deliver settles only what it
 * was given, and a failed sync anywhere makes everybody's unsettled work count for nothing.
 */
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "proto/smtp.h"
#include "spool/house.h"

static void
assert_edge_cut(struct house *h, const struct msg *m)
{
	struct msg got;

	try_send(&h->spool, h->edge, EDGE, m);
	assert_false(try_take(&h->spool, h->edge, EDGE, &got));
	(void)close(h->edge);
	h->edge = try_link(&h->spool, EDGE, 0);
	assert_true(try_take(&h->spool, h->edge, EDGE, &got));
	assert_int_equal(got.no, MSG_spool_room);
}

static void
test_edge_that_lies_is_cut(void **state)
{
	struct house *h = *state;
	char room[512];
	struct buf b = BUF_ON(room);
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	struct msg good = house_commit(id, house_rcpts(&b, 0, 2), STR("x\n"));
	struct msg bad[8];
	char hole[512];
	struct buf bh = BUF_ON(hole);
	char twice[512];
	struct buf bt = BUF_ON(twice);

	for (size_t i = 0; i < LENGTH(bad); i++)
		bad[i] = good;
	bad[0].mail_commit.id |= BIT(6); /* made by edge 1 */
	bad[1].mail_commit.size++;
	bad[2].mail_commit.hash++;
	bad[3].mail_commit.rcpts = (struct list){0};
	bad[4].mail_commit.rcpts = house_rcpts(&bh, 1, 3); /* numbers 1 and 2 */
	bad[5].mail_commit.rcpts = (struct list){
		2, (house_rcpts(&bt, 0, 1), house_rcpts(&bt, 0, 1)).wire}; /* 0 twice */
	bad[6].mail_commit.flags = MAIL_IN_FILE;                           /* and a body */
	bad[7] = (struct msg){
		.no = MSG_mail_rcpts, .mail_rcpts = {id | BIT(6), {0}}
        };
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_edge_cut(h, &bad[i]);
	try_send(&h->spool, h->edge, EDGE, &good);
	assert_int_equal(house_answer(h, id), RC_OK);
	struct item_queued q;
	assert_int_equal(house_queue(h, &q), 2);
}

static void
test_endless_recipients_are_cut(void **state)
{
	struct house *h = *state;
	static char room[16384];
	struct buf b = BUF_ON(room);
	struct msg m = {.no = MSG_mail_rcpts, .mail_rcpts.rcpts = house_rcpts(&b, 0, 100)};
	struct msg got;

	m.mail_rcpts.id = id_make(&h->ids, UINT64_C(1700000000000000));
	for (unsigned i = 0; i <= h->cfg.smtp_max_rcpt / 100; i++)
		try_send(&h->spool, h->edge, EDGE, &m);
	assert_false(try_take(&h->spool, h->edge, EDGE, &got));
	(void)close(h->edge);
	h->edge = try_link(&h->spool, EDGE, 0);
	assert_true(try_take(&h->spool, h->edge, EDGE, &got));
}

static void
test_results_of_others_are_cut(void **state)
{
	struct house *h = *state;
	struct msg got;
	struct item_queued q;
	uint64_t id = house_keep(h, 1, STR("x\n"));

	house_done(h, id, 0, 1, RC_OK); /* not out at all */
	assert_false(try_take(&h->spool, h->deliver, DELIVER, &got));
	house_replace_deliver(h);
	house_want(h, 1);
	(void)house_work(h);
	house_done(h, id, 1, 2, RC_OK); /* a recipient that it does not have */
	assert_false(try_take(&h->spool, h->deliver, DELIVER, &got));
	assert_int_equal(house_queue(h, &q), 1);
}

/* DESIGN, Storage: after one failed sync no row of any unsettled batch is deleted by anyone. */
static void
test_failed_sync_voids_everybody(void **state)
{
	struct house *h = *state;
	struct msg broken = {.no = MSG_work_broken, .work_broken.why = STR("syncfs: EIO")};
	struct msg credit = {.no = MSG_work_want, .work_want.messages = 1};
	struct msg m;
	int other = try_link(&h->spool, DELIVER, 1);
	uint64_t id = house_keep(h, 1, STR("x\n"));

	try_send(&h->spool, other, DELIVER, &credit);
	assert_true(try_take(&h->spool, other, DELIVER, &m));
	assert_int_equal(m.work.id, id);
	try_send(&h->spool, h->deliver, DELIVER, &broken);
	assert_true(try_take(&h->spool, other, DELIVER, &m));
	assert_int_equal(m.no, MSG_work_void);
	int was = h->deliver;
	h->deliver = other;
	house_done(h, id, 0, 1, RC_OK); /* too late to be believed */
	(void)close(was);
	house_replace_deliver(h);
	house_want(h, 1);
	struct msg_work w = house_work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	house_done(h, id, 0, 1, RC_OK);
	house_queue_empties(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_edge_that_lies_is_cut),
		TEST(test_endless_recipients_are_cut),
		TEST(test_results_of_others_are_cut),
		TEST(test_failed_sync_voids_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
