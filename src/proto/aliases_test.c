/*
 * Alias files as aliases(5) has them, logical lines and lists of targets among it.
 */
#include <string.h>

#include "base/test.h"
#include "proto/aliases.h"

/* Each row as "LINE name>target target;", a target with a letter for its kind in front. */
static void
print_rows(struct str text, struct buf *b)
{
	static char room[LINES_ROOM];
	static const char kinds[] = {
		[TARGET_ADDRESS] = 'a', [TARGET_DOMAIN] = '@', [TARGET_NOTHING] = '0',
		[TARGET_COMMAND] = '|', [TARGET_FILE] = '/',   [TARGET_INCLUDE] = 'i',
		[TARGET_BAD] = '?'};
	struct lines l = lines_of(text, room);
	struct aliases_row row;
	struct target t;

	while (aliases_next(&l, &row)) {
		if (row.problem != NULL) {
			buf_addf(b, "%u!;", row.line);
			continue;
		}
		buf_addf(b, "%u %s>", row.line, row.name);
		while (targets_next(&row.targets, &t)) {
			buf_addf(b, "%c", kinds[t.kind]);
			if (t.kind == TARGET_ADDRESS || t.kind == TARGET_DOMAIN)
				buf_addf(b, "%s~%s", t.address.local, t.address.domain.name);
			buf_addc(b, ' ');
		}
		b->n--;
		buf_addc(b, ';');
	}
}

static void
assert_rows(const char *text, const char *want)
{
	char room[1024];
	struct buf b = BUF_ON(room);

	print_rows(str_of(text), &b);
	assert_string_equal(room, want);
}

/* What Postfix 3.7's postalias makes of the same texts, but for what is told as a problem. */
static void
test_rows(void **unused)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{"",				    ""			      },
		{"\n# nothing\n   \n",                  ""                              },
		{"root: bob",                           "1 root>abob~;"                 },
		{"root:bob\r\n",                        "1 root>abob~;"                 },
		{"Root : Bob\n",                        "1 root>aBob~;"                 },
		{"root: bob, carol@B.example\n",        "1 root>abob~ acarol~b.example;"},
		{"a: b c\n",                            "1 a>ab~ ac~;"                  },
		{"a: b,, c,\n",                         "1 a>ab~ ac~;"                  },
 /* a comment or an empty line ends no row, and one may stand before its rest */
		{"a: b,\n c\n",                         "1 a>ab~ ac~;"                  },
		{"a: b\n# no\n\n\tc\nd: e\n",           "1 a>ab~ ac~;5 d>ae~;"          },
		{"#x\n\na: b\n",                        "3 a>ab~;"                      },
		{"\"a b\": \"c d\"@e.example\n",        "1 a b>ac d~e.example;"         },
		{"\"a:b\": c\n",                        "1 a:b>ac~;"                    },
		{"\"a\": \"b\"\n",                      "1 a>ab~;"                      },
		{"a: Bob B. <bob@b.example>, c\n",      "1 a>abob~b.example ac~;"       },
		{"a: \"B, B\" <bob>, c\n",              "1 a>abob~ ac~;"                },
		{"a: b (the (first), one), c(x)\n",     "1 a>ab~ ac~;"                  },
		{"a: \\a, b\n",                         "1 a>aa~ ab~;"                  },
		{"a: \"|/bin/x a, b\", c\n",            "1 a>| ac~;"                    },
		{"a: |/bin/x -y z, c\n",                "1 a>| ac~;"                    },
		{"a: \"| x\", /var/x, \"/v x\"\n",      "1 a>| / /;"                    },
		{"a: :include:/x, \":Include:/y z\"\n", "1 a>i i;"                      },
		{"a: /dev/null\nb: \"/dev/null\", c\n", "1 a>0;2 b>0 ac~;"              },
		{"a: @b.example\n",                     "1 a>@~b.example;"              },
		{"\"M\xc3\xbcller\": m\n",              "1 m\xc3\xbcller>am~;"          },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_rows(rows[i].text, rows[i].want);
}

/* What is no alias is told with its line, and nothing else suffers from it. */
static void
test_problems(void **unused)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{"no colon\na: b\n",        "1!;2 a>ab~;"},
		{"\na:\nb: c\n",            "2!;3 b>ac~;"},
		{"a: (c)\n",                "1!;"        },
		{"a: ,\n",                  "1!;"        },
		{": b\n",                   "1!;"        },
		{"a b: c\n",                "1!;"        },
		{"a@b.example: c\n",        "1!;"        },
		{"\"a: b\n",                "1!;"        },
		{"  a: b\nc: d\n",          "1!;2 c>ad~;"},
		{"a: b..c, d\n",            "1 a>? ad~;" },
		{"a: <b, d\n",              "1 a>? ad~;" },
		{"a: b@c.example <d>, e\n", "1 a>? ae~;" },
		{"a: <b> c\n",              "1 a>?;"     },
		{"a: b@[1.2], \"c\n",       "1 a>? ?;"   },
		{"a: x:y\n",                "1 a>?;"     },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_rows(rows[i].text, rows[i].want);
}

/* A line that no room has is told, and what stands behind it is read. */
static void
test_a_line_too_long(void **unused)
{
	static char text[3 * LINES_ROOM];
	struct buf b = BUF_ON(text);
	char room[64];
	struct buf got = BUF_ON(room);

	(void)unused;
	buf_add(&b, STR("a: b"));
	while (b.n < 2 * LINES_ROOM)
		buf_add(&b, STR(",\n bob.bob"));
	buf_add(&b, STR("\nc: d\n"));
	print_rows(buf_str(&b), &got);
	assert_non_null(strstr(room, "1!;"));
	assert_non_null(strstr(room, " c>ad~;"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_a_line_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
