/*
 * Faults as replies. See fault.h.
 */
#include <string.h>

#include "base/test.h"
#include "proto/fault.h"

static const enum fault faults[] = {
#define FAULT(name, code, of_sender, of_recipient, text) FAULT_##name,
#include "proto/fault.def"
#undef FAULT
};

static void
check_problem(const struct smtp_problem *p)
{
	assert_non_null(p);
	assert_true(p->code >= 400 && p->code <= 599);
	/* the class of the enhanced code is that of the reply: RFC 2034 §4 */
	assert_int_equal(p->dsn[0], '0' + p->code / 100);
	assert_int_equal(strlen(p->dsn), 5);
	assert_true(p->dsn[1] == '.' && p->dsn[3] == '.');
	assert_true(strlen(p->text) > 0 && strlen(p->text) < 100);
	assert_true(str_is_ascii(str_of(p->text)) && str_is_printable(str_of(p->text)));
}

static void
test_every_fault_is_a_reply_for_senders_and_recipients(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(faults); i++) {
		const struct smtp_problem *sender = fault_problem(faults[i], PATH_OF_SENDER);
		const struct smtp_problem *rcpt = fault_problem(faults[i], PATH_OF_RECIPIENT);

		check_problem(sender);
		check_problem(rcpt);
		assert_int_equal(sender->code, rcpt->code);
		assert_string_equal(sender->text, fault_text(faults[i]));
	}
}

static void
test_no_fault_is_no_problem(void **unused)
{
	(void)unused;
	assert_null(fault_problem(FAULT_none, PATH_OF_SENDER));
	assert_null(fault_problem(FAULT_none, PATH_OF_RECIPIENT));
	assert_string_equal(fault_text(FAULT_none), "");
}

static void
test_the_enhanced_code_says_whose_address_it_is(void **unused)
{
	(void)unused;
	/* RFC 3463 §3.2: X.1.7 bad sender's mailbox syntax, X.1.3 bad destination's */
	assert_string_equal(fault_problem(FAULT_no_domain, PATH_OF_SENDER)->dsn, "5.1.7");
	assert_string_equal(fault_problem(FAULT_no_domain, PATH_OF_RECIPIENT)->dsn, "5.1.3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_fault_is_a_reply_for_senders_and_recipients),
		cmocka_unit_test(test_no_fault_is_no_problem),
		cmocka_unit_test(test_the_enhanced_code_says_whose_address_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
