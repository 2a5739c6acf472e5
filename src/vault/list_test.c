/*
 * Accounts and users of the machine as one list: everybody once, in order, whatever the pages.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "vault/accounts.h"
#include "vault/list.h"
#include "vault/users.h"

#define MANY 150

static const struct cfg_domain domain = {.name = STR_INIT("m.example")};

/* What was listed so far. */
struct seen {
	char last[300];
	unsigned count;
	unsigned system;
};

static void
on_row(void *arg, const struct list_row *row)
{
	struct seen *s = arg;
	struct buf last = {.p = s->last, .cap = sizeof(s->last)};

	assert_true(str_order(str_of(s->last), row->address) < 0);
	assert_int_equal(row->system, str_iends(row->address, STR("@m.example")));
	assert_int_equal(row->added_us, row->system ? 0 : 1700000000000000);
	buf_clear(&last);
	buf_add(&last, row->address);
	s->count++;
	s->system += row->system;
}

/* Returns in how many pages. */
static unsigned
walk(const struct list_from *from, struct seen *s)
{
	unsigned pages = 0;
	bool more = true;

	*s = (struct seen){.last = ""};
	while (more) {
		char after[300];
		struct buf b = BUF_ON(after);
		unsigned before = s->count;
		struct err e;

		buf_add(&b, str_of(s->last));
		assert_int_equal(list_page(from, buf_str(&b), on_row, s, &more, &e), RC_OK);
		assert_true(s->count - before <= LIST_PAGE);
		assert_true(!more || s->count > before);
		pages++;
	}
	return pages;
}

/* Account n is a000@z.example or z000@a.example, user n is u000: around and between them. */
static void
fill(struct accounts *a, struct buf *passwd, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char room[32];
		struct buf b = BUF_ON(room);
		struct err e;

		buf_addf(&b,
		         i % 3 == 0   ? "u%03u@l.example"
		         : i % 3 == 1 ? "u%03u@z.example"
		                      : "a%03u@z.example",
		         i);
		assert_int_equal(accounts_add(a, buf_str(&b), 1700000000000000, &e), RC_OK);
		buf_addf(passwd, "u%03u:x:%u:1:::\n", i, 1000 + i);
	}
}

static void
test_all_once(void **unused)
{
	static char text[16384];
	char dir[] = "/tmp/sekisho-list-XXXXXX";
	struct buf passwd = BUF_ON(text);
	struct list_from from = {.domain = &domain};
	struct users *users = NULL;
	struct seen seen;
	struct err e;

	(void)unused;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(accounts_open(ACCOUNTS_FILE, &from.accounts, &e), RC_OK);
	assert_int_equal(walk(&from, &seen), 1);
	assert_int_equal(seen.count, 0);
	fill(from.accounts, &passwd, MANY);
	assert_int_equal(walk(&from, &seen), (MANY + LIST_PAGE - 1) / LIST_PAGE);
	assert_int_equal(seen.count, MANY);
	assert_int_equal(users_read(buf_str(&passwd), 1000, 59999, &users, &e), RC_OK);
	from.users = users;
	(void)walk(&from, &seen);
	assert_int_equal(seen.count, 2 * MANY);
	assert_int_equal(seen.system, MANY);
	(void)users_free(users);
	(void)accounts_close(from.accounts);
	assert_int_equal(unlink(ACCOUNTS_FILE), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
