/*
 * Logical lines: what continues one, what is nothing, where it is cut.
 */
#include "base/test.h"
#include "proto/lines.h"

static char room[LINES_ROOM];

static void
assert_line(struct lines *l, unsigned number, const char *text)
{
	struct line line;

	assert_true(lines_next(l, &line));
	assert_int_equal(line.number, number);
	assert_str(line.text, str_of(text));
	assert_false(line.cut);
}

static void
test_continuations(void **unused)
{
	struct lines l = lines_of(STR("# one\n\n  two  \r\n\tmore\nfour\n\n# no\n   \n five\n"
	                              "six # stays\n #gone"),
	                          room);
	struct line line;

	(void)unused;
	assert_line(&l, 3, "  two\tmore");
	assert_line(&l, 5, "four five");
	assert_line(&l, 10, "six # stays");
	assert_false(lines_next(&l, &line));
	assert_false(lines_next(&l, &line));
}

/* Octets of a C string end at no NUL, and the last line needs no end. */
static void
test_any_octets(void **unused)
{
	static const char text[] = "a\0b\n c";
	struct lines l = lines_of((struct str){text, sizeof(text) - 1}, room);
	struct line line;

	(void)unused;
	assert_true(lines_next(&l, &line));
	assert_str(line.text, ((struct str){"a\0b c", 5}));
}

/* A piece that does not fit is left out whole, and told; the next line is whole again. */
static void
test_room_for_one_less(void **unused)
{
	static char text[2 * LINES_ROOM];

	(void)unused;
	for (unsigned over = 0; over < 2; over++) {
		struct buf b = BUF_ON(text);
		struct line line;

		while (b.n < LINES_ROOM - 1 + over)
			buf_addc(&b, 'x');
		buf_add(&b, STR("\nnext\n"));
		struct lines l = lines_of(buf_str(&b), room);
		assert_true(lines_next(&l, &line));
		assert_int_equal(line.cut, over);
		assert_int_equal(line.text.n, over ? 0 : LINES_ROOM - 1);
		assert_line(&l, 2, "next");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_continuations),
		cmocka_unit_test(test_any_octets),
		cmocka_unit_test(test_room_for_one_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
