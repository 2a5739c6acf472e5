/* What log_fields writes is read back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/logfmt.h"

static void
check_field(struct str *in, const char *key, struct str value)
{
	char room[256];
	struct buf b = BUF_ON(room);
	struct str got_key;
	struct str got_value;

	assert_true(logfmt_next(in, &got_key, &got_value));
	logfmt_add_value(&b, got_value);
	assert_true(str_eq(got_key, str_of(key)));
	assert_true(str_eq(buf_str(&b), value));
}

static void
test_fields_come_back_as_they_were_logged(void **unused)
{
	(void)unused;
	char room[512];
	struct buf b = BUF_ON(room);
	struct str key;
	struct str value;

	log_fields(&b, "decision",
	           KVS(kv_text("rcpt", "a b=\"\\\"@c"), kv_num("code", 550),
	               kv_text("none", ""), kv_str("raw", STR("\0\r\n\x7f\xff")),
	               kv_text("utf8", "\xc3\xa9")));
	struct str in = buf_str(&b);
	check_field(&in, "event", STR("decision"));
	check_field(&in, "rcpt", STR("a b=\"\\\"@c"));
	check_field(&in, "code", STR("550"));
	check_field(&in, "none", STR(""));
	check_field(&in, "raw", STR("\0\r\n\x7f\xff"));
	check_field(&in, "utf8", STR("\xc3\xa9"));
	assert_false(logfmt_next(&in, &key, &value));
	assert_int_equal(in.n, 0);
}

static void
test_what_is_no_field_is_left_where_it_is(void **unused)
{
	(void)unused;
	static const char *const rows[] = {
		"=a",         "key",          "key=",        "k-y=a",
		" key=a",     "key=\"a",      "key=\"a\"b",  "key=a\"b",
		"key=a\\x41", "key=\"\\x4\"", "key=\"\\n\"", "key=\"\\xg0\"",
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str in = str_of(rows[i]);
		struct str key;
		struct str value;

		assert_false(logfmt_next(&in, &key, &value));
		assert_true(str_eq(in, str_of(rows[i])));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_come_back_as_they_were_logged),
		cmocka_unit_test(test_what_is_no_field_is_left_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
