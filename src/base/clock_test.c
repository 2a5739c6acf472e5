/*
 * The two clocks. See clock.h.
 */
#include "base/clock.h"
#include "base/test.h"

static void
test_mono_never_steps_back(void **unused)
{
	uint64_t last = clock_mono_ms();

	(void)unused;
	for (int i = 0; i < 100000; i++) {
		uint64_t now = clock_mono_ms();

		assert_true(now >= last);
		last = now;
	}
}

static void
test_mono_is_one_clock(void **unused)
{
	uint64_t before = clock_mono_us();
	uint64_t ms = clock_mono_ms();

	(void)unused;
	assert_in_range(ms, before / 1000, clock_mono_us() / 1000);
}

static void
test_wall_is_in_microseconds(void **unused)
{
	(void)unused;
	assert_true(clock_wall_us() > UINT64_C(1577836800000000)); /* 2020-01-01 */
	assert_true(clock_wall_us() < UINT64_C(4102444800000000)); /* 2100-01-01 */
}

/* Drift and small steps are none; a jump either way starts the count anew. */
static void
test_steady_until_the_clock_jumps(void **unused)
{
	(void)unused;
	static const int64_t jumps_s[] = {60, -60, 3600, -3600, 631152000, -1700000000};

	for (size_t i = 0; i < LENGTH(jumps_s); i++) {
		struct clock_watch w = {.began = false};
		uint64_t wall_us = UINT64_C(1700000000000000);

		assert_int_equal(clock_steady_ms(&w, 5000, wall_us), 0);
		wall_us += UINT64_C(10000000) + 59000000; /* ten seconds, and a step */
		assert_int_equal(clock_steady_ms(&w, 15000, wall_us), 10000);
		wall_us += UINT64_C(1000000);
		assert_int_equal(clock_steady_ms(&w, 16000, wall_us), 11000);
		wall_us += (uint64_t)(jumps_s[i] * 1000000);
		assert_int_equal(clock_steady_ms(&w, 16000, wall_us), 0);
		assert_int_equal(clock_steady_ms(&w, 17000, wall_us + 1000000), 1000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mono_never_steps_back),
		cmocka_unit_test(test_mono_is_one_clock),
		cmocka_unit_test(test_wall_is_in_microseconds),
		cmocka_unit_test(test_steady_until_the_clock_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
