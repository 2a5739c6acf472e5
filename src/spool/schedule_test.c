/*
 * The windows over the queue: nothing out twice, nothing forgotten, nothing unbounded.
 */
#include <stdlib.h>

#include "base/test.h"
#include "spool/schedule.h"

#define NOW UINT64_C(1700000000000000)
#define HORIZON UINT64_C(15840000000)
#define FRESH 512
#define ROWS 512
#define TASKS 4096
#define OCTETS (16U << 20)

static const struct out_rcpt one[1]; /* number 0, without texts */

static struct channel *
channel(uintptr_t number)
{
	return (struct channel *)number; /* the schedule only compares them */
}

static int
setup(void **state)
{
	static size_t all;

	all = 0;
	*state = schedule_new(
		(struct schedule_bounds){
			FRESH, ROWS, TASKS, OCTETS, &all, 2 * OCTETS
        },
		(struct table_secret){{1, 2}}, HORIZON);
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	*state = schedule_free(*state);
	return 0;
}

static struct lane *
lane(struct schedule *s, uintptr_t number, unsigned credit)
{
	struct lane *l = schedule_lane_new(s, channel(number));

	assert_non_null(l);
	l->credit = credit;
	return l;
}

static struct task *
hand(struct schedule *s, struct lane *l)
{
	struct task *t = schedule_first(s);

	assert_non_null(t);
	assert_true(schedule_hand(s, t, l, one, 1));
	schedule_sent(s, t);
	return t;
}

static void
settle(struct schedule *s, struct task *t, bool stays)
{
	task_out(t, 0)->settled = true;
	t->out_left = 0;
	schedule_done(s, t, stays);
}

static struct due
due(uint64_t us, uint64_t id)
{
	return (struct due){.us = us, .id = id};
}

static void
test_fresh_goes_out_in_order_and_once(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);

	for (uint64_t id = 1; id <= 3; id++)
		schedule_add_fresh(s, id, NOW + id, NULL);
	for (uint64_t id = 1; id <= 3; id++) {
		struct task *t = hand(s, l);

		assert_int_equal(t->id, id);
		assert_non_null(task_out(t, 0));
		assert_null(task_out(t, 1));
	}
	assert_null(schedule_first(s));
	assert_int_equal(l->credit, 7);
	assert_int_equal(schedule_out_count(s), 3);
	settle(s, schedule_find(s, 2), false);
	assert_null(schedule_find(s, 2));
	assert_int_equal(schedule_out_count(s), 2);
}

static void
test_lane_with_most_credit_is_next(void **state)
{
	struct schedule *s = *state;
	struct lane *a = lane(s, 1, 0);
	struct lane *b = lane(s, 2, 0);

	assert_null(schedule_lane_best(s));
	a->credit = 2;
	b->credit = 3;
	assert_ptr_equal(schedule_lane_best(s), b);
	b->voided = true;
	assert_ptr_equal(schedule_lane_best(s), a);
	assert_ptr_equal(schedule_lane(s, channel(2)), b);
	assert_null(schedule_lane(s, channel(3)));
}

/* What was out with it is first again, in its order, and may have been delivered. */
static void
test_dead_deliver_gives_back(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);

	for (uint64_t id = 1; id <= 3; id++)
		schedule_add_fresh(s, id, NOW, NULL);
	(void)hand(s, l);
	(void)hand(s, l);
	schedule_lane_drop(s, l);
	assert_int_equal(schedule_out_count(s), 0);
	l = lane(s, 2, 10);
	for (uint64_t id = 1; id <= 3; id++) {
		struct task *t = hand(s, l);

		assert_int_equal(t->id, id);
		assert_int_equal(t->again, id < 3);
	}
}

static void
test_unhanded_is_first_and_its_credit_back(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 1);

	schedule_add_fresh(s, 1, NOW, NULL);
	schedule_add_fresh(s, 2, NOW, NULL);
	assert_true(schedule_hand(s, schedule_first(s), l, one, 1));
	schedule_unhand(s, schedule_find(s, 1));
	assert_int_equal(l->credit, 1);
	assert_int_equal(schedule_first(s)->id, 1);
}

/* Past the window fresh mail is left to the tables, and found there. */
static void
test_fresh_window_is_bounded(void **state)
{
	struct schedule *s = *state;
	struct due row = due(NOW + FRESH, FRESH + 1);

	schedule_take_rows(s, NULL, 0, 1, NOW); /* nothing is queued */
	assert_false(schedule_wants_rows(s, NOW));
	for (uint64_t id = 1; id <= FRESH; id++)
		schedule_add_fresh(s, id, NOW + id, NULL);
	assert_false(schedule_wants_rows(s, NOW));
	assert_false(schedule_wants_letter(s));
	schedule_add_fresh(s, row.id, row.us, NULL);
	assert_null(schedule_find(s, row.id));
	assert_true(schedule_wants_rows(s, NOW + FRESH));
	schedule_take_rows(s, &row, 1, 2, NOW + FRESH);
	assert_non_null(schedule_find(s, row.id));
}

static void
test_rows_window_is_bounded(void **state)
{
	struct schedule *s = *state;
	static struct due rows[ROWS + 1];

	for (unsigned i = 0; i <= ROWS; i++)
		rows[i] = due(NOW + i, i + 1);
	assert_true(schedule_wants_rows(s, NOW));
	schedule_take_rows(s, rows, ROWS + 1, ROWS + 1, NOW * 2);
	assert_null(schedule_find(s, ROWS + 1));
	/* it was not seen: the cursor stands before it */
	assert_int_equal(schedule_cursor(s).id, ROWS);
	assert_false(schedule_wants_rows(s, NOW));
}

static void
test_rows_not_yet_due_are_left_until_then(void **state)
{
	struct schedule *s = *state;
	struct due rows[] = {due(NOW, 1), due(NOW + 5, 2)};

	schedule_take_rows(s, rows, 2, 512, NOW);
	assert_non_null(schedule_find(s, 1));
	assert_null(schedule_find(s, 2));
	assert_false(schedule_wants_rows(s, NOW + 4));
	assert_true(schedule_wants_rows(s, NOW + 5));
}

/* Two recipients of one message fall due at different times: no message is in here twice. */
static void
test_second_recipient_waits_for_the_first(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);
	struct due rows[] = {due(NOW, 1), due(NOW + 5, 1)};

	schedule_take_rows(s, rows, 1, 1, NOW);
	struct task *t = hand(s, l);
	schedule_take_rows(s, rows + 1, 1, 512, NOW + 5);
	assert_null(schedule_first(s));
	settle(s, t, true);
	assert_ptr_equal(schedule_first(s), schedule_find(s, 1));
}

/* All were out; one was put off, and falls due while another is out still. */
static void
test_one_put_off_is_not_forgotten_for_the_others(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);
	struct due rows[] = {due(NOW, 1), due(NOW + 5, 1)};

	schedule_take_rows(s, rows, 1, 512, NOW);
	struct task *t = hand(s, l);
	t->whole = true;
	t->stay = 1;
	schedule_deferred(s, NOW + 5);
	schedule_take_rows(s, rows + 1, 1, 512, NOW + 5);
	settle(s, t, true);
	assert_ptr_equal(schedule_first(s), schedule_find(s, 1));
	assert_non_null(schedule_first(s));
}

/* What the operator changed is read from the tables, wherever memory has it. */
static void
test_what_was_changed_is_read_again(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);
	struct msg_mail_commit m = {.body = STR("body")};

	schedule_add_fresh(s, 1, NOW, letter_new(7, &m));
	schedule_reread(s, 1);
	schedule_reread(s, 2); /* which is not here */
	assert_null(schedule_first(s)->letter);
	struct task *t = hand(s, l);
	t->whole = true;
	t->stay = 1;
	schedule_reread(s, 1);
	assert_true(t->look && !t->whole);
	assert_int_equal(t->stay, 0); /* the tables say whether rows stay */
	task_out(t, 0)->held = true;
	assert_int_equal(schedule_out_held(s), 1);
	settle(s, t, false);
	assert_int_equal(schedule_out_held(s), 0);
}

static void
test_deferred_comes_back_at_its_time(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);
	struct due row = due(NOW, 1);

	schedule_take_rows(s, &row, 1, 512, NOW);
	struct task *t = hand(s, l);
	schedule_deferred(s, NOW + 60);
	settle(s, t, true);
	assert_null(schedule_find(s, 1));
	assert_false(schedule_wants_rows(s, NOW + 59));
	assert_true(schedule_wants_rows(s, NOW + 60));
	assert_int_equal(schedule_cursor(s).us, NOW);
}

/* The clock was set back far: its time may not come for years, so it comes now. */
static void
test_clock_set_back_wakes_what_waits(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);
	struct due row = due(NOW, 1);

	schedule_take_rows(s, &row, 1, 512, NOW);
	struct task *t = hand(s, l);
	schedule_deferred(s, NOW + 60);
	settle(s, t, true);
	assert_false(schedule_wants_rows(s, NOW + 60 - HORIZON));
	assert_true(schedule_wants_rows(s, NOW + 60 - HORIZON - 1));
}

/* ... also where rows that were put off since then lie before it. */
static void
test_rows_beyond_the_horizon_come_by_themselves(void **state)
{
	struct schedule *s = *state;
	struct due rows[] = {due(NOW + 60, 1), due(NOW + HORIZON + 1, 2)};

	schedule_take_rows(s, rows, LENGTH(rows), 512, NOW);
	assert_null(schedule_first(s));
	schedule_take_far(s, &rows[1], 1);
	assert_int_equal(schedule_first(s)->id, 2);
	schedule_take_far(s, &rows[1], 1); /* seen again: it is there once */
	assert_int_equal(schedule_ready_count(s), 1);
}

/* The clock was set back: what is put off now lies before what was read. */
static void
test_clock_set_back_hides_nothing(void **state)
{
	struct schedule *s = *state;
	struct due row = due(NOW, 1);

	schedule_take_rows(s, &row, 1, 512, NOW);
	schedule_deferred(s, NOW - 1000);
	assert_int_equal(schedule_cursor(s).us, 0);
	assert_true(schedule_wants_rows(s, NOW - 1000));
	/* and a row from years ahead is due: nobody honest waits that long */
	assert_true(schedule_is_due(s, NOW + HORIZON + 1, NOW));
	assert_false(schedule_is_due(s, NOW + HORIZON, NOW));
	row = due(NOW + HORIZON * 2, 2);
	schedule_take_rows(s, &row, 1, 512, NOW);
	assert_non_null(schedule_find(s, 2));
	assert_true(schedule_cursor(s).us <= NOW);
}

/* After a rollback all rows are looked at again; those that are out, when they come back. */
static void
test_doubt_looks_at_all_rows_again(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, 10);
	struct due row = due(NOW, 1);

	schedule_take_rows(s, &row, 1, 512, NOW);
	struct task *t = hand(s, l);
	t->whole = true;
	schedule_doubt(s);
	assert_false(t->whole);
	assert_true(schedule_wants_rows(s, NOW));
	assert_int_equal(schedule_cursor(s).us, 0);
	settle(s, t, true);
	assert_non_null(schedule_first(s));
}

static void
test_letters_are_bounded_by_octets(void **state)
{
	struct schedule *s = *state;
	static char body[60000];
	struct msg_mail_commit m = {
		.body = {body, sizeof(body)},
                  .size = sizeof(body)
        };
	uint64_t id = 0;

	while (schedule_wants_letter(s) && id < FRESH)
		schedule_add_fresh(s, ++id, NOW, letter_new(1, &m));
	assert_in_range(id, OCTETS / 61000, OCTETS / 60000 + 1);
	(void)hand(s, lane(s, 1, 1));
	assert_true(schedule_wants_letter(s));
}

static void
test_all_tasks_are_bounded(void **state)
{
	struct schedule *s = *state;
	struct lane *l = lane(s, 1, TASKS * 2);
	uint64_t id;

	for (id = 1; id <= TASKS; id++) {
		schedule_add_fresh(s, id, NOW, NULL);
		(void)hand(s, l);
	}
	schedule_add_fresh(s, id, NOW, NULL);
	assert_null(schedule_first(s));
	assert_false(schedule_wants_rows(s, NOW));
	settle(s, schedule_find(s, 1), false);
	assert_true(schedule_wants_rows(s, NOW));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_fresh_goes_out_in_order_and_once),
		TEST(test_lane_with_most_credit_is_next),
		TEST(test_dead_deliver_gives_back),
		TEST(test_unhanded_is_first_and_its_credit_back),
		TEST(test_fresh_window_is_bounded),
		TEST(test_rows_window_is_bounded),
		TEST(test_rows_not_yet_due_are_left_until_then),
		TEST(test_second_recipient_waits_for_the_first),
		TEST(test_one_put_off_is_not_forgotten_for_the_others),
		TEST(test_what_was_changed_is_read_again),
		TEST(test_deferred_comes_back_at_its_time),
		TEST(test_clock_set_back_wakes_what_waits),
		TEST(test_rows_beyond_the_horizon_come_by_themselves),
		TEST(test_clock_set_back_hides_nothing),
		TEST(test_doubt_looks_at_all_rows_again),
		TEST(test_letters_are_bounded_by_octets),
		TEST(test_all_tasks_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
