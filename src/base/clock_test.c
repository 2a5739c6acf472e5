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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mono_never_steps_back),
		cmocka_unit_test(test_mono_is_one_clock),
		cmocka_unit_test(test_wall_is_in_microseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
