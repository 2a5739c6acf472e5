/*
 * line.c: what journal and syslogd read of a line.
 */
#include "base/test.h"
#include "logger/line.h"

static void
test_severity_is_the_level(void **unused)
{
	static const struct {
		const char *line;
		unsigned severity;
	} rows[] = {
		{"level=error role=spool event=x",        3},
		{"level=warn role=spool event=x",         4},
		{"level=info role=spool event=x",         6},
		{"level=debug role=spool event=x",        7},
		{"role=spool level=info",                 3},
		{"level=information",                     3},
		{"edge: main.c:7: Assertion `x' failed.", 3},
		{"",				      3},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(line_severity(str_of(rows[i].line)), rows[i].severity);
}

static void
test_level_for_the_journal(void **unused)
{
	char room[16];
	struct buf b = BUF_ON(room);

	(void)unused;
	line_add_level(&b, STR("level=warn x=1"));
	assert_str(buf_str(&b), STR("<4>"));
}

static void
test_datagram_for_a_syslogd(void **unused)
{
	char room[128];
	struct buf b = BUF_ON(room);
	struct tm at = {.tm_mon = 10, .tm_mday = 3, .tm_hour = 4, .tm_min = 5, .tm_sec = 6};

	(void)unused;
	line_add_syslog(&b, STR("level=info event=x"), 12, &at);
	assert_str(buf_str(&b), STR("<22>Nov  3 04:05:06 sekisho[12]: level=info event=x"));
	buf_clear(&b);
	at.tm_mon = 0;
	at.tm_mday = 31;
	line_add_syslog(&b, STR("level=error event=x"), 4194304, &at);
	assert_str(buf_str(&b),
	           STR("<19>Jan 31 04:05:06 sekisho[4194304]: level=error event=x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_severity_is_the_level),
		cmocka_unit_test(test_level_for_the_journal),
		cmocka_unit_test(test_datagram_for_a_syslogd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
