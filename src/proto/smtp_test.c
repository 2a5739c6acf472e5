/*
 * Command lines and their arguments: what is taken, and how each fault is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/smtp.h"

#define A10 "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define A490 A100 A100 A100 A100 A10 A10 A10 A10 A10 A10 A10 A10 A10

/* NULL is good: code 0. */
static void
assert_problem(size_t row, const struct smtp_problem *p, unsigned code, const char *dsn)
{
	if ((p == NULL ? 0U : p->code) != code)
		fail_msg("row %zu: %s", row, p == NULL ? "was taken" : p->text);
	if (p != NULL)
		assert_string_equal(p->dsn, dsn);
}

static void
test_split(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str line;
		unsigned code;
		const char *verb;
		const char *arg;
	} rows[] = {
		{STR_INIT("NOOP"), 0, "NOOP", ""},
		{STR_INIT("NOOP "), 0, "NOOP", ""},
		{STR_INIT("mail  FROM:<a@b> SIZE=1 "), 0, "mail", "FROM:<a@b> SIZE=1"},
		{STR_INIT("EHLO \xfc"), 0, "EHLO", "\xfc"},
		{STR_INIT(" QUIT"), 0, "QUIT", ""},
		{STR_INIT(""), 500, NULL, NULL},
		{STR_INIT("   "), 500, NULL, NULL},
		{STR_INIT("NOOP\t"), 500, NULL, NULL},
		{STR_INIT("NOOP\rRSET"), 500, NULL, NULL},
		{STR_INIT("NOOP\nRSET"), 500, NULL, NULL},
		{STR_INIT("NOOP \x7f"), 500, NULL, NULL},
		{STR_INIT("\0NOOP"), 500, NULL, NULL},
		{STR_INIT("NO\0OP"), 500, NULL, NULL},
		{STR_INIT("NOOP\0"), 500, NULL, NULL},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct smtp_command c;
		const struct smtp_problem *p = smtp_split(rows[i].line, &c);

		assert_problem(i, p, rows[i].code, "5.5.2");
		if (p == NULL) {
			assert_true(str_eq(c.verb, str_of(rows[i].verb)));
			assert_true(str_eq(c.arg, str_of(rows[i].arg)));
		}
	}
}

static void
test_helo(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str arg;
		unsigned code;
		bool is_valid;
	} rows[] = {
		{STR_INIT("mail.example.org"), 0, true},
		{STR_INIT("localhost"), 0, true},
		{STR_INIT("[192.0.2.1]"), 0, true},
		{STR_INIT("[IPv6:2001:db8::1]"), 0, true},
		{STR_INIT("192.0.2.1"), 0, false},
		{STR_INIT("my_pc"), 0, false},
		{STR_INIT("my pc"), 0, false},
		{STR_INIT("mail.example.org."), 0, false},
		{STR_INIT("b\u00fccher.example"), 0, false},
		{STR_INIT("\xfc"), 0, false},
		{STR_INIT("(evil) by x; ${run{x}}"), 0, false},
		{STR_INIT(A100 A100 A10 A10 A10 A10 A10 "aaaaa"), 0, false},
		{STR_INIT(A100 A100 A10 A10 A10 A10 A10 "aaaaaa"), 501, false},
		{STR_INIT(""), 501, false},
		{STR_INIT(" "), 501, false},
		{STR_INIT("a\0b"), 501, false},
		{STR_INIT("a\r\nb"), 501, false},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct smtp_helo h;
		const struct smtp_problem *p = smtp_helo_parse(rows[i].arg, &h);

		assert_problem(i, p, rows[i].code, "5.5.4");
		if (p == NULL &&
		    (h.is_valid != rows[i].is_valid || !str_eq(h.name, rows[i].arg)))
			fail_msg("row %zu", i);
	}
}

/* clang-format off */
static const struct {
	struct str arg;
	const char *from;
	unsigned flags;
	uint64_t size;
	const char *envid;
} mail_rows[] = {
	{STR_INIT("FROM:<a@b>"), "a@b", 0, 0, ""},
	{STR_INIT("from:  <a@b>  "), "a@b", 0, 0, ""},
	{STR_INIT("FROM:<>"), "", 0, 0, ""},
	{STR_INIT("FROM:<> SIZE=5"), "", 0, 5, ""},
	{STR_INIT("FROM:<a@b> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x+2By SMTPUTF8"), "a@b",
	 MAIL_8BIT | MAIL_RET_HDRS | MAIL_SMTPUTF8, 100, "x+y"},
	{STR_INIT("FROM:<a@b>  body=7bit  ret=full"), "a@b", MAIL_RET_FULL, 0, ""},
	{STR_INIT("FROM:<\u00fc@b> SMTPUTF8"), "\u00fc@b", MAIL_SMTPUTF8, 0, ""},
	{STR_INIT("FROM:<a@\u00fc> smtputf8"), "a@xn--tda", MAIL_SMTPUTF8, 0, ""},
	{STR_INIT("FROM:<a@b> SIZE=18446744073709551616"), "a@b", 0, INT64_MAX, ""},
	{STR_INIT("FROM:<a@b> SIZE=99999999999999999999"), "a@b", 0, INT64_MAX, ""},
	{STR_INIT("FROM:<a@b> ENVID=" A100), "a@b", 0, 0, A100},
};

static const struct refused_row {
	struct str arg;
	unsigned code;
	const char *dsn;
	bool utf8; /* of RCPT's transaction */
} mail_refused[] = {
	{STR_INIT(""), 501, "5.5.4", false},
	{STR_INIT("<a@b>"), 501, "5.5.4", false},
	{STR_INIT("FROM"), 501, "5.5.4", false},
	{STR_INIT("FROM <a@b>"), 501, "5.5.4", false},
	{STR_INIT("FROM :<a@b>"), 501, "5.5.4", false},
	{STR_INIT("TO:<a@b>"), 501, "5.5.4", false},
	{STR_INIT("FROM:"), 501, "5.5.4", false},
	{STR_INIT("FROM:a@b"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a>"), 501, "5.1.7", false},
	{STR_INIT("FROM:<postmaster>"), 501, "5.1.7", false},
	{STR_INIT("FROM:<-a@b>"), 553, "5.1.7", false},
	{STR_INIT("FROM:<a@b>SIZE=1"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b>,<c@d>"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> <c@d>"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> =1"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> -X"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> X_Y"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> \u00fc"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> FOO"), 555, "5.5.4", false},
	{STR_INIT("FROM:<a@b> AUTH=<>"), 555, "5.5.4", false},
	{STR_INIT("FROM:<a@b> NOTIFY=NEVER"), 555, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SIZE=1 SIZE=1"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SMTPUTF8 smtputf8"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> BODY=7BIT BODY=8BITMIME"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SIZE"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SIZE="), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SIZE=-1"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SIZE=1x"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SIZE=000000000000000000001"), 501, "5.5.4", false},
	/* 21 digits */
	{STR_INIT("FROM:<a@b> BODY"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> BODY=BINARYMIME"), 501, "5.5.4", false},
	/* RFC 3030: not offered */
	{STR_INIT("FROM:<a@b> SMTPUTF8=1"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> SMTPUTF8="), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> RET=ALL"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> ENVID"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> ENVID="), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> ENVID=a=b"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> ENVID=a+00"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> ENVID=a+0D+0A"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b> ENVID=" A100 "a"), 501, "5.5.4", false},
	{STR_INIT("FROM:<\u00fc@b>"), 553, "5.6.7", false},
	{STR_INIT("FROM:<a@\u00fc> BODY=8BITMIME"), 553, "5.6.7", false},
	{STR_INIT("FROM:<\xfc@b> SMTPUTF8"), 501, "5.1.7", false},
};
/* clang-format on */

static void
test_mail(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(mail_rows); i++) {
		struct smtp_mail m;
		char from[MAILBOX_MAX + 1];
		struct buf b = BUF_ON(from);

		assert_problem(i, smtp_mail_parse(mail_rows[i].arg, &m), 0, "");
		address_print(&b, &m.from.address);
		assert_string_equal(from, mail_rows[i].from);
		assert_int_equal(m.flags, mail_rows[i].flags);
		assert_int_equal(m.size, mail_rows[i].size);
		assert_string_equal(m.envid, mail_rows[i].envid);
	}
}

static void
test_mail_refused(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(mail_refused); i++) {
		const struct refused_row *row = &mail_refused[i];
		struct smtp_mail m;

		assert_problem(i, smtp_mail_parse(row->arg, &m), row->code, row->dsn);
	}
}

/* clang-format off */
static const struct {
	struct str arg;
	bool utf8;
	const char *to;
	unsigned notify;
	const char *orcpt;
} rcpt_rows[] = {
	{STR_INIT("TO:<a@b>"), false, "a@b", 0, ""},
	{STR_INIT("to: <a@b>"), false, "a@b", 0, ""},
	{STR_INIT("TO:<Postmaster>"), false, "Postmaster", 0, ""},
	{STR_INIT("TO:<a@b> NOTIFY=NEVER"), false, "a@b", NOTIFY_NEVER, ""},
	{STR_INIT("TO:<a@b> notify=success,FAILURE,Delay"), false, "a@b",
	 NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY, ""},
	{STR_INIT("TO:<a@b> ORCPT=rfc822;u+40R"), false, "a@b", 0, "rfc822;u@R"},
	{STR_INIT("TO:<a@b> ORCPT=utf-8;\\x{FC}"), false, "a@b", 0, "utf-8;\\x{FC}"},
	{STR_INIT("TO:<a@b> ORCPT=utf-8;\u00fc@b"), true, "a@b", 0, "utf-8;\u00fc@b"},
	{STR_INIT("TO:<a@b> ORCPT=utf-8;u+40b"), true, "a@b", 0, "utf-8;u@b"},
	{STR_INIT("TO:<\u00fc@b>"), true, "\u00fc@b", 0, ""},
	{STR_INIT("TO:<a@b> ORCPT=rfc822;" A490 "aaa"), false, "a@b", 0, "rfc822;" A490 "aaa"},
};

static const struct refused_row rcpt_refused[] = {
	{STR_INIT("<a@b>"), 501, "5.5.4", false},
	{STR_INIT("FROM:<a@b>"), 501, "5.5.4", false},
	{STR_INIT("TO:a@b"), 501, "5.5.4", false},
	{STR_INIT("TO:<>"), 501, "5.1.3", false},
	{STR_INIT("TO:<a>"), 501, "5.1.3", false},
	{STR_INIT("TO:<-a@b>"), 553, "5.1.3", false},
	{STR_INIT("TO:<\u00fc@b>"), 553, "5.6.7", false},
	{STR_INIT("TO:<u@l>,<u@r>"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> <u@r>"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> u@r"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> text"), 555, "5.5.4", false},
	{STR_INIT("TO:<u@l> SIZE=1"), 555, "5.5.4", false},
	{STR_INIT("TO:<u@l> NOTIFY=NEVER NOTIFY=NEVER"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> NOTIFY"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> NOTIFY="), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> NOTIFY=NEVER,DELAY"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> NOTIFY=DELAY,"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> NOTIFY=,DELAY"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> NOTIFY=DELAYED"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=u@r"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=;u@r"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=rfc822;"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=rfc_822;u@r"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=rfc822;u+00r"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=rfc822;u+0Ar"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=utf-8;\u00fc"), 501, "5.5.4", false},
	{STR_INIT("TO:<u@l> ORCPT=rfc822;\u00fc"), 501, "5.5.4", true},
	{STR_INIT("TO:<u@l> ORCPT=utf-8;\xfc"), 501, "5.5.4", true},
	{STR_INIT("TO:<u@l> ORCPT=utf-8;\u00fc\r\n"), 501, "5.5.4", true},
	{STR_INIT("TO:<u@l> ORCPT=rfc822;" A490 "aaaa"), 501, "5.5.4", false},
};
/* clang-format on */

static void
test_rcpt(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rcpt_rows); i++) {
		struct smtp_rcpt r;
		char to[MAILBOX_MAX + 1];
		struct buf b = BUF_ON(to);

		assert_problem(i, smtp_rcpt_parse(rcpt_rows[i].arg, rcpt_rows[i].utf8, &r), 0,
		               "");
		address_print(&b, &r.to.address);
		assert_string_equal(to, rcpt_rows[i].to);
		assert_int_equal(r.notify, rcpt_rows[i].notify);
		assert_string_equal(r.orcpt, rcpt_rows[i].orcpt);
	}
}

static void
test_rcpt_refused(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rcpt_refused); i++) {
		const struct refused_row *row = &rcpt_refused[i];
		struct smtp_rcpt r;

		assert_problem(i, smtp_rcpt_parse(row->arg, row->utf8, &r), row->code,
		               row->dsn);
	}
}

static void
test_bdat(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str arg;
		unsigned code;
		uint64_t size;
		bool last;
	} rows[] = {
		{STR_INIT("0"), 0, 0, false},
		{STR_INIT("86 LAST"), 0, 86, true},
		{STR_INIT("86  last "), 0, 86, true},
		{STR_INIT("9223372036854775807"), 0, INT64_MAX, false},
		{STR_INIT("9223372036854775808"), 501, 0, false},
		{STR_INIT("99999999999999999999999"), 501, 0, false},
		{STR_INIT(""), 501, 0, false},
		{STR_INIT("LAST"), 501, 0, false},
		{STR_INIT("x"), 501, 0, false},
		{STR_INIT("-1"), 501, 0, false},
		{STR_INIT("1LAST"), 501, 0, false},
		{STR_INIT("1 LAS"), 501, 0, false},
		{STR_INIT("1 LAST LAST"), 501, 0, false},
		{STR_INIT("1 2"), 501, 0, false},
		{STR_INIT("0x10"), 501, 0, false},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct smtp_bdat b;
		const struct smtp_problem *p = smtp_bdat_parse(rows[i].arg, &b);

		assert_problem(i, p, rows[i].code, "5.5.4");
		if (p == NULL && (b.size != rows[i].size || b.last != rows[i].last))
			fail_msg("row %zu", i);
	}
}

/* A refusal leaves nothing of itself behind. */
static void
test_refused_command_leaves_the_result_alone(void **unused)
{
	struct smtp_mail m = {.size = 7};
	struct smtp_rcpt r = {.notify = NOTIFY_DELAY};

	(void)unused;
	assert_non_null(smtp_mail_parse(STR("FROM:<a@b> SIZE=9 FOO"), &m));
	assert_non_null(smtp_rcpt_parse(STR("TO:<a@b> NOTIFY=NEVER FOO"), false, &r));
	assert_int_equal(m.size, 7);
	assert_int_equal(r.notify, NOTIFY_DELAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_helo),
		cmocka_unit_test(test_mail),
		cmocka_unit_test(test_mail_refused),
		cmocka_unit_test(test_rcpt),
		cmocka_unit_test(test_rcpt_refused),
		cmocka_unit_test(test_bdat),
		cmocka_unit_test(test_refused_command_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
