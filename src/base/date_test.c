/*
 * Dates, where calendars are got wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/date.h"

static void
test_dates(void **unused)
{
	/* clang-format off */
	static const struct {
		uint64_t s;
		const char *mail;
		const char *rfc3339;
	} rows[] = {
		{0, "Thu, 1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00.000000Z"},
		{951782399, "Mon, 28 Feb 2000 23:59:59 +0000", "2000-02-28T23:59:59.000000Z"},
		{951782400, "Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29T00:00:00.000000Z"},
		{951868800, "Wed, 1 Mar 2000 00:00:00 +0000", "2000-03-01T00:00:00.000000Z"},
		{1735689599, "Tue, 31 Dec 2024 23:59:59 +0000", "2024-12-31T23:59:59.000000Z"},
		{4107542400, "Mon, 1 Mar 2100 00:00:00 +0000", "2100-03-01T00:00:00.000000Z"},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char mail[40];
		char machine[40];
		struct buf m = BUF_ON(mail);
		struct buf r = BUF_ON(machine);

		date_add(&m, rows[i].s * 1000000);
		date_add_rfc3339(&r, rows[i].s * 1000000);
		assert_string_equal(mail, rows[i].mail);
		assert_string_equal(machine, rows[i].rfc3339);
	}
}

/* A day has two digits there: RFC 9110 §5.6.7. */
static void
test_http_dates(void **unused)
{
	(void)unused;
	char room[40];
	struct buf b = BUF_ON(room);

	date_add_http(&b, 784111777000000);
	assert_string_equal(room, "Sun, 06 Nov 1994 08:49:37 GMT");
}

/* Every day of two centuries as the C library has it. */
static void
test_every_day_is_that_of_libc(void **unused)
{
	(void)unused;
	for (time_t t = 0; t < (time_t)200 * 366 * 86400; t += 86400 - 1) {
		char mail[40];
		char libc[40];
		char day[8];
		char rest[32];
		struct buf b = BUF_ON(mail);
		struct buf l = BUF_ON(libc);
		struct tm tm;

		date_add(&b, (uint64_t)t * 1000000);
		assert_non_null(gmtime_r(&t, &tm));
		assert_true(strftime(day, sizeof(day), "%a", &tm) > 0);
		assert_true(strftime(rest, sizeof(rest), "%b %Y %H:%M:%S", &tm) > 0);
		buf_addf(&l, "%s, %d %s +0000", day, tm.tm_mday, rest);
		assert_string_equal(mail, libc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_http_dates),
		cmocka_unit_test(test_every_day_is_that_of_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
