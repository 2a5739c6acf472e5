/*
 * Arenas. See arena.h.
 */
#include <string.h>

#include "base/arena.h"
#include "base/test.h"

static void
test_every_piece_is_zeroed_aligned_and_apart(void **unused)
{
	struct arena *a = arena_new(1 << 20);
	unsigned char *pieces[300];

	(void)unused;
	for (size_t i = 0; i < LENGTH(pieces); i++) {
		pieces[i] = arena_alloc(a, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 255 + 1), i);
	}
	for (size_t i = 0; i < LENGTH(pieces); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i % 255 + 1);
	assert_null(arena_free(a));
}

static void
test_the_limit_holds(void **unused)
{
	static const size_t limits[] = {0, 15, 16, 17, 512, 1000, 4096, 100000};

	(void)unused;
	for (size_t i = 0; i < LENGTH(limits); i++) {
		struct arena *a = arena_new(limits[i]);
		size_t got = 0;

		while (arena_alloc(a, 16) != NULL)
			got += 16;
		assert_true(got <= limits[i]);
		/* the blocks' ends may go unused, a piece each */
		assert_true(got + 2 * 16 > limits[i]);
		assert_null(arena_alloc(a, 16)); /* refused once is refused again */
		arena_free(a);
	}
}

static void
test_a_refusal_harms_nothing(void **unused)
{
	struct arena *a = arena_new(1000);
	struct str kept = arena_str(a, STR("kept"));

	(void)unused;
	assert_null(arena_alloc(a, 1001));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 14));
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	assert_null(arena_str(a, (struct str){kept.p, 1000}).p);
	assert_non_null(arena_alloc(a, 100));
	assert_str(kept, STR("kept"));
	arena_free(a);
}

static void
test_without_a_limit_rounding_up_does_not_wrap(void **unused)
{
	struct arena *a = arena_new(SIZE_MAX);

	(void)unused;
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 7));
	arena_free(a);
}

static void
test_a_large_piece_has_room(void **unused)
{
	struct arena *a = arena_new(1 << 20);
	char *large = arena_alloc(a, 500000);

	(void)unused;
	assert_non_null(large);
	memset(large, 1, 500000);
	assert_non_null(arena_alloc(a, 8));
	assert_non_null(arena_array(a, 100, 100));
	arena_free(a);
}

static void
test_copied_text_ends_in_nul(void **unused)
{
	struct arena *a = arena_new(4096);
	struct str s = arena_str(a, STR("a\0b"));

	(void)unused;
	assert_str(s, STR("a\0b"));
	assert_int_equal(s.p[3], '\0');
	s = arena_str(a, STR_NONE);
	assert_non_null(s.p);
	assert_string_equal(s.p, "");
	arena_free(a);
	assert_null(arena_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_piece_is_zeroed_aligned_and_apart),
		cmocka_unit_test(test_the_limit_holds),
		cmocka_unit_test(test_a_refusal_harms_nothing),
		cmocka_unit_test(test_without_a_limit_rounding_up_does_not_wrap),
		cmocka_unit_test(test_a_large_piece_has_room),
		cmocka_unit_test(test_copied_text_ends_in_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
