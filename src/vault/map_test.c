/*
 * One table in memory: what is found, what is told and with which line, what bounds it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/test.h"
#include "vault/map.h"

static struct cfg_domain domains[] = {
	{.name = STR_INIT("a.example"), .mailboxes = MAILBOXES_SYSTEM},
	{.name = STR_INIT("b.example")                            },
};
static const struct cfg cfg = {.hostname = STR_INIT("a.example"),
                               .domains = domains,
                               .domain_count = LENGTH(domains),
                               .system = 1};

/* What was told: "LINE!" for bad lines, "LINE?" for the others. */
static void
on_report(void *arg, unsigned line, bool bad, const char *text)
{
	assert_true(strlen(text) > 10);
	buf_addf(arg, "%u%c", line, bad ? '!' : '?');
}

static struct map *
read_map(enum cfg_map kind, const char *text, const char *told)
{
	char room[256];
	struct buf b = BUF_ON(room);
	struct map *m = NULL;
	unsigned bad = 0;
	struct err e;

	assert_int_equal(map_read(&cfg, kind, str_of(text), on_report, &b, &m, &bad, &e),
	                 RC_OK);
	assert_string_equal(room, told);
	return m;
}

static void
test_aliases(void **unused)
{
	(void)unused;
	struct map *m = read_map(MAP_ALIASES,
	                         "Root: bob, Carol@B.example\n"
	                         "null: /dev/null\n"
	                         "cmd: |x, bob, /f, :include:/f\n"
	                         "far: bob, x@elsewhere.example\n"
	                         "all: @b.example\n"
	                         "root: nobody\n"
	                         "broken\n"
	                         "half: bob, a..b\n",
	                         "3?3?3?4?5?6?7!8!");
	const struct map_row *row = map_find(m, STR("root"), STR(""));

	assert_int_equal(map_count(m), 6);
	assert_int_equal(row->line, 1);
	assert_int_equal(row->to_count, 2);
	assert_str(row->to[0].local, STR("bob"));
	assert_str(row->to[0].domain, STR(""));
	assert_str(row->to[1].local, STR("Carol"));
	assert_str(row->to[1].domain, STR("b.example"));
	assert_int_equal(map_find(m, STR("null"), STR(""))->to[0].kind, TARGET_NOTHING);
	assert_int_equal(map_find(m, STR("cmd"), STR(""))->to_count, 4);
	assert_int_equal(map_find(m, STR("all"), STR(""))->to_count, 0);
	assert_int_equal(map_find(m, STR("half"), STR(""))->to_count, 1);
	assert_null(map_find(m, STR("broken"), STR("")));
	assert_null(map_find(m, STR("roo"), STR("")));
	assert_null(map_find(m, STR("root"), STR("a.example")));
	(void)map_free(m);
}

/* A user, an address and a whole domain are three keys, whatever characters they have. */
static void
test_virtual(void **unused)
{
	(void)unused;
	struct map *m = read_map(MAP_VIRTUAL,
	                         "x@a.example one\n"
	                         "x two\n"
	                         "@a.example three\n"
	                         "\"x@a.example\" four\n"
	                         "b.example anything\n"
	                         "x@elsewhere.example five\n"
	                         "@b.example @a.example\n",
	                         "6?");

	assert_int_equal(map_count(m), 5);
	assert_str(map_find(m, STR("x"), STR("a.example"))->to[0].local, STR("one"));
	assert_str(map_find(m, STR("x"), STR(""))->to[0].local, STR("two"));
	assert_str(map_find(m, STR(""), STR("a.example"))->to[0].local, STR("three"));
	assert_str(map_find(m, STR("x@a.example"), STR(""))->to[0].local, STR("four"));
	assert_int_equal(map_find(m, STR(""), STR("b.example"))->to[0].kind, TARGET_DOMAIN);
	(void)map_free(m);
}

/* Every one of many is found again, and nobody else. */
static void
test_many_rows(void **unused)
{
	static const unsigned many = 20000;
	size_t cap = (size_t)many * 32;
	char *text = malloc(cap);
	struct buf b = {.p = text, .cap = cap};

	(void)unused;
	buf_clear(&b);
	for (unsigned i = 0; i < many; i++)
		buf_addf(&b, "name%u: to%u\n", i, i);
	assert_false(b.cut);
	struct map *m = read_map(MAP_ALIASES, text, "");
	assert_int_equal(map_count(m), many);
	for (unsigned i = 0; i < many; i++) {
		char room[2][32];
		struct buf name = BUF_ON(room[0]);
		struct buf to = BUF_ON(room[1]);

		buf_addf(&name, "name%u", i);
		buf_addf(&to, "to%u", i);
		const struct map_row *row = map_find(m, buf_str(&name), STR(""));
		assert_non_null(row);
		assert_str(row->to[0].local, buf_str(&to));
	}
	assert_null(map_find(m, STR("name20000"), STR("")));
	(void)map_free(m);
	free(text);
}

/* One row leads to so many and no more. */
static void
test_many_targets(void **unused)
{
	static char text[16384];
	struct buf b = BUF_ON(text);

	(void)unused;
	buf_add(&b, STR("all: "));
	for (unsigned i = 0; i < MAP_TARGETS_MAX + 1; i++)
		buf_addf(&b, "t%u,\n ", i);
	struct map *m = read_map(MAP_ALIASES, text, "1!");
	assert_int_equal(map_find(m, STR("all"), STR(""))->to_count, MAP_TARGETS_MAX);
	(void)map_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_many_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
