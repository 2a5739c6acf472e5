/*
 * Bounded tables. See table.h.
 */
#include <string.h>

#include "base/table.h"
#include "base/test.h"

#define KEYS 60U
#define MOST 40U

static const struct table_secret secret = {
	{UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}
};

/* The reference vectors: key 00 01 ... 0f, message 00 01 ... n-1 (the paper's appendix A). */
static void
test_siphash_reference_vectors(void **unused)
{
	static const uint64_t want[] = {
		UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd),
		UINT64_C(0x0d6c8009d9a94f5a), UINT64_C(0x85676696d7fb7e2d),
		UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
		UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137),
		UINT64_C(0x93f5f5799a932462), UINT64_C(0x9e0082df0ba9e4b0),
		UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
		UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90),
		UINT64_C(0xf723ca908e7af2ee), UINT64_C(0xa129ca6149be45e5),
	};
	unsigned char message[LENGTH(want)];

	(void)unused;
	for (unsigned n = 0; n < LENGTH(want); n++) {
		message[n] = (unsigned char)n;
		assert_true(siphash(secret, message, n) == want[n]);
	}
}

static unsigned
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*state >> 33);
}

static void
compare(const struct table *t, const uint32_t model[KEYS])
{
	size_t in_model = 0;
	size_t walked = 0;
	size_t at = 0;
	const void *key;
	void *value;

	for (uint32_t k = 0; k < KEYS; k++) {
		const uint32_t *v = table_get(t, &k);

		in_model += model[k] != 0;
		assert_int_equal(v != NULL, model[k] != 0);
		if (v != NULL)
			assert_int_equal(*v, model[k]);
	}
	assert_int_equal(table_count(t), in_model);
	while (table_next(t, &at, &key, &value)) {
		assert_int_equal((uintptr_t)key % 8, 0);
		assert_int_equal((uintptr_t)value % 8, 0);
		assert_int_equal(*(uint32_t *)value, model[*(const uint32_t *)key]);
		walked++;
	}
	assert_int_equal(walked, in_model);
}

/*
 * Against an array, at every fill: 40 of 64 places with 60 keys makes long runs, many of them
 * over the table's end; each secret lays the keys out anew.
 */
static void
test_behaves_as_an_array_would(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct table *t = table_new(sizeof(uint32_t), sizeof(uint32_t), MOST,
		                            (struct table_secret){
						    {seed, ~seed}
                });
		uint32_t model[KEYS] = {0};
		uint64_t random = seed;

		for (unsigned step = 1; step <= 400; step++) {
			uint32_t k = next_random(&random) % KEYS;

			if (next_random(&random) % 5 < 3) {
				bool room = model[k] != 0 || table_count(t) < MOST;
				uint32_t *v = table_put(t, &k);

				assert_int_equal(v != NULL, room);
				if (v != NULL)
					*v = model[k] = step;
			} else {
				assert_int_equal(table_drop(t, &k), model[k] != 0);
				model[k] = 0;
			}
			if (step % 8 == 0)
				compare(t, model);
		}
		assert_null(table_free(t));
	}
}

static void
test_full_refuses_new_keys_only(void **unused)
{
	struct table *t = table_new(1, 1, 3, secret);

	(void)unused;
	for (const char *k = "abc"; *k != '\0'; k++)
		*(char *)table_put(t, k) = *k;
	assert_null(table_put(t, "d"));
	assert_int_equal(*(char *)table_put(t, "b"), 'b');
	assert_true(table_drop(t, "a"));
	assert_false(table_drop(t, "a"));
	assert_non_null(table_put(t, "d"));
	assert_int_equal(table_count(t), 3);
	table_free(t);
}

/* A place used again shows nothing of who was there before. */
static void
test_a_new_value_is_zeroed(void **unused)
{
	struct table *t = table_new(8, 24, 4, secret);
	char key[8] = "sameone";
	char zeros[24] = {0};

	(void)unused;
	memset(table_put(t, key), 0xff, 24);
	assert_true(table_drop(t, key));
	assert_memory_equal(table_put(t, key), zeros, sizeof(zeros));
	table_free(t);
}

static void
test_odd_sizes(void **unused)
{
	static const size_t sizes[] = {1, 7, 8, 9, 16, 17};

	(void)unused;
	for (size_t k = 0; k < LENGTH(sizes); k++)
		for (size_t v = 0; v < LENGTH(sizes); v++) {
			struct table *t = table_new(sizes[k], sizes[v], 20, secret);
			unsigned char key[17] = {0};

			for (unsigned i = 0; i < 20; i++) {
				key[0] = (unsigned char)i;
				memset(table_put(t, key), (int)i, sizes[v]);
			}
			for (unsigned i = 0; i < 20; i++) {
				key[0] = (unsigned char)i;
				const unsigned char *got = table_get(t, key);

				assert_int_equal(got[0], i);
				assert_int_equal(got[sizes[v] - 1], i);
			}
			table_free(t);
		}
}

static void
test_free_takes_null(void **unused)
{
	(void)unused;
	assert_null(table_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_siphash_reference_vectors),
		cmocka_unit_test(test_behaves_as_an_array_would),
		cmocka_unit_test(test_full_refuses_new_keys_only),
		cmocka_unit_test(test_a_new_value_is_zeroed),
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
