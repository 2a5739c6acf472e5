/*
 * When a recipient is tried again, and when no more.
 */
#include "base/test.h"
#include "spool/retry.h"

#define SECOND UINT64_C(1000000)

static const struct retry retry = {.first_s = 60, .most_s = 14400, .lifetime_s = 432000};

static void
test_waits_double_up_to_the_most(void **unused)
{
	(void)unused;
	static const struct {
		uint32_t tries;
		uint64_t wait_s;
	} rows[] = {
		{0,          60   },
		{1,          120  },
		{2,          240  },
		{7,          7680 },
		{8,          14400},
		{9,          14400},
		{4000000000, 14400},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t middle = rows[i].wait_s * SECOND;

		assert_int_equal(retry_wait_us(&retry, rows[i].tries, 0), middle - middle / 10);
		assert_int_equal(retry_wait_us(&retry, rows[i].tries, middle / 5),
		                 middle + middle / 10);
		for (uint64_t chance = 0; chance < 1000; chance++) {
			uint64_t wait = retry_wait_us(&retry, rows[i].tries,
			                              chance * UINT64_C(0x9e3779b97f4a7c15));

			assert_in_range(wait, middle - middle / 10, middle + middle / 10);
			assert_true(wait <= retry_longest_us(&retry));
		}
	}
}

static void
test_old_and_tried_is_over(void **unused)
{
	(void)unused;
	static const uint64_t born = UINT64_C(1700000000) * SECOND;
	static const struct {
		uint64_t age_s;
		uint32_t tries;
		bool over;
	} rows[] = {
		{0,         1,   false},
		{432000,    100, false},
		{432001,    100, true },
		{432001,    36,  true }, /* 15300 s of doubling, then 28 times 14400, and a tenth */
		{432001,    34,  false},
 /* the clock jumped 20 years: not all mail at once */
		{631152000, 1,   false},
		{631152000, 6,   false},
		{631152000, 30,  false},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(
			retry_over(&retry, born, born + rows[i].age_s * SECOND, rows[i].tries),
			rows[i].over);
	/* and back to 1970 */
	assert_false(retry_over(&retry, born, 0, 100));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_double_up_to_the_most),
		cmocka_unit_test(test_old_and_tried_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
