/*
 * passwd(5): who is a user, and who only looks like one.
 */
#include "base/test.h"
#include "proto/passwd.h"

static void
test_rows(void **unused)
{
	struct str in = STR("root:x:0:0:root:/root:/bin/bash\n"
	                    "\n"
	                    "# nobody:x:1:1:::\n"
	                    "+nis:x:2:2:::\n"
	                    "-nis:x:3:3:::\n"
	                    ":x:4:4:::\n"
	                    "few:x:5:5::\n"
	                    "word:x:six:6:::\n"
	                    "big:x:4294967295:6:::\n"
	                    "wide:x:99999999999999999999:6:::\n"
	                    "bob:x:1000:1000:Bob,,,:/home/bob:/bin/sh\n"
	                    "alice::1001:100::/:");
	struct passwd_row row;

	(void)unused;
	assert_true(passwd_next(&in, &row));
	assert_str(row.name, STR("root"));
	assert_int_equal(row.uid, 0);
	assert_true(passwd_next(&in, &row));
	assert_str(row.name, STR("bob"));
	assert_int_equal(row.uid, 1000);
	assert_true(passwd_next(&in, &row));
	assert_str(row.name, STR("alice"));
	assert_int_equal(row.uid, 1001);
	assert_int_equal(row.gid, 100);
	assert_str(row.home, STR("/"));
	assert_false(passwd_next(&in, &row));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
