/* Nothing that a peer sent is obeyed, hidden or turned around by the operator's terminal. */
#include <stdio.h>

#include "base/test.h"
#include "command/print.h"

static void
check_printed(void (*print)(FILE *to, struct str s), struct str s, const char *want)
{
	char room[256] = "";
	FILE *to = fmemopen(room, sizeof(room), "w");

	assert_non_null(to);
	print(to, s);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(room, want);
}

static void
test_what_a_terminal_obeys_is_escaped(void **unused)
{
	(void)unused;
	static const char rows[][2][40] = {
  /* clang-format off */
		{"",                                         ""},
		{"a@b.example",                              "a@b.example"},
		{"\xc3\xa9\xe5\xb1\xb1\xf0\x9f\x93\xae", "\xc3\xa9\xe5\xb1\xb1\xf0\x9f\x93\xae"},
		{"\x1b[2J\r\n\x7f",                         "\\x1b[2J\\x0d\\x0a\\x7f"},
		{"\xc2\x9b" "31m",                           "\\xc2\\x9b31m"}, /* C1: CSI */
		{"\xe2\x80\xae" "gpj.exe",                   "\\xe2\\x80\\xaegpj.exe"},
		{"a\xe2\x80\x8b" "b",                        "a\\xe2\\x80\\x8bb"},
		{"\xff\xc3",                                 "\\xff\\xc3"},
		{"\xc0\x9b",                                 "\\xc0\\x9b"}, /* overlong */
  /* clang-format on */
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		check_printed(print_text, str_of(rows[i][0]), rows[i][1]);
	check_printed(print_text, STR("a\0b"), "a\\x00b");
}

static void
print_five(FILE *to, struct str s)
{
	print_column(to, s, 5);
}

static void
test_a_column_counts_characters(void **unused)
{
	(void)unused;
	check_printed(print_five, STR("ab"), "ab    ");
	check_printed(print_five, STR(""), "-     ");
	check_printed(print_five, STR("\xc3\xa9\xc3\xa9"), "\xc3\xa9\xc3\xa9    ");
	check_printed(print_five, STR("\n"), "\\x0a  ");
	check_printed(print_five, STR("longer"), "longer ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_terminal_obeys_is_escaped),
		cmocka_unit_test(test_a_column_counts_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
