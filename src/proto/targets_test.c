/*
 * Lists of targets: what a target's text is, and why one is none. Rows: aliases_test.c.
 */
#include "base/test.h"
#include "proto/targets.h"

static void
test_texts(void **unused)
{
	static const char *const want[] = {"a", "\"b, c\"@d.example", "E <f>", "|x y",
	                                   "\"|z, z\""};
	struct targets t = {
		.rest = STR(" a (no), \"b, c\"@d.example,, E <f> ,|x y , \"|z, z\"")};
	struct target one;

	(void)unused;
	for (size_t i = 0; i < LENGTH(want); i++) {
		assert_true(targets_next(&t, &one));
		assert_str(one.text, str_of(want[i]));
	}
	assert_false(targets_next(&t, &one));
	assert_false(targets_next(&t, &one));
}

/* A list without commas is read in one go: 30,000 words take no visible time. */
static void
test_many_words(void **unused)
{
	static char text[60001];
	struct buf b = BUF_ON(text);
	struct target one;
	unsigned count = 0;

	(void)unused;
	while (!b.cut)
		buf_add(&b, STR("a "));
	struct targets t = {.rest = buf_str(&b)};
	while (targets_next(&t, &one))
		count++;
	assert_int_equal(count, 30000);
}

static void
test_addresses(void **unused)
{
	static const struct {
		const char *text;
		enum fault fault;
		const char *local;
		const char *domain;
	} rows[] = {
		{"bob",           FAULT_none,         "bob", ""         },
		{"\"b b\"",       FAULT_none,         "b b", ""         },
		{"Bob@B.example", FAULT_none,         "Bob", "b.example"},
		{"",              FAULT_local_empty,  "",    ""         },
		{"b b",           FAULT_local_char,   "",    ""         },
		{"\"b",           FAULT_quote_open,   "",    ""         },
		{"b@",            FAULT_domain_empty, "",    ""         },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct address a = {.local = ""};

		assert_int_equal(target_address(str_of(rows[i].text), &a), rows[i].fault);
		assert_string_equal(a.local, rows[i].local);
		assert_string_equal(a.domain.name, rows[i].domain);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_many_words),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
