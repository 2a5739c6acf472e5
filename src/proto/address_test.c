/*
 * Mailboxes and paths. Rows marked R.. are those of the open-relay list that syntax decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/address.h"

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10

/* ---- paths of recipients, SMTPUTF8 not asked for ---- */

/* clang-format off */
static const struct path_row {
	struct str in;
	enum fault fault;
	enum path_kind kind;
	bool routed;
	const char *printed; /* NULL where refused */
} path_rows[] = {
	{STR_INIT("<a@b.example>"), FAULT_none, PATH_MAILBOX, false, "a@b.example"},
	{STR_INIT("<A.b+c@B.Example>"), FAULT_none, PATH_MAILBOX, false, "A.b+c@b.example"},
	{STR_INIT("<!#$%&'*+-/=?^_`{|}~@b>"), FAULT_none, PATH_MAILBOX, false,
	 "!#$%&'*+-/=?^_`{|}~@b"},
	{STR_INIT("<\"a.b\"@b>"), FAULT_none, PATH_MAILBOX, false, "a.b@b"},
	{STR_INIT("<\"\\a\\.\\b\"@b>"), FAULT_none, PATH_MAILBOX, false, "a.b@b"},
	{STR_INIT("<\"a b\"@b>"), FAULT_none, PATH_MAILBOX, false, "\"a b\"@b"},
	{STR_INIT("<\"a>b\"@b>"), FAULT_none, PATH_MAILBOX, false, "\"a>b\"@b"},
	{STR_INIT("<\"a\\\"\\\\b\"@b>"), FAULT_none, PATH_MAILBOX, false, "\"a\\\"\\\\b\"@b"},
	{STR_INIT("<\"..\"@b>"), FAULT_none, PATH_MAILBOX, false, "\"..\"@b"},
	{STR_INIT("<u@[192.0.2.1]>"), FAULT_none, PATH_MAILBOX, false, "u@[192.0.2.1]"},
	{STR_INIT("<" A60 "aaaa@b>"), FAULT_none, PATH_MAILBOX, false, A60 "aaaa@b"},
	/* 64 octets */
	{STR_INIT("<" A60 "aaaaa@b>"), FAULT_local_long, 0, false, NULL},
	{STR_INIT("<\"" A60 "aaa \"@b>"), FAULT_none, PATH_MAILBOX, false, "\"" A60 "aaa \"@b"},
	{STR_INIT("<\"" A60 "aaaa \"@b>"), FAULT_local_long, 0, false, NULL},
	{STR_INIT("<" A60 "aa@" A60 "." A60 "." A60 ".abcdefgh>"), FAULT_none, PATH_MAILBOX,
	 false, A60 "aa@" A60 "." A60 "." A60 ".abcdefgh"}, /* 256 octets with the brackets */
	{STR_INIT("<" A60 "aaa@" A60 "." A60 "." A60 ".abcdefgh>"), FAULT_path_long, 0, false,
	 NULL},

	/* R8, R12-R14, R21: no domain, whatever looks like one */
	{STR_INIT("<spam>"), FAULT_no_domain, 0, false, NULL},
	{STR_INIT("<u%r.example>"), FAULT_no_domain, 0, false, NULL},
	{STR_INIT("<\"u@r.example\">"), FAULT_no_domain, 0, false, NULL},
	{STR_INIT("<\"u%r.example\">"), FAULT_no_domain, 0, false, NULL},
	{STR_INIT("<r.example!u>"), FAULT_no_domain, 0, false, NULL},
	/* R9-R11, R16, R18, R22, R23: the local part is text; the domain alone says where */
	{STR_INIT("<u%r.example@l.example>"), FAULT_none, PATH_MAILBOX, false,
	 "u%r.example@l.example"},
	{STR_INIT("<u%r@[192.0.2.1]>"), FAULT_none, PATH_MAILBOX, false, "u%r@[192.0.2.1]"},
	{STR_INIT("<\"u@r\"@l.example>"), FAULT_none, PATH_MAILBOX, false, "\"u@r\"@l.example"},
	{STR_INIT("<r.example!u@l.example>"), FAULT_none, PATH_MAILBOX, false,
	 "r.example!u@l.example"},
	/* R15, R17, R26: more than one @ */
	{STR_INIT("<u@r@[192.0.2.1]>"), FAULT_domain_at, 0, false, NULL},
	{STR_INIT("<u@r@h.example>"), FAULT_domain_at, 0, false, NULL},
	{STR_INIT("<u@l@r>"), FAULT_domain_at, 0, false, NULL},
	{STR_INIT("<u@r%l>"), FAULT_label_char, 0, false, NULL},
	/* R19, R20: the route goes, the mark stays, the mailbox is what relaying is decided on
  */
	{STR_INIT("<@[192.0.2.1]:u@r>"), FAULT_none, PATH_MAILBOX, true, "u@r"},
	{STR_INIT("<@[IPv6:2001:db8::1]:u@r>"), FAULT_none, PATH_MAILBOX, true, "u@r"},
	{STR_INIT("<@h:u@r>"), FAULT_none, PATH_MAILBOX, true, "u@r"},
	{STR_INIT("<@l.example,@h:\"u:x\"@r>"), FAULT_none, PATH_MAILBOX, true, "\"u:x\"@r"},
	{STR_INIT("<@h:@g:u@r>"), FAULT_local_empty, 0, false, NULL},
	{STR_INIT("<@h,:u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@h,g:u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@h u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@:u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@[192.0.2.1]x:u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@[192.0.2.1:u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@h.:u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@h:>"), FAULT_no_domain, 0, false, NULL},
	{STR_INIT("<@h:postmaster>"), FAULT_no_domain, 0, false, NULL},
	{STR_INIT("<@\u00fc:u@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@" A60 ",@" A60 ",@" A60 ",@" A60 ":uu@rrr>"), FAULT_none, PATH_MAILBOX,
	 true, "uu@rrr"},
	{STR_INIT("<@" A60 ",@" A60 ",@" A60 ",@" A60 ":uuu@rrr>"), FAULT_path_long, 0, false,
	 NULL},
	/* R24: a trailing dot; a name in capitals is the name */
	{STR_INIT("<u@r.>"), FAULT_domain_dot, 0, false, NULL},
	{STR_INIT("<u@r.UPPER>"), FAULT_none, PATH_MAILBOX, false, "u@r.upper"},
	/* R27: two addresses in one */
	{STR_INIT("<u@l,u@r>"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<u@l;u@r>"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<u@l u@r>"), FAULT_label_char, 0, false, NULL},
	/* R29 */
	{STR_INIT("u@r"), FAULT_no_bracket, 0, false, NULL},
	{STR_INIT("u@r>"), FAULT_no_bracket, 0, false, NULL},
	{STR_INIT("<u@r"), FAULT_no_bracket, 0, false, NULL},
	{STR_INIT(" <u@r>"), FAULT_no_bracket, 0, false, NULL},
	{STR_INIT(""), FAULT_no_bracket, 0, false, NULL},
	{STR_INIT("<\"u@r>"), FAULT_no_bracket, 0, false, NULL},
	{STR_INIT("<\"u\\>"), FAULT_no_bracket, 0, false, NULL},
	{STR_INIT("<\"u\\"), FAULT_no_bracket, 0, false, NULL},
	/* R30 */
	{STR_INIT("<u@l\0@r>"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<u@l\r@r>"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<u@l\t@r>"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<u\0@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<u\r@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<u\x7f@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<\"u\0x\"@l>"), FAULT_quote_char, 0, false, NULL},
	{STR_INIT("<\"u\\\r\nx\"@l>"), FAULT_quote_char, 0, false, NULL},
	{STR_INIT("<\"u\tx\"@l>"), FAULT_quote_char, 0, false, NULL},
	{STR_INIT("<\"\\\u00fc\"@l>"), FAULT_quote_char, 0, false, NULL},
	{STR_INIT("<u\xfc@l>"), FAULT_not_ascii, 0, false, NULL},
	{STR_INIT("<u\u00fc@l>"), FAULT_not_ascii, 0, false, NULL},
	{STR_INIT("<u@\u00fc>"), FAULT_not_ascii, 0, false, NULL},
	/* R32 */
	{STR_INIT("<u@>"), FAULT_domain_empty, 0, false, NULL},
	{STR_INIT("<@r>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<@>"), FAULT_route, 0, false, NULL},
	{STR_INIT("<>"), FAULT_null, 0, false, NULL},
	{STR_INIT("<postmaster>"), FAULT_none, PATH_POSTMASTER, false, "postmaster"},
	{STR_INIT("<PostMaster>"), FAULT_none, PATH_POSTMASTER, false, "PostMaster"},
	{STR_INIT("<\"postmaster\">"), FAULT_no_domain, 0, false, NULL},
	{STR_INIT("<Postmaster@l>"), FAULT_none, PATH_MAILBOX, false, "Postmaster@l"},
	/* R33: rewriting schemes are text */
	{STR_INIT("<SRS0=hhh=tt=r=u@l>"), FAULT_none, PATH_MAILBOX, false, "SRS0=hhh=tt=r=u@l"},
	{STR_INIT("<prvs=123=u@l>"), FAULT_none, PATH_MAILBOX, false, "prvs=123=u@l"},

	/* ARG-01: no program is ever handed an address that looks like an option */
	{STR_INIT("<-oQx@l>"), FAULT_local_hyphen, 0, false, NULL},
	{STR_INIT("<\"-x\"@l>"), FAULT_local_hyphen, 0, false, NULL},
	{STR_INIT("<\"\\-x\"@l>"), FAULT_local_hyphen, 0, false, NULL},
	{STR_INIT("<--@l>"), FAULT_local_hyphen, 0, false, NULL},
	/* EXEC-01, SPF-03 */
	{STR_INIT("<;cmd;>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<;cmd;@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<(x@l.example>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<x@l.example(.attack>"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<x@l.example'@attack>"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<(c)u@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<u(c)@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<u @l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("< u@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<u@l >"), FAULT_label_char, 0, false, NULL},
	{STR_INIT("<<u@l>>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<U <u@l>>"), FAULT_local_char, 0, false, NULL},
	/* malformed */
	{STR_INIT("<a..b@l>"), FAULT_local_dots, 0, false, NULL},
	{STR_INIT("<.a@l>"), FAULT_local_dots, 0, false, NULL},
	{STR_INIT("<a.@l>"), FAULT_local_dots, 0, false, NULL},
	{STR_INIT("<.@l>"), FAULT_local_dots, 0, false, NULL},
	{STR_INIT("<\"\"@l>"), FAULT_local_empty, 0, false, NULL},
	{STR_INIT("<\"a\"b@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<\"a\".b@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<a\"b\"@l>"), FAULT_local_char, 0, false, NULL},
	{STR_INIT("<u@192.0.2.1>"), FAULT_domain_number, 0, false, NULL},
	{STR_INIT("<u@-l.example>"), FAULT_label_hyphen, 0, false, NULL},
	{STR_INIT("<u@[192.0.2]>"), FAULT_literal, 0, false, NULL},
};
/* clang-format on */

static void
test_path_of_recipient(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(path_rows); i++) {
		const struct path_row *row = &path_rows[i];
		struct str in = row->in;
		struct path p = {.kind = PATH_NULL};
		char room[MAILBOX_MAX + 1];
		struct buf b = BUF_ON(room);
		enum fault f = path_parse(&in, PATH_OF_RECIPIENT, false, &p);

		if (f != row->fault)
			fail_msg("row %zu (%.*s): %s", i, STR_FMT(row->in), fault_text(f));
		assert_int_equal(in.n, f == FAULT_none ? 0 : row->in.n);
		if (f != FAULT_none)
			continue;
		assert_int_equal(p.kind, row->kind);
		assert_int_equal(p.routed, row->routed);
		address_print(&b, &p.address);
		assert_string_equal(room, row->printed);
	}
}

/* Without brackets: the configuration's and the operator's addresses. */
static void
test_bare_address(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str in;
		enum fault fault;
	} rows[] = {
		{STR_INIT("bob@l.example"), FAULT_none},
		{STR_INIT("\"a b\"@l.example"), FAULT_none},
		{STR_INIT(""), FAULT_no_domain},
		{STR_INIT("bob"), FAULT_no_domain},
		{STR_INIT("@l.example"), FAULT_local_empty},
		{STR_INIT("<bob@l.example>"), FAULT_local_char},
		{STR_INIT("bob@l.example "), FAULT_label_char},
		{STR_INIT("\""), FAULT_quote_open},
		{STR_INIT("\"bob@l.example"), FAULT_quote_open},
		{STR_INIT("\"bob\\"), FAULT_quote_char},
		{STR_INIT("\"bob\\\""), FAULT_quote_open},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct address a;
		enum fault f = address_parse(rows[i].in, false, &a);

		if (f != rows[i].fault)
			fail_msg("row %zu: %s", i, fault_text(f));
	}
}

static void
test_path_leaves_what_stands_behind_it(void **unused)
{
	struct str in = STR("<u@l>,<u@r>");
	struct path p;

	(void)unused;
	assert_int_equal(path_parse(&in, PATH_OF_RECIPIENT, false, &p), FAULT_none);
	assert_true(str_eq(in, STR(",<u@r>")));
	assert_string_equal(p.address.domain.name, "l");
}

static void
test_null_and_postmaster_of_a_sender(void **unused)
{
	struct str null = STR("<> SIZE=1");
	struct str postmaster = STR("<postmaster>");
	struct path p;
	char room[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(room);

	(void)unused;
	assert_int_equal(path_parse(&null, PATH_OF_SENDER, false, &p), FAULT_none);
	assert_int_equal(p.kind, PATH_NULL);
	assert_true(str_eq(null, STR(" SIZE=1")));
	address_print(&b, &p.address);
	assert_int_equal(b.n, 0);
	assert_int_equal(path_parse(&postmaster, PATH_OF_SENDER, false, &p), FAULT_no_domain);
}

static void
test_reply_names_whose_address_it_was(void **unused)
{
	(void)unused;
	assert_string_equal(fault_problem(FAULT_local_dots, PATH_OF_SENDER)->dsn, "5.1.7");
	assert_string_equal(fault_problem(FAULT_local_dots, PATH_OF_RECIPIENT)->dsn, "5.1.3");
	assert_string_equal(fault_problem(FAULT_not_ascii, PATH_OF_RECIPIENT)->dsn, "5.6.7");
	assert_int_equal(fault_problem(FAULT_not_ascii, PATH_OF_RECIPIENT)->code, 553);
}

/* ---- SMTPUTF8: EAI-01 ---- */

/* clang-format off */
static const struct utf8_row {
	struct str in;
	enum fault fault;
	const char *printed;
	const char *key;
} utf8_rows[] = {
	{STR_INIT("J\u00fcrgen@b\u00fccher.Example"), FAULT_none,
	 "J\u00fcrgen@xn--bcher-kva.example", "j\u00fcrgen@xn--bcher-kva.example"},
	{STR_INIT("\u00dcA@b"), FAULT_none, "\u00dcA@b", "\u00dca@b"},
	/* only ASCII is folded */
	{STR_INIT("\"a \u00fc\"@b"), FAULT_none, "\"a \u00fc\"@b", "\"a \u00fc\"@b"},
	{STR_INIT("\u7528\u6237@b"), FAULT_none, "\u7528\u6237@b", "\u7528\u6237@b"},
	{STR_INIT("\xf0\x9f\x98\x80@b"), FAULT_none, "\xf0\x9f\x98\x80@b",
	 "\xf0\x9f\x98\x80@b"},
	{STR_INIT("\xfc@b"), FAULT_local_utf8, NULL, NULL},
	{STR_INIT("\xc0\xae@b"), FAULT_local_utf8, NULL, NULL}, /* overlong */
	{STR_INIT("\xed\xa0\x80@b"), FAULT_local_utf8, NULL, NULL}, /* surrogate */
	{STR_INIT("\xe2\x82@b"), FAULT_local_utf8, NULL, NULL}, /* cut off */
	{STR_INIT("u\u0308@b"), FAULT_local_nfc, NULL, NULL},
	{STR_INIT("\u212b@b"), FAULT_local_nfc, NULL, NULL}, /* ANGSTROM SIGN */
	{STR_INIT("\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958\u0958@b"),
	 FAULT_local_nfc, NULL, NULL}, /* longer in NFC */
	{STR_INIT("a\ufeff@b"), FAULT_local_control, NULL, NULL},
	{STR_INIT("a\u202e@b"), FAULT_local_control, NULL, NULL},
	{STR_INIT("a\u2028@b"), FAULT_local_control, NULL, NULL},
	{STR_INIT("a\xc2\x85@b"), FAULT_local_control, NULL, NULL}, /* NEL */
	{STR_INIT("a@\u00fc\u200b.b"), FAULT_domain_idna, NULL, NULL},
};
/* clang-format on */

static void
test_utf8_address(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(utf8_rows); i++) {
		const struct utf8_row *row = &utf8_rows[i];
		struct address a;
		char printed[MAILBOX_MAX + 1];
		char key[MAILBOX_MAX + 1];
		struct buf p = BUF_ON(printed);
		struct buf k = BUF_ON(key);
		enum fault f = address_parse(row->in, true, &a);

		if (f != row->fault)
			fail_msg("row %zu: %s", i, fault_text(f));
		if (f != FAULT_none)
			continue;
		assert_true(address_was_utf8(&a));
		address_print(&p, &a);
		address_key(&k, &a);
		assert_string_equal(printed, row->printed);
		assert_string_equal(key, row->key);
	}
}

/* U-labels that are within the limit as they come and beyond it as A-labels. */
static void
test_address_that_is_too_long_printed(void **unused)
{
	char room[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(room);
	struct address a;

	(void)unused;
	buf_add(&b, STR(A60 "@"));
	for (size_t i = 0; i < 20; i++)
		buf_add(&b, STR("a\u00fc."));
	buf_add(&b, STR("b"));
	assert_int_equal(address_parse(buf_str(&b), true, &a), FAULT_path_long);
	assert_int_equal(address_parse(str_slice(buf_str(&b), 40, b.n), true, &a), FAULT_none);
}

static void
test_key_is_the_same_for_one_mailbox(void **unused)
{
	static const struct str same[] = {
		STR_INIT("Bob.X@L.Example"), STR_INIT("bob.x@l.example"),
		STR_INIT("\"BOB.x\"@l.EXAMPLE"), STR_INIT("\"b\\ob.x\"@l.example")};

	(void)unused;
	for (size_t i = 0; i < LENGTH(same); i++) {
		struct address a;
		char key[MAILBOX_MAX + 1];
		struct buf k = BUF_ON(key);

		assert_int_equal(address_parse(same[i], false, &a), FAULT_none);
		address_key(&k, &a);
		assert_string_equal(key, "bob.x@l.example");
		assert_false(address_was_utf8(&a));
	}
}

/* What the limits of msg.def rest on. */
static void
test_address_too_long_leaves_the_result_alone(void **unused)
{
	struct address a = {.local = "untouched"};
	struct str s = STR(A60 "@" A60 "." A60 "." A60 "." A60);

	(void)unused;
	assert_int_equal(address_parse(s, false, &a), FAULT_path_long);
	assert_string_equal(a.local, "untouched");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_of_recipient),
		cmocka_unit_test(test_bare_address),
		cmocka_unit_test(test_path_leaves_what_stands_behind_it),
		cmocka_unit_test(test_null_and_postmaster_of_a_sender),
		cmocka_unit_test(test_reply_names_whose_address_it_was),
		cmocka_unit_test(test_utf8_address),
		cmocka_unit_test(test_address_that_is_too_long_printed),
		cmocka_unit_test(test_key_is_the_same_for_one_mailbox),
		cmocka_unit_test(test_address_too_long_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
