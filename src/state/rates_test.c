/*
 * A user's recipients within an hour: as many as the rate, never more, and no longer counted
 * than that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "state/rates.h"

#define MINUTE 60000U
#define HOUR (60U * MINUTE)

static const struct table_secret secret = {
	{1, 2}
};

static void
test_the_rate_and_no_more(void **unused)
{
	(void)unused;
	struct rates *r = rates_new(10, secret);

	assert_non_null(r);
	for (int i = 0; i < 5; i++)
		assert_int_equal(rates_take(r, 33, 5, 1000000), 0);
	assert_int_not_equal(rates_take(r, 33, 5, 1000000), 0);
	assert_int_equal(rates_take(r, 34, 5, 1000000), 0); /* somebody else's count */
	(void)rates_free(r);
}

/* Whoever waits as long as was said is let in, and not a minute before. */
static void
test_what_is_said_is_how_long_it_takes(void **unused)
{
	(void)unused;
	struct rates *r = rates_new(10, secret);
	uint64_t now = 7 * HOUR + 12345;

	assert_non_null(r);
	assert_int_equal(rates_take(r, 33, 3, now), 0);
	assert_int_equal(rates_take(r, 33, 3, now + 10 * MINUTE), 0);
	assert_int_equal(rates_take(r, 33, 3, now + 20 * MINUTE), 0);
	uint64_t later = now + 30 * MINUTE;
	uint32_t wait = rates_take(r, 33, 3, later);
	assert_in_range(wait, 29 * 60, 30 * 60);
	assert_int_not_equal(rates_take(r, 33, 3, later + (wait - 60) * 1000ULL), 0);
	assert_int_equal(rates_take(r, 33, 3, later + wait * 1000ULL), 0);
	wait = rates_take(r, 33, 3, later + wait * 1000ULL);
	assert_in_range(wait, 9 * 60, 10 * 60 + 1); /* the next one is ten minutes younger */
	(void)rates_free(r);
}

/* The rate is lowered: all above it must pass first. */
static void
test_a_lower_rate_holds_at_once(void **unused)
{
	(void)unused;
	struct rates *r = rates_new(10, secret);

	assert_non_null(r);
	for (uint64_t minute = 0; minute < 10; minute++)
		assert_int_equal(rates_take(r, 33, 100, HOUR + minute * MINUTE), 0);
	assert_int_equal(rates_take(r, 33, 3, HOUR + 10 * MINUTE), 57 * 60);
	assert_int_equal(rates_take(r, 33, 3, HOUR + 67 * MINUTE), 0);
	(void)rates_free(r);
}

/* Against a list of every recipient's time: never more than the rate in any hour, and never
 * refused where a whole minute more than an hour had room. */
static void
test_no_hour_has_more_than_the_rate(void **unused)
{
	(void)unused;
	enum { RATE = 20, ROUNDS = 20000 };
	static uint64_t taken[ROUNDS];
	size_t count = 0;
	uint64_t now = 5 * HOUR;
	struct rates *r = rates_new(10, secret);
	unsigned seed = 12345;

	assert_non_null(r);
	for (int i = 0; i < ROUNDS; i++) {
		size_t hour = 0;
		size_t more = 0;

		seed = seed * 1103515245U + 12345U;
		now += (seed >> 16) % (i % 1000 < 500 ? 1000 : 400000);
		for (size_t j = count; j > 0 && taken[j - 1] + HOUR + MINUTE > now; j--) {
			more++;
			hour += taken[j - 1] + HOUR > now + MINUTE;
		}
		if (rates_take(r, 33, RATE, now) == 0) {
			taken[count++] = now;
			assert_true(hour < RATE);
		} else {
			assert_true(more >= RATE);
		}
	}
	assert_in_range(count, 1000, ROUNDS - 1000);
	(void)rates_free(r);
}

static void
test_users_past_the_table_wait_until_others_are_idle(void **unused)
{
	(void)unused;
	struct rates *r = rates_new(3, secret);

	assert_non_null(r);
	for (uint32_t uid = 1; uid <= 3; uid++)
		assert_int_equal(rates_take(r, uid, 5, HOUR), 0);
	assert_int_equal(rates_take(r, 4, 5, HOUR), 60);
	assert_int_equal(rates_take(r, 3, 5, HOUR + 30 * MINUTE), 0);
	assert_int_equal(rates_take(r, 4, 5, 2 * HOUR), 0);
	assert_int_equal(rates_take(r, 3, 1, 2 * HOUR), 30 * 60); /* was kept */
	(void)rates_free(r);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_rate_and_no_more),
		cmocka_unit_test(test_what_is_said_is_how_long_it_takes),
		cmocka_unit_test(test_a_lower_rate_holds_at_once),
		cmocka_unit_test(test_no_hour_has_more_than_the_rate),
		cmocka_unit_test(test_users_past_the_table_wait_until_others_are_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
