/*
 * What domain sections say of their mailboxes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cfg/cfg.h"

#define HEAD "hostname = \"mail.example.org\" listen \"mx\" { address = \"*:25\" }\n"

static struct cfg *
read_good(const char *text)
{
	static char room[4096];
	struct buf report = BUF_ON(room);
	struct cfg *c = NULL;

	buf_clear(&report);
	if (cfg_read_text("f", str_of(text), &c, &report) != RC_OK)
		print_error("%s", report.p);
	assert_non_null(c);
	return c;
}

static void
test_endpoints_are_named_in_one_form(void **unused)
{
	(void)unused;
	struct cfg *c =
		read_good(HEAD "domain \"a.example\" { deliver = \"lmtp:localhost:24\" }\n"
	                       "domain \"b.example\" { deliver = \"lmtp:127.0.0.1:24\" }\n"
	                       "domain \"c.example\" { deliver = \"lmtp:[0::1]:2400\" }\n"
	                       "domain \"d.example\" { deliver = \"lmtp:/run/lmtp\" }\n"
	                       "domain \"e.example\" { same_as = \"d.example\" }\n"
	                       "domain \"f.example\" { catch_all = x }");
	static const char *const want[][2] = {
		{"a.example", "lmtp:127.0.0.1:24"},
		{"b.example", "lmtp:127.0.0.1:24"},
		{"c.example", "lmtp:[::1]:2400"  },
		{"e.example", "lmtp:/run/lmtp"   },
		{"f.example", NULL               },
	};

	assert_int_equal(c->endpoint_count, 3);
	for (size_t i = 0; i < LENGTH(want); i++) {
		const struct cfg_domain *d = cfg_domain_canonical(c, str_of(want[i][0]));
		const struct cfg_endpoint *ep = cfg_domain_endpoint(c, d);

		if (want[i][1] == NULL)
			assert_null(ep);
		else
			assert_true(str_eq(ep->name, str_of(want[i][1])));
	}
	assert_int_equal(cfg_endpoint_find(c, STR("lmtp:[::1]:2400"))->port, 2400);
	assert_true(
		str_eq(cfg_endpoint_find(c, STR("lmtp:/run/lmtp"))->path, STR("/run/lmtp")));
	assert_null(cfg_endpoint_find(c, STR("lmtp:/run")));
	assert_null(cfg_domain_system(c));
	(void)cfg_free(c);
}

static void
test_the_first_system_domain_names_the_users(void **unused)
{
	(void)unused;
	struct cfg *c = read_good(HEAD "domain \"v.example\" { catch_all = x }\n"
	                               "domain \"s.example\" { mailboxes = system }\n"
	                               "domain \"a.example\" { mailboxes = system }");

	assert_true(str_eq(cfg_domain_system(c)->name, STR("s.example")));
	assert_int_equal(cfg_domain_find(c, STR("a.example"))->mailboxes, MAILBOXES_SYSTEM);
	assert_int_equal(cfg_domain_find(c, STR("v.example"))->mailboxes, MAILBOXES_VIRTUAL);
	(void)cfg_free(c);
}

static void
test_files_in_their_order(void **unused)
{
	(void)unused;
	struct cfg *c = read_good(HEAD "domain \"s.example\" { mailboxes = system }\n"
	                               "alias_files = {\"/etc/aliases\", \"/a/b\"}");

	assert_int_equal(c->alias_files.count, 2);
	assert_true(str_eq(c->alias_files.paths[0], STR("/etc/aliases")));
	assert_true(str_eq(c->alias_files.paths[1], STR("/a/b")));
	assert_int_equal(c->virtual_files.count, 0);
	assert_int_equal(c->system_accounts, SYSTEM_ACCOUNTS_refuse);
	(void)cfg_free(c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints_are_named_in_one_form),
		cmocka_unit_test(test_files_in_their_order),
		cmocka_unit_test(test_the_first_system_domain_names_the_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
