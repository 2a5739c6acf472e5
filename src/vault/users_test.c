/*
 * Users of the machine: who has a mailbox, who is there without one, in which order.
 */
#include <string.h>

#include "base/test.h"
#include "vault/users.h"

static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
			     "daemon:x:1:1::/:/usr/sbin/nologin\n"
			     "bob:x:1000:1000::/home/bob:/bin/sh\n"
			     "bob-a:x:1001:1001::/home/bob-a:/bin/sh\n"
			     "Big:x:1002:1002::/:/bin/sh\n"
			     "bob:x:7:7::/:/bin/sh\n"
			     "last:x:59999:1::/:/bin/sh\n"
			     "nobody:x:65534:65534::/:/usr/sbin/nologin\n"
			     ".hidden:x:1003:1::/:/bin/sh\n"
			     "two words:x:1004:1::/:/bin/sh\n"
			     "a/b:x:1005:1::/:/bin/sh\n";

static struct users *
read_users(void)
{
	struct users *u = NULL;
	struct err e;

	assert_int_equal(users_read(str_of(passwd), 1000, 59999, &u, &e), RC_OK);
	return u;
}

static void
test_kinds(void **unused)
{
	static const struct {
		const char *name;
		enum user_kind kind;
	} rows[] = {
		{"bob",       USER_MAILBOX}, /* the first line of a name counts */
		{"last",      USER_MAILBOX},
                {"Big",       USER_MAILBOX},
                {"big",       USER_NONE   },
		{"root",      USER_SYSTEM },
                {"daemon",    USER_SYSTEM },
                {"nobody",    USER_SYSTEM },
		{"carol",     USER_NONE   },
                {"",          USER_NONE   },
                {".hidden",   USER_NONE   },
		{"two words", USER_NONE   },
                {"a/b",       USER_NONE   },
	};
	char name[200];

	(void)unused;
	struct users *u = read_users();
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(users_find(u, str_of(rows[i].name)), rows[i].kind);
	memset(name, 'b', sizeof(name));
	assert_int_equal(users_find(u, (struct str){name, sizeof(name)}), USER_NONE);
	assert_int_equal(users_count(u), 4);
	(void)users_free(u);
}

static void
test_names_that_differ_in_case_alone(void **unused)
{
	struct users *u = NULL;
	struct err e;

	(void)unused;
	assert_int_equal(users_read(STR("root:x:0:0::/:/bin/sh\nBob:x:1001:1::/:/bin/sh\n"
	                                "bob:x:1002:1::/:/bin/sh\nAnn:x:1003:1::/:/bin/sh\n"
	                                "ROOT:x:1004:1::/:/bin/sh\n"),
	                            1000, 59999, &u, &e),
	                 RC_OK);
	assert_true(users_is_anothers(u, STR("Bob")));
	assert_true(users_is_anothers(u, STR("ROOT")));
	assert_false(users_is_anothers(u, STR("bob")));
	assert_false(users_is_anothers(u, STR("Ann")));
	(void)users_free(u);
}

/* As their addresses are ordered: - stands before @. */
static void
test_pages(void **unused)
{
	static const char *const want[] = {"Big", "bob-a", "bob", "last"};
	struct str domain = STR("x.example");
	struct str got[4];

	(void)unused;
	struct users *u = read_users();
	assert_int_equal(users_list(u, domain, STR(""), got, 4), 4);
	for (size_t i = 0; i < LENGTH(want); i++)
		assert_str(got[i], str_of(want[i]));
	assert_int_equal(users_list(u, domain, STR(""), got, 2), 2);
	assert_str(got[1], STR("bob-a"));
	assert_int_equal(users_list(u, domain, STR("bob-a@x.example"), got, 4), 2);
	assert_str(got[0], STR("bob"));
	assert_int_equal(users_list(u, domain, STR("last@x.example"), got, 4), 0);
	(void)users_free(u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_names_that_differ_in_case_alone),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
