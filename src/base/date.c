/*
 * Dates. See date.h. The calendar is computed here because gmtime_r reads the time zone's
 * files first, which a process behind its walls may not open.
 */
#include "base/date.h"

#define DAY_S 86400U

/* Days since 1970-01-01 as a date of the Gregorian calendar (Hinnant, civil_from_days). */
static void
civil_of_days(uint64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	uint64_t z = days + 719468; /* since 0000-03-01: the leap day is a year's last */
	uint64_t era = z / 146097;  /* days in 400 years */
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153; /* months since March */

	*ret_day = doy - (153 * mp + 2) / 5 + 1;
	*ret_month = mp < 10 ? mp + 3 : mp - 9;
	*ret_year = (unsigned)(yoe + era * 400) + (*ret_month <= 2);
}

/* "Tue, 1 Jul 2003 10:52:37": the day in <digits> at least. */
static void
add_named(struct buf *b, uint64_t wall_us, int digits)
{
	static const char week[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	uint64_t s = wall_us / 1000000;
	unsigned of_day = (unsigned)(s % DAY_S);
	unsigned year;
	unsigned month;
	unsigned day;

	civil_of_days(s / DAY_S, &year, &month, &day);
	buf_addf(b, "%s, %0*u %s %04u %02u:%02u:%02u", week[s / DAY_S % 7], digits, day,
	         months[month - 1], year, of_day / 3600, of_day / 60 % 60, of_day % 60);
}

void
date_add(struct buf *b, uint64_t wall_us)
{
	add_named(b, wall_us, 1);
	buf_add(b, STR(" +0000"));
}

void
date_add_http(struct buf *b, uint64_t wall_us)
{
	add_named(b, wall_us, 2);
	buf_add(b, STR(" GMT"));
}

void
date_add_rfc3339(struct buf *b, uint64_t wall_us)
{
	uint64_t s = wall_us / 1000000;
	unsigned of_day = (unsigned)(s % DAY_S);
	unsigned year;
	unsigned month;
	unsigned day;

	civil_of_days(s / DAY_S, &year, &month, &day);
	buf_addf(b, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", year, month, day, of_day / 3600,
	         of_day / 60 % 60, of_day % 60, (unsigned)(wall_us % 1000000));
}
