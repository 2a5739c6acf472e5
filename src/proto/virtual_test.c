/*
 * Virtual tables as virtual(5) has them; lists of targets are tested with aliases.
 */
#include "base/test.h"
#include "proto/virtual.h"

static void
print_rows(struct str text, struct buf *b)
{
	static char room[LINES_ROOM];
	struct lines l = lines_of(text, room);
	struct virtual_row row;
	struct target t;

	while (virtual_next(&l, &row)) {
		if (row.problem != NULL) {
			buf_addf(b, "%u!;", row.line);
			continue;
		}
		buf_addf(b, "%u %c %s~%s>", row.line, "auc"[row.kind], row.of.local,
		         row.of.domain.name);
		while (targets_next(&row.targets, &t))
			buf_addf(b, "%s~%s ", t.address.local, t.address.domain.name);
		b->n--;
		buf_addc(b, ';');
	}
}

static void
test_rows(void **unused)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{"",			      ""			       },
		{"A@B.example c\n",               "1 a a~b.example>c~;"            },
		{"a@b.example\tc, d@e.example\n", "1 a a~b.example>c~ d~e.example;"},
		{"a@b.example c\n  d\n",          "1 a a~b.example>c~ d~;"         },
		{"User c\n",                      "1 u user~>c~;"                  },
		{"john.doe john\n",               "1 u john.doe~>john~;"           },
		{"b.example anything\n",          "1 u b.example~>anything~;"      },
		{"@b.example c\n",                "1 c ~b.example>c~;"             },
		{"@B.example @C.example\n",       "1 c ~b.example>~c.example;"     },
		{"\"a b\"@c.example d\n",         "1 a a b~c.example>d~;"          },
		{"a+x@b.example c\n",             "1 a a+x~b.example>c~;"          },
		{"@b\xc3\xbc.example c\n",        "1 c ~xn--b-eha.example>c~;"     },
		{"# x\n\na@b.example c # d\n",    "3 a a~b.example>c~ #~ d~;"      },
		{"a@b.example\n@c.example d\n",   "1!;2 c ~c.example>d~;"          },
		{" a@b.example c\n",              "1!;"                            },
		{"/^a/ b\n",                      "1!;"                            },
		{"@b..example c\n",               "1!;"                            },
		{"a@b@c.example d\n",             "1!;"                            },
		{"a: b\n",                        "1!;"                            },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[256];
		struct buf b = BUF_ON(room);

		print_rows(str_of(rows[i].text), &b);
		assert_string_equal(room, rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
