/*
 * Borrowed octets. See str.h.
 */
#include "base/str.h"
#include "base/test.h"

static void
test_comparing_folds_ascii_letters_only(void **unused)
{
	(void)unused;
	assert_true(str_ieq(STR("MaIl"), STR("mAiL")));
	assert_false(str_ieq(STR("mail"), STR("mails")));
	assert_false(str_ieq(STR("["), STR("{"))); /* 32 apart, as 'A' and 'a' are */
	assert_false(str_ieq(STR("@"), STR("`")));
	assert_false(str_ieq(STR("\xc3\x84"), STR("\xc3\xa4"))); /* A and a umlaut: no */
	assert_false(str_eq(STR("a"), STR("A")));
	assert_true(str_eq(STR_NONE, STR("")));
	assert_true(str_eq(STR("a\0b"), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
}

static void
test_starts_and_ends(void **unused)
{
	(void)unused;
	assert_true(str_starts(STR("MAIL FROM"), STR("MAIL")));
	assert_false(str_starts(STR("MAIL FROM"), STR("mail")));
	assert_false(str_starts(STR("MA"), STR("MAIL")));
	assert_true(str_istarts(STR("mail from"), STR("MAIL")));
	assert_true(str_iends(STR("user@Example.ORG"), STR("@example.org")));
	assert_false(str_iends(STR("org"), STR("example.org")));
	assert_true(str_iends(STR("x"), STR_NONE));
	assert_true(str_starts(STR_NONE, STR_NONE));
}

static void
test_find_gives_the_length_where_there_is_none(void **unused)
{
	(void)unused;
	assert_int_equal(str_find(STR("a@b@c"), '@'), 1);
	assert_int_equal(str_rfind(STR("a@b@c"), '@'), 3);
	assert_int_equal(str_find(STR("abc"), '@'), 3);
	assert_int_equal(str_rfind(STR("abc"), '@'), 3);
	assert_int_equal(str_find(STR_NONE, '@'), 0);
	assert_int_equal(str_rfind(STR_NONE, '@'), 0);
	assert_int_equal(str_find(STR("a\0b"), 'b'), 2);
}

static void
test_slice_stays_inside(void **unused)
{
	(void)unused;
	assert_str(str_slice(STR("abcdef"), 2, 4), STR("cd"));
	assert_str(str_slice(STR("abcdef"), 4, 99), STR("ef"));
	assert_str(str_slice(STR("abcdef"), 99, 99), STR(""));
	assert_str(str_slice(STR("abcdef"), 4, 2), STR(""));
	assert_str(str_slice(STR_NONE, 1, 2), STR(""));
}

/* Each row: what is cut, the heads joined by '|'. */
static void
test_cut_gives_each_piece_once(void **unused)
{
	static const struct {
		struct str in;
		const char *heads;
	} rows[] = {
		{{"", 0},        ""        },
                {{"a", 1},       "a|"      },
                {{"a,b", 3},     "a|b|"    },
		{{"a,", 2},      "a|"      }, /* nothing behind the last one: no piece */
		{{",a", 2},      "|a|"     },
                {{",,", 2},      "||"      },
                {{"a,b,c,d", 7}, "a|b|c|d|"},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str in = rows[i].in;
		struct str head;
		char joined[32];
		size_t n = 0;

		while (str_cut(&in, ',', &head)) {
			for (size_t j = 0; j < head.n; j++)
				joined[n++] = head.p[j];
			joined[n++] = '|';
		}
		assert_str(((struct str){joined, n}), str_of(rows[i].heads));
	}
}

static void
test_trim_takes_blanks_and_tabs_only(void **unused)
{
	(void)unused;
	assert_str(str_trim(STR(" \t a b\t ")), STR("a b"));
	assert_str(str_trim(STR(" \t ")), STR(""));
	assert_str(str_trim(STR("\na\r")), STR("\na\r"));
	assert_str(str_trim(STR_NONE), STR(""));
}

static void
test_u64_takes_all_digits_or_nothing(void **unused)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} rows[] = {
		{"0",                    UINT64_MAX,     true,  0         },
		{"007",                  UINT64_MAX,     true,  7         },
		{"18446744073709551615", UINT64_MAX,     true,  UINT64_MAX},
		{"18446744073709551616", UINT64_MAX,     false, 0         },
		{"99999999999999999999", UINT64_MAX,     false, 0         },
		{"18446744073709551615", UINT64_MAX - 1, false, 0         },
		{"1000",                 1000,           true,  1000      },
		{"1001",                 1000,           false, 0         },
		{"",		     UINT64_MAX,     false, 0         },
		{"-1",                   UINT64_MAX,     false, 0         },
		{"+1",                   UINT64_MAX,     false, 0         },
		{" 1",                   UINT64_MAX,     false, 0         },
		{"1 ",                   UINT64_MAX,     false, 0         },
		{"0x1",                  UINT64_MAX,     false, 0         },
		{"1e3",                  UINT64_MAX,     false, 0         },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t value = 0;

		assert_int_equal(str_u64(str_of(rows[i].text), rows[i].max, &value),
		                 rows[i].ok);
		assert_true(value == rows[i].value); /* untouched where it is none */
	}
}

/* The borders of RFC 3629 §4's table, both sides of each. */
static void
test_utf8(void **unused)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{"",                 true },
		{"plain",            true },
		{"\x7f",             true },
		{"\x80",             false},
		{"\xbf",             false},
		{"\xc0\x80",         false}, /* overlong NUL */
		{"\xc1\xbf",         false},
		{"\xc2\x7f",         false},
		{"\xc2\x80",         true },
		{"\xdf\xbf",         true },
		{"\xdf\xc0",         false},
		{"\xc2",             false}, /* ends inside */
		{"\xe0\x9f\xbf",     false}, /* overlong */
		{"\xe0\xa0\x80",     true },
		{"\xe1\x80\x7f",     false},
		{"\xe1\x80\xc0",     false},
		{"\xed\x9f\xbf",     true },
		{"\xed\xa0\x80",     false}, /* surrogate */
		{"\xed\xbf\xbf",     false},
		{"\xee\x80\x80",     true },
		{"\xef\xbf\xbf",     true },
		{"\xef\xbf",         false},
		{"\xf0\x8f\xbf\xbf", false}, /* overlong */
		{"\xf0\x90\x80\x80", true },
		{"\xf4\x8f\xbf\xbf", true }, /* U+10FFFF */
		{"\xf4\x90\x80\x80", false},
		{"\xf5\x80\x80\x80", false},
		{"\xff",             false},
		{"a\xe2\x82\xac z",  true },
		{"a\xe2\x82 z",      false},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (str_is_utf8(str_of(rows[i].text)) != rows[i].ok)
			fail_msg("row %zu", i);
	assert_true(str_is_utf8(STR("a\0b")));
}

static void
test_every_octet_has_one_class(void **unused)
{
	(void)unused;
	for (int i = 0; i < 256; i++) {
		char c = (char)i;
		struct str s = {&c, 1};

		assert_int_equal(str_is_ascii(s), i < 0x80);
		assert_int_equal(str_is_printable(s), i >= 0x20 && i != 0x7f);
		assert_int_equal(ascii_digit(c), i >= '0' && i <= '9');
		assert_int_equal(ascii_alpha(c),
		                 (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z'));
	}
}

static void
test_of_null_is_empty(void **unused)
{
	(void)unused;
	assert_int_equal(str_of(NULL).n, 0);
	assert_str(str_of("ab"), STR("ab"));
}

static void
test_order(void **unused)
{
	static const struct str sorted[] = {STR_INIT(""),    STR_INIT("A"),  STR_INIT("a"),
	                                    STR_INIT("a\0"), STR_INIT("ab"), STR_INIT("b"),
	                                    STR_INIT("\xff")};

	(void)unused;
	for (size_t i = 0; i < LENGTH(sorted); i++)
		for (size_t k = 0; k < LENGTH(sorted); k++) {
			int order = str_order(sorted[i], sorted[k]);

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_comparing_folds_ascii_letters_only),
		cmocka_unit_test(test_starts_and_ends),
		cmocka_unit_test(test_find_gives_the_length_where_there_is_none),
		cmocka_unit_test(test_slice_stays_inside),
		cmocka_unit_test(test_cut_gives_each_piece_once),
		cmocka_unit_test(test_trim_takes_blanks_and_tabs_only),
		cmocka_unit_test(test_u64_takes_all_digits_or_nothing),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_every_octet_has_one_class),
		cmocka_unit_test(test_of_null_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
