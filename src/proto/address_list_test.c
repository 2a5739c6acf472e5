/*
 * Address lists: what is found in the fields that mail really has, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proto/address_list.h"

/* All addresses, each behind a blank; `~` before a bare one, `!` where reading stopped. */
static void
list_all(struct str in, struct buf *b)
{
	struct address_list l = {.in = in};
	struct address_list_item item;
	enum address_list_got got;

	while ((got = address_list_next(&l, &item)) == ADDRESS_LIST_ONE)
		buf_addf(b, " %s%s", item.bare ? "~" : "", item.text);
	if (got == ADDRESS_LIST_BAD)
		buf_add(b, STR(" !"));
}

static const struct {
	const char *in;
	const char *want;
} lists[] = {
	{"",			    ""		     },
	{"a@x.example",                 " a@x.example"         },
	{"root",			" ~root"               },
	{" a@x, b@y ,\n c@z",           " a@x b@y c@z"         },
	{", a@x,, b@y,",                " a@x b@y"             },
	{"Al <a@x>, \"B, b\" <b@y>",    " a@x b@y"             },
	{"root (Cron Daemon)",          " ~root"               },
	{"a@x (one (two) \\) three)",   " a@x"                 },
	{"(c) a (d) @ (e) x . y (f)",   " a@x.y"               },
	{"John Q. Public <john@x>",     " john@x"              },
	{"=?utf-8?q?J=C3=B6rg?= <j@x>", " j@x"                 },
	{"J\xc3\xb6rg <j\xc3\xb6@x>",   " j\xc3\xb6@x"         },
	{"undisclosed-recipients:;",    ""                     },
	{"Team: a@x, b <b@y>;, c@z",    " a@x b@y c@z"         },
	{"A:;, B: b@y; ",               " b@y"                 },
	{"\"john doe\"@x",              " \"john doe\"@x"      },
	{"\"a\\\"b\"@x",                " \"a\\\"b\"@x"        },
	{"\"a\r\n b\"@x",               " \"a b\"@x"           },
	{"a.b.c@x",		     " a.b.c@x"             },
	{"a . b@x",		     " a.b@x"               },
	{"<a@[192.0.2.1]>",             " a@[192.0.2.1]"       },
	{"a@[IPv6:2001:db8::1]",        " a@[IPv6:2001:db8::1]"},
	{"<@r,@s:a@x>",                 " a@x"                 },
	{"<@r:a@x>",                    " a@x"                 },
	{"Al <al>",		     " ~al"                 },
	{"a@x <b@y>",                   " b@y"                 },
	{"[list] <a@x>",                " a@x"                 },
	{"x!y%z@a.example",             " x!y%z@a.example"     },
	{"-oQ/tmp@x",                   " -oQ/tmp@x"           },
 /* what is no address stops the walk, with what stood before it told */
	{"a b",			 " !"                   },
	{"a@x b@y",		     " !"                   },
	{"ok@x, Bob Smith, b@y",        " ok@x !"              },
	{"a@x; b@y",                    " !"                   },
	{"a@",			  " !"		   },
	{"@x",			  " !"		   },
	{"a..b@x",		      " !"                   },
	{".a@x",			" !"                   },
	{"a.@x",			" !"                   },
	{"a@x.",			" !"                   },
	{"a@b@c",		       " !"                   },
	{"<>",			  " !"		   },
	{"<a@x",			" !"                   },
	{"a@x>",			" !"                   },
	{"<<a@x>>",		     " !"                   },
	{"<a@x><b@y>",                  " !"                   },
	{"a@x (open",                   " !"                   },
	{"\"open",		      " !"                   },
	{"a@[open",		     " !"                   },
	{"a\\@x",		       " !"                   },
	{"a\x01@x",		     " !"                   },
	{"\"a\x7f\"@x",                 " !"                   },
	{"A: B: b@y;;",                 " !"                   },
};

static void
test_lists(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(lists); i++) {
		char room[200];
		struct buf b = BUF_ON(room);

		list_all(str_of(lists[i].in), &b);
		if (strcmp(room, lists[i].want) != 0)
			fail_msg("%s: expected \"%s\", got \"%s\"", lists[i].in, lists[i].want,
			         room);
	}
}

static void
test_a_nul_is_no_part_of_an_address(void **unused)
{
	(void)unused;
	char room[100];
	struct buf b = BUF_ON(room);

	list_all(STR("a@x, b\0@y"), &b);
	assert_string_equal(room, " a@x !");
}

/* Behind the word a program may write a domain. */
static void
test_where_a_bare_name_stands_is_told(void **unused)
{
	(void)unused;
	struct str in = STR("Al (one) <al.b (two)>, root");
	struct address_list l = {.in = in};
	struct address_list_item item;

	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_ONE);
	assert_true(item.bare && str_eq(item.word, STR("al.b")));
	assert_ptr_equal(item.word.p, in.p + 10);
	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_ONE);
	assert_true(item.bare && str_eq(item.word, STR("root")));
	assert_ptr_equal(item.word.p, in.p + in.n - 4);
}

/* Half an address is another address. */
static void
test_what_is_too_long_is_refused_whole(void **unused)
{
	(void)unused;
	static char text[ADDRESS_LIST_TEXT_MAX + 10];
	struct address_list_item item;

	memset(text, 'a', sizeof(text));
	memcpy(text + ADDRESS_LIST_TEXT_MAX - 2, "@x, b@y", 7);
	struct address_list l = {
		.in = {text, ADDRESS_LIST_TEXT_MAX + 5}
        };
	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_ONE);
	text[ADDRESS_LIST_TEXT_MAX - 2] = 'a';
	memcpy(text + ADDRESS_LIST_TEXT_MAX - 1, "@x, b@y", 7);
	l = (struct address_list){
		.in = {text, ADDRESS_LIST_TEXT_MAX + 6}
        };
	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_BAD);
	assert_ptr_equal(l.in.p, text);
}

/* Names may be longer than that. */
static void
test_a_long_phrase_is_passed_over(void **unused)
{
	(void)unused;
	static char text[3000];
	struct address_list_item item;

	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(text) - 6, " <b@y>", 6);
	struct address_list l = {
		.in = {text, sizeof(text)}
        };
	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_ONE);
	assert_string_equal(item.text, "b@y");
	text[sizeof(text) - 6] = ':';
	text[sizeof(text) - 1] = '>';
	l = (struct address_list){
		.in = {text, sizeof(text)}
        };
	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_ONE);
	assert_string_equal(item.text, "b@y");
}

/* Comments within comments need no stack. */
static void
test_deep_comments_cost_nothing(void **unused)
{
	(void)unused;
	static char text[200000];
	struct address_list_item item;

	memset(text, '(', sizeof(text) / 2);
	memset(text + sizeof(text) / 2, ')', sizeof(text) / 2);
	memcpy(text, "a@x", 3);
	memset(text + sizeof(text) - 3, ' ', 3);
	struct address_list l = {
		.in = {text, sizeof(text)}
        };
	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_ONE);
	assert_string_equal(item.text, "a@x");
	assert_int_equal(address_list_next(&l, &item), ADDRESS_LIST_END);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_a_nul_is_no_part_of_an_address),
		cmocka_unit_test(test_where_a_bare_name_stands_is_told),
		cmocka_unit_test(test_what_is_too_long_is_refused_whole),
		cmocka_unit_test(test_a_long_phrase_is_passed_over),
		cmocka_unit_test(test_deep_comments_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
