/*
 * Addresses that the operator allowed: kept in accounts.db, and read as he types them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cfg/cfg.h"
#include "vault/accounts.h"
#include "vault/allowed.h"
#include "vault/users.h"

static struct cfg_domain domains[] = {
	{.name = STR_INIT("example.org")    },
	{ .name = STR_INIT("www.example"), .same_as = STR_INIT("example.org")},
};
static const struct cfg cfg = {.domains = domains, .domain_count = LENGTH(domains)};

struct place {
	char dir[64];
	char path[100];
	struct accounts *accounts;
	struct allowed *allowed;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct buf dir = BUF_ON(p->dir);
	struct buf path = BUF_ON(p->path);
	struct err e;

	buf_add(&dir, STR("/tmp/sekisho-allowed-XXXXXX"));
	assert_non_null(mkdtemp(p->dir));
	buf_addf(&path, "%s/" ACCOUNTS_FILE, p->dir);
	assert_int_equal(accounts_open(p->path, &p->accounts, &e), RC_OK);
	assert_int_equal(allowed_open(p->accounts, &p->allowed, &e), RC_OK);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	p->allowed = allowed_close(p->allowed);
	p->accounts = accounts_close(p->accounts);
	(void)unlink(p->path);
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static bool
may(struct place *p, const char *name, const char *address)
{
	struct err e;
	bool ret = false;

	assert_int_equal(allowed_has(p->allowed, str_of(name), str_of(address), &ret, &e),
	                 RC_OK);
	return ret;
}

static void
test_what_is_allowed_holds_until_it_is_dropped(void **state)
{
	struct place *p = *state;
	struct str web = STR("web@example.org");
	struct err e;

	assert_false(may(p, "alice", "web@example.org"));
	assert_int_equal(allowed_add(p->allowed, STR("alice"), web, 1, &e), RC_OK);
	assert_int_equal(allowed_add(p->allowed, STR("alice"), web, 2, &e), RC_PERM);
	assert_string_equal(e.text, "alice may send as web@example.org already");
	assert_true(may(p, "alice", "web@example.org"));
	assert_false(may(p, "bob", "web@example.org"));
	assert_false(may(p, "alice", "web2@example.org"));
	(void)allowed_close(p->allowed);
	(void)accounts_close(p->accounts);
	assert_int_equal(accounts_open(p->path, &p->accounts, &e), RC_OK);
	assert_int_equal(allowed_open(p->accounts, &p->allowed, &e), RC_OK);
	assert_true(may(p, "alice", "web@example.org"));
	assert_int_equal(allowed_drop(p->allowed, STR("alice"), web, &e), RC_OK);
	assert_false(may(p, "alice", "web@example.org"));
	assert_int_equal(allowed_drop(p->allowed, STR("alice"), web, &e), RC_PERM);
}

static void
add_to_text(void *arg, struct str name, struct str address, uint64_t added_us)
{
	buf_addf(arg, " %.*s:%.*s:%u", STR_FMT(name), STR_FMT(address), (unsigned)added_us);
}

static void
test_they_are_listed_in_pages(void **state)
{
	static const char *const rows[][2] = {
		{"bob",   "x@example.org"},
                {"alice", "<>"           },
                {"alice", "y@example.org"}
        };
	struct place *p = *state;
	char room[200];
	struct buf b = BUF_ON(room);
	struct err e;
	bool more = false;

	for (unsigned i = 0; i < LENGTH(rows); i++)
		assert_int_equal(
			allowed_add(p->allowed, str_of(rows[i][0]), str_of(rows[i][1]), i, &e),
			RC_OK);
	assert_int_equal(
		allowed_list(p->allowed, STR(""), STR(""), 2, add_to_text, &b, &more, &e),
		RC_OK);
	assert_string_equal(room, " alice:<>:1 alice:y@example.org:2");
	assert_true(more);
	buf_clear(&b);
	assert_int_equal(allowed_list(p->allowed, STR("alice"), STR("y@example.org"), 2,
	                              add_to_text, &b, &more, &e),
	                 RC_OK);
	assert_string_equal(room, " bob:x@example.org:0");
	assert_false(more);
}

static void
test_an_operators_words_are_read(void **unused)
{
	static const char *const rows[][3] = {
		{"alice",    "Web@WWW.example", "web@example.org"},
		{"www-data", "<>",              "<>"             },
		{"alice",    "web",             NULL             },
		{"alice",    "web@elsewhere",   NULL             },
		{"a@b",      "web@example.org", NULL             },
		{"",         "web@example.org", NULL             },
		{"al ice",   "web@example.org", NULL             },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[400];
		struct buf b = BUF_ON(room);
		struct err e;
		enum rc rc = allowed_read(&cfg, str_of(rows[i][0]), str_of(rows[i][1]), &b, &e);

		assert_int_equal(rc, rows[i][2] == NULL ? RC_PERM : RC_OK);
		assert_string_equal(room, rows[i][2] == NULL ? "" : rows[i][2]);
	}
}

static void
test_who_is_allowed_must_be_there(void **unused)
{
	struct users *u = NULL;
	struct err e;

	(void)unused;
	assert_int_equal(users_read(STR("daemon:x:1:1::/:\nalice:x:1000:1000::/:\n"), 1000,
	                            2000, &u, &e),
	                 RC_OK);
	assert_int_equal(allowed_user(u, STR("daemon"), &e), RC_OK);
	assert_int_equal(allowed_user(u, STR("alice"), &e), RC_OK);
	assert_int_equal(allowed_user(u, STR("Alice"), &e), RC_PERM);
	assert_int_equal(allowed_user(u, STR("alic"), &e), RC_PERM);
	assert_non_null(strstr(e.text, "alic: no user of this machine"));
	assert_int_equal(allowed_user(NULL, STR("alice"), &e), RC_TEMP);
	assert_null(users_free(u));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_allowed_holds_until_it_is_dropped,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_they_are_listed_in_pages, setup, teardown),
		cmocka_unit_test(test_an_operators_words_are_read),
		cmocka_unit_test(test_who_is_allowed_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
