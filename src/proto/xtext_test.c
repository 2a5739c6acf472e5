/*
 * xtext decodes to printable ASCII or not at all: RCPT-01.
 */
#include "base/test.h"
#include "proto/xtext.h"

static void
test_every_encoded_octet(void **unused)
{
	(void)unused;
	for (int octet = 0; octet < 256; octet++) {
		char in[8];
		char out[4];
		struct buf i = BUF_ON(in);
		struct buf o = BUF_ON(out);
		bool printable = octet >= 0x20 && octet <= 0x7e;

		buf_addf(&i, "a+%02X", (unsigned)octet);
		assert_int_equal(xtext_add_decoded(&o, buf_str(&i)), printable);
		assert_int_equal(o.n, printable ? 2 : 0);
		if (printable)
			assert_int_equal(out[1], octet);
	}
}

static void
test_every_plain_octet(void **unused)
{
	(void)unused;
	for (int octet = 0; octet < 256; octet++) {
		char in[1] = {(char)octet};
		char out[4];
		struct buf o = BUF_ON(out);
		bool xchar = octet > 0x20 && octet <= 0x7e && octet != '+' && octet != '=';

		assert_int_equal(xtext_add_decoded(&o, (struct str){in, 1}), xchar);
		assert_int_equal(o.n, xchar);
	}
}

static void
test_half_an_escape_is_none(void **unused)
{
	static const struct str bad[] = {STR_INIT("ab+"), STR_INIT("ab+4"), STR_INIT("+4g"),
	                                 STR_INIT("+g4"), STR_INIT("+4a"),  STR_INIT("++41")};

	(void)unused;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		char out[16];
		struct buf o = BUF_ON(out);

		buf_add(&o, STR("x"));
		assert_false(xtext_add_decoded(&o, bad[i]));
		assert_string_equal(out, "x");
	}
}

static void
test_what_does_not_fit_is_left_out_whole(void **unused)
{
	char out[4];
	struct buf o = BUF_ON(out);

	(void)unused;
	assert_true(xtext_add_decoded(&o, STR("+41b")));
	assert_false(xtext_add_decoded(&o, STR("cdef")));
	assert_true(o.cut);
	assert_string_equal(out, "Ab");
}

/* What is said comes back as it was meant. */
static void
test_what_is_encoded_is_decoded(void **unused)
{
	char wire[512];
	char back[128];
	char all[96];
	struct buf w = BUF_ON(wire);
	struct buf b = BUF_ON(back);

	(void)unused;
	for (size_t i = 0; i < 95; i++)
		all[i] = (char)(' ' + i);
	struct str in = {all, 95};
	xtext_add(&w, in);
	assert_str(str_slice(buf_str(&w), 0, 4), STR("+20!"));
	assert_true(xtext_add_decoded(&b, buf_str(&w)));
	assert_str(buf_str(&b), in);
	buf_clear(&w);
	xtext_add(&w, STR("a+b=c\r\xc3"));
	assert_str(buf_str(&w), STR("a+2Bb+3Dc+0D+C3"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_encoded_octet),
		cmocka_unit_test(test_every_plain_octet),
		cmocka_unit_test(test_half_an_escape_is_none),
		cmocka_unit_test(test_what_does_not_fit_is_left_out_whole),
		cmocka_unit_test(test_what_is_encoded_is_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
