#include "base/test.h"
#include "policy/reason.h"

/* RFC 3463 §2: the class of the enhanced code is that of the reply. */
static void
test_codes_and_verdicts_agree(void **unused)
{
	(void)unused;
	static const char class_of[] = {[VERDICT_ACCEPT] = '2',
	                                [VERDICT_DEFER] = '4',
	                                [VERDICT_REJECT] = '5',
	                                [VERDICT_DISCARD] = '2'};

	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const struct reason_row *row = reason_row(r);

		assert_int_equal(row->dsn[0], '0' + row->code / 100);
		if (r != REASON_not_smtp) /* refused with a farewell, as Postfix does */
			assert_int_equal(row->dsn[0], class_of[row->verdict]);
	}
}

/* A text, its codes and an id behind it fit a reply line: RFC 5321 §4.5.3.1.5. */
static void
test_texts_are_short_and_plain(void **unused)
{
	(void)unused;
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		struct str text = str_of(reason_row(r)->text);

		assert_in_range(text.n, 1, 100);
		assert_true(str_is_ascii(text) && str_is_printable(text));
	}
}

static void
test_names_are_log_keys(void **unused)
{
	(void)unused;
	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		for (const char *c = reason_row(r)->name; *c != '\0'; c++)
			assert_true(ascii_alpha(*c) || *c == '_');
	assert_string_equal(verdict_name(VERDICT_DEFER), "defer");
	assert_string_equal(verdict_name(VERDICT_DISCARD), "discard");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes_and_verdicts_agree),
		cmocka_unit_test(test_texts_are_short_and_plain),
		cmocka_unit_test(test_names_are_log_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
