/*
 * Who of the machine's users gets mail, whatever spool says. See account.h.
 */
#include <unistd.h>

#include "base/test.h"
#include "cfg/cfg.h"
#include "master/account.h"
#include "master/spawn.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
			     "alice:x:1000:1000:Alice,,,:/home/alice:/bin/sh\n"
			     "alice:x:1001:1001:another:/home/other:/bin/sh\n"
			     "top:x:59999:100::/srv/top:/bin/sh\n"
			     "nobody:x:65534:65534::/nonexistent:/bin/false\n"
			     "toor:x:0:1000::/home/toor:/bin/sh\n"
			     "low:x:999:1000::/home/low:/bin/sh\n"
			     "wheel:x:1002:0::/home/wheel:/bin/sh\n"
			     "role:x:52007:1000::/home/role:/bin/sh\n"
			     "homeless:x:1003:1003:::/bin/sh\n"
			     "slash:x:1004:1004::/:/bin/sh\n"
			     "near:x:1005:1005::home/near:/bin/sh\n"
			     "bad:x:-1:1000::/home/bad:/bin/sh\n"
			     "worse:x:1000\n";

static const struct cfg cfg = {
	.system_uid_min = 1000, .system_uid_max = 59999, .uid_base = 52000};

static void
test_users_in_range_are_found(void **unused)
{
	static const struct {
		const char *user;
		unsigned uid;
		unsigned gid;
		const char *home;
	} rows[] = {
		{"alice", 1000,  1000, "/home/alice"},
		{"top",   59999, 100,  "/srv/top"   },
	};

	(void)unused;
	if (geteuid() != 0) {
		print_message("skipped: only root may deliver to others\n");
		skip();
	}
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct lodging got;
		struct err e;

		assert_int_equal(
			account_find(&cfg, str_of(passwd), str_of(rows[i].user), &got, &e),
			RC_OK);
		assert_int_equal(got.uid, rows[i].uid);
		assert_int_equal(got.gid, rows[i].gid);
		assert_string_equal(got.folder, rows[i].home);
		assert_string_equal(got.user, rows[i].user);
	}
}

static void
test_others_are_refused_for_good(void **unused)
{
	static const char *const users[] = {
		"root", "daemon",   "nobody", "toor",  "low",     "wheel",
		"role", "homeless", "slash",  "near",  "bad",     "worse",
		"bob",  "",         "alic",   "Alice", "alice:x",
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(users); i++) {
		struct lodging got;
		struct err e;

		assert_int_equal(account_find(&cfg, str_of(passwd), str_of(users[i]), &got, &e),
		                 RC_PERM);
	}
}

static void
test_a_file_that_cannot_be_read_is_for_now(void **unused)
{
	struct lodging got;
	struct err e;

	(void)unused;
	assert_int_equal(account_read(&cfg, "/nonexistent/passwd", STR("alice"), &got, &e),
	                 RC_TEMP);
	assert_int_equal(account_read(&cfg, "/", STR("alice"), &got, &e), RC_TEMP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_in_range_are_found),
		cmocka_unit_test(test_others_are_refused_for_good),
		cmocka_unit_test(test_a_file_that_cannot_be_read_is_for_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
