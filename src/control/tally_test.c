/* Sums over processes that come and go: no counter goes backwards. */
#include "base/test.h"
#include "control/tally.h"

static const struct metric_row *
row_of(unsigned first)
{
	const struct metric_row *row;

	for (size_t i = 0; (row = metric_row_at(i)) != NULL; i++)
		if (row->first == first)
			return row;
	fail_msg("no row %u", first);
	return NULL;
}

static bool
take(struct tally *t, enum proc of, unsigned index, uint64_t since_us, unsigned number,
     uint64_t value)
{
	char room[64];
	struct buf b = BUF_ON(room);
	struct item_value v = {.number = (uint16_t)number, .value = value};

	assert_true(item_add_value(&b, &v));
	struct msg_metric_answer m = {
		.since_us = since_us, .values = {1, buf_str(&b)}
        };
	return tally_take(t, of, index, &m);
}

#define SMTP METRIC_sessions

static void
test_edges_come_and_go(void **unused)
{
	(void)unused;
	struct tally t = {.since_us = 100};
	const struct metric_row *row = row_of(METRIC_sessions);

	assert_true(take(&t, EDGE, 0, 90, SMTP, 5));
	assert_true(take(&t, EDGE, 1, 91, SMTP, 7));
	assert_int_equal(tally_value(&t, row, 0), 12);
	assert_true(take(&t, EDGE, 0, 90, SMTP, 6));
	tally_lost(&t, EDGE, 0);
	assert_int_equal(tally_value(&t, row, 0), 13);
	/* another process with its number: what the first one counted stays */
	assert_true(take(&t, EDGE, 0, 200, SMTP, 1));
	assert_int_equal(tally_value(&t, row, 0), 14);
	/* a new channel to the same process is not another process */
	tally_lost(&t, EDGE, 0);
	assert_true(take(&t, EDGE, 0, 200, SMTP, 2));
	assert_int_equal(tally_value(&t, row, 0), 15);
}

/* Its predecessor told of what was counted before: that is not counted twice. */
static void
test_a_new_control_begins_at_nothing(void **unused)
{
	(void)unused;
	struct tally t = {.again = true, .since_us = 100};
	const struct metric_row *row = row_of(METRIC_sessions);

	assert_true(take(&t, EDGE, 0, 90, SMTP, 500));
	assert_int_equal(tally_value(&t, row, 0), 0);
	assert_true(take(&t, EDGE, 0, 90, SMTP, 503));
	assert_true(take(&t, EDGE, 1, 110, SMTP, 2));
	assert_int_equal(tally_value(&t, row, 0), 5);
}

static void
test_a_gauge_is_of_who_is_there(void **unused)
{
	(void)unused;
	struct tally t = {.since_us = 100};
	const struct metric_row *row = row_of(METRIC_route_waiting);

	assert_false(tally_knows(&t, SPOOL));
	assert_true(take(&t, SPOOL, 0, 90, METRIC_route_waiting + 1, 4));
	assert_true(tally_knows(&t, SPOOL));
	assert_int_equal(tally_value(&t, row, 1), 4);
	tally_lost(&t, SPOOL, 0);
	assert_false(tally_knows(&t, SPOOL));
	assert_int_equal(tally_value(&t, row, 1), 0);
}

static void
test_nobody_counts_for_another(void **unused)
{
	(void)unused;
	struct tally t = {.since_us = 100};

	assert_false(take(&t, EDGE, 0, 90, METRIC_delivered, 1));
	assert_false(take(&t, SPOOL, 0, 90, METRIC_COUNT, 1));
	assert_true(take(&t, SPOOL, 0, 90, METRIC_delivered, 1));
}

/* As many words as values, or their names would be others'. */
static void
test_each_value_has_a_name(void **unused)
{
	(void)unused;
	const struct metric_row *row;

	for (size_t i = 0; (row = metric_row_at(i)) != NULL; i++) {
		for (unsigned w = row->words == NULL; w < row->count; w++)
			assert_true(row->label[0] == '\0' || metric_word(row, w).n > 0);
		assert_int_equal(metric_word(row, row->count).n, 0);
	}
}

static void
test_a_rate_is_of_the_time_that_is_known(void **unused)
{
	(void)unused;
	static struct pace p;
	struct pace_counts c = {{0}};

	assert_true(pace_over(&p, 5000, c, 60000).seconds == 0);
	for (uint64_t ms = 10000; ms <= 130000; ms += 10000) {
		c.n[PACE_ACCEPTED] = ms / 1000 * 2; /* two a second */
		pace_note(&p, ms, c);
	}
	c.n[PACE_ACCEPTED] = 280; /* ten seconds and 20 more later */
	struct pace_rate minute = pace_over(&p, 140000, c, 60000);
	assert_true(minute.seconds == 60 && minute.n[PACE_ACCEPTED] == 2);
	struct pace_rate hour = pace_over(&p, 140000, c, 3600000);
	assert_true(hour.seconds == 130 && hour.n[PACE_ACCEPTED] == 2);
	assert_true(hour.n[PACE_REFUSED] == 0);
	for (uint64_t ms = 140000; ms <= 8000000; ms += 10000)
		pace_note(&p, ms, c);
	hour = pace_over(&p, 8000000, c, 3600000);
	assert_true(hour.seconds == 3600 && hour.n[PACE_ACCEPTED] == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges_come_and_go),
		cmocka_unit_test(test_a_new_control_begins_at_nothing),
		cmocka_unit_test(test_a_gauge_is_of_who_is_there),
		cmocka_unit_test(test_nobody_counts_for_another),
		cmocka_unit_test(test_each_value_has_a_name),
		cmocka_unit_test(test_a_rate_is_of_the_time_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
