/*
 * The walk over header fields and the writer of ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/header.h"

#define A10 "aaaaaaaaaa"
#define A70 A10 A10 A10 A10 A10 A10 A10
#define A490 A70 A70 A70 A70 A70 A70 A70

static void
assert_str(struct str s, const char *want)
{
	if (!str_eq(s, str_of(want)))
		fail_msg("'%.*s' is not '%s'", STR_FMT(s), want);
}

static void
test_walk(void **unused)
{
	/* clang-format off */
	static const struct {
		const char *name;
		const char *value;
	} want[] = {
		{"From", " a@b"},
		{"Subject", " one\n\ttwo\n three"},
		{"X-Empty", ""},
		{"Old", "style"},
		{"X", " \n "},
	};
	/* clang-format on */
	struct str in =
		STR("From: a@b\nSubject: one\n\ttwo\n three\nX-Empty:\nOld \t:style\nX: \n "
	            "\n\nbody: text\n");
	struct header_field f;

	(void)unused;
	for (size_t i = 0; i < LENGTH(want); i++) {
		assert_true(header_next(&in, &f));
		assert_str(f.name, want[i].name);
		assert_str(f.value, want[i].value);
	}
	assert_false(header_next(&in, &f));
	assert_str(in, "\nbody: text\n");
}

static void
test_walk_reads_crlf(void **unused)
{
	struct str in = STR("A: b\r\n c\r\nD: e\r\n\r\nf: g\r\n");
	struct header_field f;

	(void)unused;
	assert_true(header_next(&in, &f));
	assert_str(f.value, " b\r\n c");
	assert_str(f.all, "A: b\r\n c\r\n");
	assert_true(header_next(&in, &f));
	assert_str(f.value, " e");
	assert_false(header_next(&in, &f));
	assert_str(in, "\r\nf: g\r\n");
}

static void
test_walk_ends_where_no_field_is(void **unused)
{
	static const struct str ends[] = {STR_INIT(""),
	                                  STR_INIT("\n"),
	                                  STR_INIT("\r\n"),
	                                  STR_INIT("no field\n"),
	                                  STR_INIT(": none\n"),
	                                  STR_INIT(" From: a\n"),
	                                  STR_INIT("From"),
	                                  STR_INIT("From \t"),
	                                  STR_INIT("F\u00fc: a\n"),
	                                  STR_INIT("From a@b Mon Nov 23\n"),
	                                  STR_INIT("A\nB: c\n"),
	                                  STR_INIT("A\0: b\n"),
	                                  STR_INIT("A\x7f: b\n")};

	(void)unused;
	for (size_t i = 0; i < LENGTH(ends); i++) {
		struct str in = ends[i];
		struct header_field f;

		assert_false(header_next(&in, &f));
		assert_true(str_eq(in, ends[i]));
	}
}

static void
test_walk_of_a_block_that_was_cut(void **unused)
{
	struct str in = STR("A: b\nC: d\n e");
	struct header_field f;

	(void)unused;
	assert_true(header_next(&in, &f));
	assert_true(header_next(&in, &f));
	assert_str(f.value, " d\n e");
	assert_false(header_next(&in, &f));
	assert_int_equal(in.n, 0);
}

static void
test_hops(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str head;
		unsigned received;
		bool delivered;
	} rows[] = {
		{STR_INIT(""), 0, false},
		{STR_INIT( "Received: x\nreceived : y\nSubject: Received: z\n\nReceived: body\n"), 2, false},
		{STR_INIT("Received: x\n by y\nReceived: cut"), 2, false},
		{STR_INIT("X-Received: x\nReceived-SPF: x\n"), 0, false},
		{STR_INIT("Delivered-To: bob@l.example\n"), 0, true},
		{STR_INIT("delivered-to:Bob@L.Example  \nReceived: x\n"), 1, true},
		{STR_INIT("Delivered-To: x@l.example\nDelivered-To:\n bob@l.example\n"), 0,
		 true},
		{STR_INIT("Delivered-To: bob@l.example\nDelivered-To: x@l.example\n"), 0, true},
		{STR_INIT("Delivered-To: bob@l.exampl\n"), 0, false},
		{STR_INIT("Delivered-To: bob@l.example.evil\n"), 0, false},
		{STR_INIT("Delivered-To: xbob@l.example\n"), 0, false},
		{STR_INIT("Delivered-To:\n"), 0, false},
		{STR_INIT("Delivered: bob@l.example\n\nDelivered-To: bob@l.example\n"), 0,
		 false},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct header_hops h = header_count_hops(rows[i].head, STR("bob@l.example"));

		if (h.received != rows[i].received || h.delivered != rows[i].delivered)
			fail_msg("row %zu: %u, %d", i, h.received, h.delivered);
		assert_false(header_count_hops(rows[i].head, STR("")).delivered);
	}
}

/* A quoted local part may be folded within. */
static void
test_hops_sees_a_folded_mailbox(void **unused)
{
	struct str mailbox = STR("\"a b\"@l.example");

	(void)unused;
	assert_true(header_count_hops(STR("Delivered-To: \"a\n b\"@l.example\n"), mailbox)
	                    .delivered);
	assert_true(
		header_count_hops(STR("Delivered-To:\r\n \"a\r\n b\"@l.example\r\n"), mailbox)
			.delivered);
	assert_false(header_count_hops(STR("Delivered-To: \"a\nb\"@l.example\n"), mailbox)
	                     .delivered);
}

static void
test_field_of_ours(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str value;
		const char *line; /* NULL: refused */
	} rows[] = {
		{STR_INIT("<>"), "X-Test: <>\n"},
		{STR_INIT(""), "X-Test: \n"},
		{STR_INIT(A70), "X-Test: " A70 "\n"}, /* 78 columns */
		{STR_INIT(A10 " " A70), "X-Test: " A10 "\n " A70 "\n"},
		{STR_INIT(A70 " b"), "X-Test: " A70 "\n b\n"},
		{STR_INIT(A70 A70 " b c"), "X-Test: " A70 A70 "\n b c\n"},
		{STR_INIT("b  " A70 " "), "X-Test: b\n  " A70 " \n"},
		/* no line of blanks only */
		{STR_INIT(" " A70 A10), "X-Test:  " A70 A10 "\n"},
		{STR_INIT(A490 A490 A10), "X-Test: " A490 A490 A10 "\n"}, /* 998 octets */
		{STR_INIT(A490 A490 A10 "a"), NULL},
		{STR_INIT("b " A490 A490 A10 "aaaaaaa"),
		 "X-Test: b\n " A490 A490 A10 "aaaaaaa\n"},
		{STR_INIT("b " A490 A490 A10 "aaaaaaaa"), NULL},
		{STR_INIT("J\u00fcrgen"), "X-Test: J\u00fcrgen\n"},
		{STR_INIT("a\nBcc: x"), NULL},
		{STR_INIT("a\rBcc: x"), NULL},
		{STR_INIT("a\r\n b"), NULL},
		{STR_INIT("a\0b"), NULL},
		{STR_INIT("a\tb"), NULL},
		{STR_INIT("a\x7f"), NULL},
		{STR_INIT("\n"), NULL},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[2048];
		struct buf b = BUF_ON(room);
		bool good = header_add_field(&b, "X-Test", rows[i].value);

		if (good != (rows[i].line != NULL))
			fail_msg("row %zu", i);
		assert_string_equal(room, good ? rows[i].line : "");
		assert_false(b.cut);
	}
}

static void
test_field_that_does_not_fit_is_left_out_whole(void **unused)
{
	char room[24];
	struct buf b = BUF_ON(room);

	(void)unused;
	assert_true(header_add_field(&b, "A", STR("first")));
	assert_false(header_add_field(&b, "B", STR("a second one")));
	assert_true(b.cut);
	assert_string_equal(room, "A: first\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_walk_reads_crlf),
		cmocka_unit_test(test_walk_ends_where_no_field_is),
		cmocka_unit_test(test_walk_of_a_block_that_was_cut),
		cmocka_unit_test(test_hops),
		cmocka_unit_test(test_hops_sees_a_folded_mailbox),
		cmocka_unit_test(test_field_of_ours),
		cmocka_unit_test(test_field_that_does_not_fit_is_left_out_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
