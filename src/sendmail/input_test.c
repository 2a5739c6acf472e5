/*
 * Standard input: line ends, dots and where the header stops, whatever the pieces it comes in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/test.h"
#include "sendmail/input.h"

/* clang-format off */
static const struct {
	const char *in;
	const char *head;
	const char *body;     /* a dot ends it */
	const char *body_dot; /* it does not; NULL: the same */
} rows[] = {
	{"", "", "", NULL},
	{"A: b\n\nc\n", "A: b\n", "c\n", NULL},
	{"A: b\r\n\r\nc\r\n", "A: b\n", "c\n", NULL},
	{"A: b\n c\n\td\n\ne", "A: b\n c\n\td\n", "e\n", NULL},
	{"A: b", "A: b\n", "", NULL},
	{"A: b\nno field\n", "A: b\n", "no field\n", NULL},
	{"text\nA: b\n", "", "text\nA: b\n", NULL},
	{" A: b\n", "", " A: b\n", NULL},
	{"\nA: b\n", "", "A: b\n", NULL},
	{"From x Sat\nA: b\n\nFrom y\n", "A: b\n", "From y\n", NULL},
	{">From x Sat\nFrom z\nA: b\n\n", "A: b\n", "", NULL},
	{"A: b\n\na\n.\nc\n", "A: b\n", "a\n", "a\n.\nc\n"},
	{"A: b\n\na\r\n.\r\nc\r\n", "A: b\n", "a\n", "a\n.\nc\n"},
	{"A: b\n\n.", "A: b\n", "", ".\n"},
	{"A: b\n\n.\r", "A: b\n", "", ".\n"},
	{"A: b\n.\n\nc", "A: b\n", "", ".\n\nc\n"},
	{"A: b\n\n..\n.a\n", "A: b\n", "..\n.a\n", NULL},
	{"A: b\n\na\rb\r\r\n\r", "A: b\n", "a\rb\r\n\n", NULL},
};
/* clang-format on */

/* Through a pair of sockets, in two pieces. */
static void
feed(const char *text, size_t cut, bool dot, struct input *in)
{
	int ends[2];
	struct err e;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	if (cut > 0)
		assert_int_equal(write(ends[1], text, cut), cut);
	if (strlen(text) > cut)
		assert_int_equal(write(ends[1], text + cut, strlen(text) - cut),
		                 strlen(text) - cut);
	(void)close(ends[1]);
	assert_int_equal(input_read(in, ends[0], dot, &e), RC_OK);
	(void)close(ends[0]);
}

static void
assert_body(struct input *in, const char *want)
{
	struct str piece;
	struct err e;

	assert_int_equal(in->body, strlen(want));
	assert_int_equal(input_next(in, &piece, &e), RC_OK);
	assert_str(piece, str_of(want));
	if (piece.n > 0)
		assert_int_equal(input_next(in, &piece, &e), RC_OK);
	assert_int_equal(piece.n, 0);
}

static void
test_every_cut_gives_the_same(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (size_t cut = 0; cut <= strlen(rows[i].in); cut++)
			for (int dot = 0; dot < 2; dot++) {
				struct input in;
				bool other = dot == 0 && rows[i].body_dot != NULL;

				feed(rows[i].in, cut, dot != 0, &in);
				assert_str(buf_str(&in.head), str_of(rows[i].head));
				assert_body(&in, other ? rows[i].body_dot : rows[i].body);
				input_free(&in);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
