/*
 * accounts.db on real files: added, asked, listed, changed beside us, broken.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "db/db.h"
#include "vault/accounts.h"

struct room {
	char dir[64];
	char path[96];
	struct accounts *a;
};

static int
setup(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	struct buf dir = BUF_ON(r->dir);
	struct buf path = BUF_ON(r->path);
	struct err e;

	buf_add(&dir, STR("/tmp/sekisho-accounts-XXXXXX"));
	assert_non_null(mkdtemp(r->dir));
	buf_addf(&path, "%s/" ACCOUNTS_FILE, r->dir);
	assert_int_equal(accounts_open(r->path, &r->a, &e), RC_OK);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct room *r = *state;
	static const char *const ends[] = {"", "-wal", "-shm"};

	assert_null(accounts_close(r->a));
	for (size_t i = 0; i < LENGTH(ends); i++) {
		char path[128];
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%s%s", r->path, ends[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

static bool
has(struct accounts *a, const char *name)
{
	struct err e;
	bool ret;

	assert_int_equal(accounts_has(a, str_of(name), &ret, &e), RC_OK);
	return ret;
}

static void
add(struct accounts *a, const char *name)
{
	struct err e;

	assert_int_equal(accounts_add(a, str_of(name), 1700000000000000, &e), RC_OK);
}

static void
refresh(struct accounts *a)
{
	struct err e;

	assert_int_equal(accounts_refresh(a, &e), RC_OK);
}

/* A "no" that was kept does not outlive the account's making. */
static void
test_added_is_there(void **state)
{
	struct room *r = *state;
	struct err e;

	assert_false(has(r->a, "alice@example.org"));
	assert_false(has(r->a, "alice@example.org"));
	add(r->a, "alice@example.org");
	assert_true(has(r->a, "alice@example.org"));
	assert_true(has(r->a, "alice@example.org"));
	assert_false(has(r->a, "alice@example.net"));
	assert_false(has(r->a, ""));
	assert_int_equal(accounts_add(r->a, STR("alice@example.org"), 1, &e), RC_PERM);
	assert_string_equal(e.text, "alice@example.org exists already");
	/* the next one is not harmed by it */
	add(r->a, "bob@example.org");
}

/* Nor does a "yes" its end; and who is removed may come again. */
static void
test_removed_is_gone(void **state)
{
	struct room *r = *state;
	struct err e;

	add(r->a, "alice@example.org");
	add(r->a, "bob@example.org");
	assert_true(has(r->a, "alice@example.org"));
	assert_int_equal(accounts_remove(r->a, STR("alice@example.org"), &e), RC_OK);
	assert_false(has(r->a, "alice@example.org"));
	assert_true(has(r->a, "bob@example.org"));
	assert_int_equal(accounts_remove(r->a, STR("alice@example.org"), &e), RC_PERM);
	assert_string_equal(e.text, "alice@example.org has no account");
	add(r->a, "alice@example.org");
	assert_true(has(r->a, "alice@example.org"));
}

static void
test_it_stays_over_a_restart(void **state)
{
	struct room *r = *state;
	struct err e;

	add(r->a, "alice@example.org");
	r->a = accounts_close(r->a);
	assert_int_equal(accounts_open(r->path, &r->a, &e), RC_OK);
	assert_true(has(r->a, "alice@example.org"));
}

/* The operator's command writes beside us. */
static void
test_change_by_somebody_else(void **state)
{
	struct room *r = *state;
	struct accounts *other;
	struct err e;

	refresh(r->a);
	assert_false(has(r->a, "alice@example.org"));
	assert_int_equal(accounts_open(r->path, &other, &e), RC_OK);
	add(other, "alice@example.org");
	refresh(r->a);
	assert_true(has(r->a, "alice@example.org"));
	(void)accounts_close(other);
}

/* More questions than answers are kept: the answers stay right. */
static void
test_many_unknown(void **state)
{
	struct room *r = *state;

	add(r->a, "alice@example.org");
	for (unsigned i = 0; i < 10000; i++) {
		char room[64];
		struct buf b = BUF_ON(room);

		buf_addf(&b, "user%u@example.org", i);
		assert_false(has(r->a, b.p));
		if (i % 1000 == 0)
			assert_true(has(r->a, "alice@example.org"));
	}
}

static void
join(void *arg, struct str address, uint64_t added_us)
{
	struct buf *b = arg;

	assert_int_equal(added_us, 1700000000000000);
	buf_add(b, address);
	buf_add(b, STR(" "));
}

static void
test_list_in_pages(void **state)
{
	static const struct {
		const char *after;
		unsigned most;
		const char *want;
		bool more;
	} rows[] = {
		{"",             3,  "a@x.example b@x.example c@x.example ", false},
		{"",             2,  "a@x.example b@x.example ",             true },
		{"b@x.example",  2,  "c@x.example ",                         false},
		{"az@x.example", 1,  "b@x.example ",                         true },
		{"c@x.example",  64, "",                                     false},
	};
	struct room *r = *state;

	add(r->a, "b@x.example");
	add(r->a, "c@x.example");
	add(r->a, "a@x.example");
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[256];
		struct buf b = BUF_ON(room);
		struct err e;
		bool more;

		assert_int_equal(accounts_list(r->a, str_of(rows[i].after), rows[i].most, join,
		                               &b, &more, &e),
		                 RC_OK);
		assert_string_equal(b.p, rows[i].want);
		assert_int_equal(more, rows[i].more);
	}
}

/* What an operator may type, and what he is told. */
static void
test_names(void **unused)
{
	static const struct {
		const char *address;
		const char *name; /* NULL: refused */
		const char *text;
	} rows[] = {
		{"alice@example.org",       "alice@example.org",   NULL                              },
		{"Alice@Example.ORG",       "alice@example.org",   NULL                              },
		{"\"alice\"@example.org",   "alice@example.org",   NULL                              },
		{"\"a b\"@example.org",     "\"a b\"@example.org", NULL                              },
		{"alice+x@example.org",     "alice+x@example.org", NULL                              },
		{"alice@example.com",       NULL,                  "the mailbox is alice@example.org"},
		{"alice@elsewhere.example", NULL,                  "not a domain of ours"            },
		{"alice",                   NULL,                  "alice: "                         },
		{"alice@",                  NULL,                  "alice@: "                        },
		{"",			NULL,                  ": "                              },
		{"a/b@example.org",         NULL,                  "no / and no ."                   },
		{"\"..\"@example.org",      NULL,                  "no / and no ."                   },
		{"a..b@example.org",        NULL,                  "a..b@example.org: "              },
	};

	struct cfg_domain domains[] = {
		{.name = STR("example.com"), .same_as = STR("example.org")},
		{.name = STR("example.org")                         },
	};
	const struct cfg cfg = {.hostname = STR("example.org"),
	                        .domains = domains,
	                        .domain_count = LENGTH(domains),
	                        .home = 1};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[256];
		struct buf b = BUF_ON(room);
		struct err e = {.text = ""};
		enum rc rc = accounts_name(&cfg, str_of(rows[i].address), &b, &e);

		assert_int_equal(rc, rows[i].name != NULL ? RC_OK : RC_PERM);
		if (rows[i].name != NULL)
			assert_string_equal(b.p, rows[i].name);
		else if (strstr(e.text, rows[i].text) == NULL)
			fail_msg("%s: %s", rows[i].address, e.text);
	}
}

/* Octets <from> to <to> of the closed database are overwritten. */
static void
scribble(const char *path, long from, long to)
{
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, from, SEEK_SET), 0);
	for (long at = from; at < to; at++)
		assert_int_equal(fputc(0x5a, f), 0x5a);
	assert_int_equal(fclose(f), 0);
}

/* A damaged file is refused at opening: no account of it may turn into "no such user". */
static void
test_damaged_file(void **state)
{
	struct room *r = *state;
	struct err e;

	for (unsigned i = 0; i < 1000; i++) {
		char room[64];
		struct buf b = BUF_ON(room);

		buf_addf(&b, "user%u@example.org", i);
		add(r->a, b.p);
	}
	r->a = accounts_close(r->a);
	scribble(r->path, 3L * 4096, 5L * 4096);
	assert_int_equal(accounts_open(r->path, &r->a, &e), RC_PERM);
	scribble(r->path, 0, 100);
	assert_int_equal(accounts_open(r->path, &r->a, &e), RC_PERM);
	assert_non_null(strstr(e.text, "not a database"));
}

static void
test_newer_file(void **state)
{
	struct room *r = *state;
	sqlite3 *db;
	struct err e;

	r->a = accounts_close(r->a);
	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	assert_int_equal(db_exec(db, "PRAGMA user_version = 9", &e), RC_OK);
	(void)db_close(db);
	assert_int_equal(accounts_open(r->path, &r->a, &e), RC_PERM);
	assert_non_null(strstr(e.text, "newer sekisho"));
}

/* On a disk that takes nothing nobody is added, and everybody known is still served. */
static void
test_full_disk(void **state)
{
	struct room *r = *state;
	struct rlimit was;
	struct rlimit none;
	struct err e;

	add(r->a, "alice@example.org");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){0, was.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	enum rc rc = accounts_add(r->a, STR("bob@example.org"), 1, &e);
	assert_true(has(r->a, "alice@example.org"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(rc, RC_TEMP);
	refresh(r->a);
	assert_false(has(r->a, "bob@example.org"));
	add(r->a, "bob@example.org");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_added_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_removed_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_it_stays_over_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change_by_somebody_else, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_in_pages, setup, teardown),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_damaged_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
