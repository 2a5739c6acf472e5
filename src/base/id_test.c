/*
 * Message ids. See id.h.
 */
#include <string.h>

#include "base/id.h"
#include "base/test.h"

#define Y2026 UINT64_C(1767225600000000) /* microseconds since 1970 */

static void
test_ids_grow_whatever_the_clock_does(void **unused)
{
	static const uint64_t clock[] = {
		Y2026,
		Y2026,
		Y2026 + 1,
		Y2026 - 1000000, /* stepped back */
		0,               /* not yet set */
		Y2026 + 5000000,
		Y2026 + 2,
	};
	struct id_source src = {.maker = 3, .salt = 9};
	uint64_t last = 0;

	(void)unused;
	for (size_t i = 0; i < LENGTH(clock); i++) {
		uint64_t id = id_make(&src, clock[i]);

		assert_true(id > last);
		assert_int_equal(id_maker(id), 3);
		last = id;
	}
}

static void
test_ids_of_two_makers_differ_and_sort_by_time(void **unused)
{
	struct id_source a = {.maker = 0};
	struct id_source b = {.maker = ID_MAKER_MAX, .salt = 63};
	uint64_t first = id_make(&b, Y2026);
	uint64_t same = id_make(&a, Y2026);
	uint64_t later = id_make(&a, Y2026 + 1);

	(void)unused;
	assert_true(first != same);
	assert_true(first < later);
	assert_true(same < later);
	assert_int_equal(id_maker(first), ID_MAKER_MAX);
	assert_true(id_wall_us(first) == Y2026);
	assert_true(id_wall_us(later) == Y2026 + 1);
}

/* SQLite's integers and many readers' are signed. */
static void
test_ids_have_63_bits_until_2090(void **unused)
{
	struct id_source src = {.maker = ID_MAKER_MAX, .salt = 63};

	(void)unused;
	assert_true(id_make(&src, UINT64_C(3786912000000000)) <= INT64_MAX); /* 2090-01-01 */
}

static void
test_text_and_back(void **unused)
{
	static const uint64_t ids[] = {0, 1, 31, 32, INT64_MAX, UINT64_MAX, 0x123456789abcdef0};
	char last[ID_TEXT_OCTETS + 1] = "";

	(void)unused;
	for (size_t i = 0; i < LENGTH(ids); i++) {
		struct id_text t = id_text(ids[i]);
		uint64_t back = 7;

		assert_int_equal(strlen(t.c), ID_TEXT_OCTETS);
		assert_true(id_parse(str_of(t.c), &back));
		assert_true(back == ids[i]);
		if (i > 0 && ids[i] > ids[i - 1])
			assert_true(strcmp(t.c, last) > 0); /* texts sort as the ids do */
		memcpy(last, t.c, sizeof(last));
	}
	assert_string_equal(id_text(UINT64_MAX).c, "fzzzzzzzzzzzz");
}

static void
test_parse_takes_only_ids(void **unused)
{
	static const char *const bad[] = {
		"",
		"000000000000",   /* 12 */
		"00000000000000", /* 14 */
		"000000000000u",  /* no letter of Crockford's */
		"000000000000-",
		"000000000000\xff",
		" 00000000000a",
		"g000000000000", /* 65 bits */
		"zzzzzzzzzzzzz",
	};
	uint64_t id = 7;

	(void)unused;
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_false(id_parse(str_of(bad[i]), &id));
	assert_false(id_parse(STR("00000000000\0a"), &id));
	assert_true(id == 7);
	assert_true(id_parse(STR("000000000000A"), &id));
	assert_true(id == 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_grow_whatever_the_clock_does),
		cmocka_unit_test(test_ids_of_two_makers_differ_and_sort_by_time),
		cmocka_unit_test(test_ids_have_63_bits_until_2090),
		cmocka_unit_test(test_text_and_back),
		cmocka_unit_test(test_parse_takes_only_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
