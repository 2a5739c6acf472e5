/* An id is read as it stands in a reply, a log line and a Received field; nothing else is one.
 */
#include "base/test.h"
#include "command/message_id.h"

static void
test_an_id_is_read_from_where_it_stands(void **unused)
{
	(void)unused;
	static const char *const texts[] = {
		"00000000001zz",    "00000000001ZZ",    " 00000000001zz\n",
		"id=00000000001zz", "00000000001zz;",   "id 00000000001zz;",
		"<00000000001zz>",  "(00000000001zz).", "ID=00000000001zz",
	};

	for (size_t i = 0; i < LENGTH(texts); i++) {
		uint64_t id = 0;

		if (!message_id_read(str_of(texts[i]), &id))
			fail_msg("not read: %s", texts[i]);
		assert_int_equal(id, 2047);
	}
}

static void
test_anything_else_is_none(void **unused)
{
	(void)unused;
	static const char *const texts[] = {
		"",
		"id=",
		"0000000000000",  /* no message has it */
		"fzzzzzzzzzzzz",  /* past 63 bits */
		"00000000001z",   /* too short */
		"00000000001zzz", /* too long */
		"00000000001zu",  /* u is no letter of it */
		"../../00001zz",
		"x=00000000001zz",
	};

	for (size_t i = 0; i < LENGTH(texts); i++) {
		uint64_t id = 0;

		if (message_id_read(str_of(texts[i]), &id))
			fail_msg("read: %s", texts[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_id_is_read_from_where_it_stands),
		cmocka_unit_test(test_anything_else_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
