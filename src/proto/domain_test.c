/*
 * Domains and literals have one form, and what is neither is refused for a reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/domain.h"

#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10

/* clang-format off */
static const struct row {
	struct str in;
	enum fault fault;
	const char *name; /* its one form; NULL where refused */
} rows[] = {
	{STR_INIT("example.org"), FAULT_none, "example.org"},
	{STR_INIT("EXAMPLE.Org"), FAULT_none, "example.org"},
	{STR_INIT("localhost"), FAULT_none, "localhost"},
	{STR_INIT("a-b.c--d.example"), FAULT_none, "a-b.c--d.example"},
	{STR_INIT("4.example"), FAULT_none, "4.example"},
	{STR_INIT(L60 "abc.x"), FAULT_none, L60 "abc.x"}, /* 63 octets in a label */
	{STR_INIT(L60 "abcd.x"), FAULT_label_long, NULL},
	{STR_INIT(L60 "." L60 "." L60 "." L60 "." L10 "x"), FAULT_none,
	 L60 "." L60 "." L60 "." L60 "." L10 "x"}, /* 255 octets */
	{STR_INIT(L60 "." L60 "." L60 "." L60 "." L10 "xy"), FAULT_domain_long, NULL},
	{STR_INIT(""), FAULT_domain_empty, NULL},
	{STR_INIT("."), FAULT_domain_dot, NULL},
	{STR_INIT(".example"), FAULT_domain_dot, NULL},
	{STR_INIT("example."), FAULT_domain_dot, NULL},
	{STR_INIT("a..b"), FAULT_domain_dot, NULL},
	{STR_INIT("-a.example"), FAULT_label_hyphen, NULL},
	{STR_INIT("a-.example"), FAULT_label_hyphen, NULL},
	{STR_INIT("a_b.example"), FAULT_label_char, NULL},
	{STR_INIT("a b"), FAULT_label_char, NULL},
	{STR_INIT("a%b"), FAULT_label_char, NULL},
	{STR_INIT("a\0b"), FAULT_label_char, NULL},
	{STR_INIT("a\tb"), FAULT_label_char, NULL},
	{STR_INIT("a@b"), FAULT_domain_at, NULL},
	{STR_INIT("192.0.2.1"), FAULT_domain_number, NULL},
	{STR_INIT("192.0.2"), FAULT_domain_number, NULL},
	{STR_INIT("1"), FAULT_domain_number, NULL},

	{STR_INIT("[192.0.2.1]"), FAULT_none, "[192.0.2.1]"},
	{STR_INIT("[IPv6:2001:DB8:0::1]"), FAULT_none, "[IPv6:2001:db8::1]"},
	{STR_INIT("[ipv6:::1]"), FAULT_none, "[IPv6:::1]"},
	{STR_INIT("[IPv6:::ffff:192.0.2.1]"), FAULT_none, "[192.0.2.1]"},
	/* one address, one form */
	{STR_INIT("[IPv6:1111:2222:3333:4444:5555:6666:7777:8888]"), FAULT_none,
	 "[IPv6:1111:2222:3333:4444:5555:6666:7777:8888]"},
	{STR_INIT("["), FAULT_literal, NULL},
	{STR_INIT("[]"), FAULT_literal, NULL},
	{STR_INIT("[192.0.2.1"), FAULT_literal, NULL},
	{STR_INIT("[192.0.2.1]x"), FAULT_literal, NULL},
	{STR_INIT("[192.0.2.1]."), FAULT_literal, NULL},
	{STR_INIT("[192.0.2]"), FAULT_literal, NULL},
	{STR_INIT("[192.0.2.256]"), FAULT_literal, NULL},
	{STR_INIT("[192.0.2.01]"), FAULT_literal, NULL}, /* octal to some */
	{STR_INIT("[0x7f.0.0.1]"), FAULT_literal, NULL},
	{STR_INIT("[ 192.0.2.1]"), FAULT_literal, NULL},
	{STR_INIT("[192.0.2.1\0]"), FAULT_literal, NULL},
	{STR_INIT("[2001:db8::1]"), FAULT_literal, NULL}, /* the tag is missing */
	{STR_INIT("[IPv6:192.0.2.1]"), FAULT_literal, NULL},
	{STR_INIT("[IPv6:fe80::1%eth0]"), FAULT_literal, NULL},
	{STR_INIT("[IPv6:1:2:3]"), FAULT_literal, NULL},
	{STR_INIT("[IPv6:]"), FAULT_literal, NULL},
	{STR_INIT("[x-tag:y]"), FAULT_literal, NULL}, /* no tag is registered */

	{STR_INIT("xn--bcher-kva.example"), FAULT_none, "xn--bcher-kva.example"},
	{STR_INIT("XN--Bcher-KVA.example"), FAULT_none, "xn--bcher-kva.example"},
	{STR_INIT("b\u00fccher.Example"), FAULT_none, "xn--bcher-kva.example"},
	{STR_INIT("fa\u00df.example"), FAULT_none, "xn--fa-hia.example"},
	/* IDNA2008, not 2003's "ss" */
	{STR_INIT("\u65e5\u672c\u8a9e.jp"), FAULT_none, "xn--wgv71a119e.jp"},
	{STR_INIT("\u05e2\u05d1\u05e8\u05d9\u05ea.example"), FAULT_none, "xn--5dbqzzl.example"},
	{STR_INIT("xn--bcher-kvb.example"), FAULT_domain_idna, NULL},
	/* decodes to no U-label */
	{STR_INIT("xn--a.example"), FAULT_domain_idna, NULL},
	{STR_INIT("xn--\u00fc.example"), FAULT_domain_idna, NULL},
	{STR_INIT("ab--\u00fc.example"), FAULT_domain_idna, NULL},
	{STR_INIT("B\u00dcCHER.example"), FAULT_domain_idna, NULL},
	/* no U-label is upper case */
	{STR_INIT("bu\u0308cher.example"), FAULT_domain_idna, NULL}, /* not NFC */
	{STR_INIT("\uff41.example"), FAULT_domain_idna, NULL}, /* fullwidth */
	{STR_INIT("a\u3002\u00fc"), FAULT_domain_idna, NULL}, /* ideographic full stop */
	{STR_INIT("a\u200d\u00fc.example"), FAULT_domain_idna, NULL},
	/* joiner without its script */
	{STR_INIT("\ufeff\u00fc.example"), FAULT_domain_idna, NULL},
	{STR_INIT("\u00fc\u202e.example"), FAULT_domain_idna, NULL},
	{STR_INIT("\u05d0a.example"), FAULT_domain_idna, NULL}, /* RFC 5893: mixed directions */
	{STR_INIT("\u00fc_.example"), FAULT_domain_idna, NULL},
	{STR_INIT("\u00fc.\0example"), FAULT_domain_idna, NULL},
	{STR_INIT("\xc0\xae.example"), FAULT_domain_idna, NULL}, /* overlong dot */
	{STR_INIT("\xfc.example"), FAULT_domain_idna, NULL}, /* Latin 1 */
	{STR_INIT("\u00fc@b"), FAULT_domain_idna, NULL},
	{STR_INIT("\u00fc.1"), FAULT_domain_number, NULL},
	{STR_INIT("\u00fc."), FAULT_domain_dot, NULL},
};
/* clang-format on */

static void
test_each_domain_has_one_form_or_a_fault(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct domain d = {.name = "untouched"};
		enum fault f = domain_parse(rows[i].in, true, &d);

		if (f != rows[i].fault)
			fail_msg("row %zu: %s", i, fault_text(f));
		assert_string_equal(d.name, f == FAULT_none ? rows[i].name : "untouched");
	}
}

static void
test_one_form_parses_to_itself(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct domain d;

		if (rows[i].name == NULL)
			continue;
		assert_int_equal(domain_parse(str_of(rows[i].name), false, &d), FAULT_none);
		assert_string_equal(d.name, rows[i].name);
	}
}

static void
test_u_labels_need_smtputf8(void **unused)
{
	struct domain d;

	(void)unused;
	assert_int_equal(domain_parse(STR("b\u00fccher.example"), false, &d), FAULT_not_ascii);
	assert_int_equal(domain_parse(STR("b\u00fccher.example"), true, &d), FAULT_none);
	assert_true(d.was_utf8);
	assert_int_equal(domain_parse(STR("xn--bcher-kva.example"), true, &d), FAULT_none);
	assert_false(d.was_utf8);
}

/* U-labels of 255 octets whose A-labels are more. */
static void
test_domain_that_is_too_long_as_a_labels(void **unused)
{
	struct domain d;
	char room[DOMAIN_MAX + 1];
	struct buf b = BUF_ON(room);

	(void)unused;
	for (size_t i = 0; i < 64; i++)
		buf_add(&b, i % 4 == 3 ? STR("\u00fc.") : STR("\u00e9a"));
	buf_add(&b, STR("example"));
	assert_false(b.cut);
	assert_int_equal(domain_parse(buf_str(&b), true, &d), FAULT_domain_idna);
}

static void
test_literal_has_its_address(void **unused)
{
	struct domain d;
	struct netaddr want;

	(void)unused;
	assert_int_equal(domain_parse(STR("[IPv6:2001:db8::1]"), false, &d), FAULT_none);
	assert_true(d.is_literal);
	assert_true(netaddr_parse(STR("2001:db8::1"), &want));
	assert_true(netaddr_eq(&d.ip, &want));
	assert_int_equal(domain_parse(STR("example"), false, &d), FAULT_none);
	assert_false(d.is_literal);
}

static void
test_each_fault_is_a_reply(void **unused)
{
	static const enum fault all[] = {
#define FAULT(name, code, of_sender, of_recipient, text) FAULT_##name,
#include "proto/fault.def"
#undef FAULT
	};

	(void)unused;
	assert_null(fault_problem(FAULT_none, PATH_OF_SENDER));
	for (size_t i = 0; i < LENGTH(all); i++) {
		const struct smtp_problem *s = fault_problem(all[i], PATH_OF_SENDER);
		const struct smtp_problem *r = fault_problem(all[i], PATH_OF_RECIPIENT);

		assert_true(s->code == r->code && s->text == r->text);
		assert_int_equal(s->code / 100, s->dsn[0] - '0');
		assert_int_equal(r->code / 100, r->dsn[0] - '0');
		assert_true(str_of(s->text).n > 0 && str_of(s->text).n < 100);
		assert_ptr_equal(fault_text(all[i]), s->text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_domain_has_one_form_or_a_fault),
		cmocka_unit_test(test_one_form_parses_to_itself),
		cmocka_unit_test(test_u_labels_need_smtputf8),
		cmocka_unit_test(test_domain_that_is_too_long_as_a_labels),
		cmocka_unit_test(test_literal_has_its_address),
		cmocka_unit_test(test_each_fault_is_a_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
