/*
 * Bounded text. See buf.h.
 */
#include <string.h>

#include "base/buf.h"
#include "base/test.h"

/* A piece that does not fit is left out whole: half an address is another address. */
static void
test_add_that_does_not_fit(void **unused)
{
	char room[8];
	struct buf b = BUF_ON(room);

	(void)unused;
	buf_add(&b, STR("abcd"));
	buf_add(&b, STR("efgh")); /* 8 octets and the NUL are 9 */
	assert_true(b.cut);
	assert_string_equal(b.p, "abcd");
}

static void
test_add_that_just_fits(void **unused)
{
	char room[8];
	struct buf b = BUF_ON(room);

	(void)unused;
	buf_add(&b, STR("abcd"));
	buf_add(&b, STR("efg"));
	assert_false(b.cut);
	assert_string_equal(b.p, "abcdefg");
	buf_add(&b, STR_NONE);
	assert_false(b.cut);
	buf_addc(&b, 'h');
	assert_true(b.cut);
	assert_string_equal(b.p, "abcdefg");
}

/* ... whatever lay in the array before. */
static void
test_empty_is_terminated(void **unused)
{
	char room[] = "leftover";
	struct buf b = BUF_ON(room);

	(void)unused;
	assert_string_equal(b.p, "");
	buf_add_escaped(&b, STR_NONE);
	assert_string_equal(b.p, "");
}

static void
test_addf_is_whole_or_absent(void **unused)
{
	char room[8];
	struct buf b = BUF_ON(room);

	(void)unused;
	buf_addf(&b, "%d-", 12);
	buf_addf(&b, "%s", "56789");
	assert_true(b.cut);
	assert_string_equal(b.p, "12-");
	assert_int_equal(b.n, 3);
	buf_clear(&b);
	assert_false(b.cut);
	buf_addf(&b, "%s", "1234567");
	assert_false(b.cut);
	assert_string_equal(b.p, "1234567");
}

static void
test_cut_stays_until_cleared(void **unused)
{
	char room[4];
	struct buf b = BUF_ON(room);

	(void)unused;
	buf_add(&b, STR("toolong"));
	buf_add(&b, STR("ok"));
	buf_add_escaped(&b, STR("x"));
	assert_true(b.cut);
	buf_clear(&b);
	assert_false(b.cut);
	assert_int_equal(b.n, 0);
	assert_string_equal(b.p, "");
}

static void
test_lower_touches_only_what_it_adds(void **unused)
{
	char room[16];
	struct buf b = BUF_ON(room);

	(void)unused;
	buf_add(&b, STR("AB"));
	buf_add_lower(&b, STR("CD\xc3\x84"));
	assert_string_equal(b.p, "ABcd\xc3\x84");
	buf_add_lower(&b, STR("EFGHIJKLMNOPQ"));
	assert_true(b.cut);
	assert_string_equal(b.p, "ABcd\xc3\x84");
}

static void
test_escaped(void **unused)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{"plain = text",             "plain = text"                  },
		{"a\r\nb",                   "a\\x0d\\x0ab"                  },
		{"\x1b[31m",                 "\\x1b[31m"                     },
		{"\x7f",                     "\\x7f"                         },
		{"say \"hi\"",               "say \\x22hi\\x22"              },
		{"\\x41",                    "\\x5cx41"                      },
		{"f\xc3\xbcr",               "f\xc3\xbcr"                    },
		{"f\xfcr",                   "f\\xfcr"                       },
		{"\xc3\xbc\xff",             "\\xc3\\xbc\\xff"               }, /* not UTF-8 as a whole */
		{"\xc2\x9bm",                "\\xc2\\x9bm"                   }, /* U+009B: a terminal's CSI */
		{"\xc2\xa0",                 "\xc2\xa0"                      },
		{"a\xe2\x80\xa8z",           "a\\xe2\\x80\\xa8z"             }, /* U+2028 */
		{"\xe2\x80\xaepiz",          "\\xe2\\x80\\xaepiz"            }, /* U+202E: right to left */
		{"\xe2\x80\xaf",             "\xe2\x80\xaf"                  },
		{"\xe2\x80\x8d",             "\xe2\x80\x8d"                  },
		{"\xe2\x80\x8e",             "\\xe2\\x80\\x8e"               },
		{"\xe2\x81\xa5",             "\xe2\x81\xa5"                  },
		{"\xe2\x81\xa6\xe2\x81\xa9", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9"},
		{"",			 ""			      },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[64];
		struct buf b = BUF_ON(room);

		buf_add_escaped(&b, str_of(rows[i].in));
		assert_false(b.cut);
		assert_string_equal(b.p, rows[i].out);
	}
}

/* An escape takes four octets and is never split; the whole text goes or none of it. */
static void
test_escaped_that_does_not_fit(void **unused)
{
	char room[8];

	(void)unused;
	for (size_t before = 0; before < sizeof(room); before++) {
		struct buf b = BUF_ON(room);

		buf_add(&b, str_slice(STR("1234567"), 0, before));
		buf_add_escaped(&b, STR("a\n"));
		assert_int_equal(b.cut, before > 2);
		assert_int_equal(b.n, before + (before > 2 ? 0 : 5));
		assert_int_equal(b.p[b.n], '\0');
	}
}

static void
test_numbers_stand_lowest_octet_first(void **unused)
{
	char room[16];
	struct buf b = BUF_ON(room);

	(void)unused;
	buf_add_le(&b, 2, 0x0102);
	buf_add_le(&b, 4, 0x03040506);
	assert_str(buf_str(&b), STR("\x02\x01\x06\x05\x04\x03"));
	buf_add_le(&b, 8, UINT64_MAX);
	assert_int_equal(b.n, 14);
	buf_add_le(&b, 2, 1); /* one octet is left: half a number is another number */
	assert_true(b.cut);
	assert_int_equal(b.n, 14);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_stand_lowest_octet_first),
		cmocka_unit_test(test_add_that_does_not_fit),
		cmocka_unit_test(test_add_that_just_fits),
		cmocka_unit_test(test_empty_is_terminated),
		cmocka_unit_test(test_addf_is_whole_or_absent),
		cmocka_unit_test(test_cut_stays_until_cleared),
		cmocka_unit_test(test_lower_touches_only_what_it_adds),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_escaped_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
