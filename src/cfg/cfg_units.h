/*
 * Numbers as the operator writes them: `5m` is seconds, `10MiB` octets, `200/h` a rate.
 * Pure text in, number out; ranges are the rows' own.
 */
#ifndef CFG_CFG_UNITS_H
#define CFG_CFG_UNITS_H

#include "base/buf.h"

struct cfg_rate {
	uint64_t count;
	uint64_t seconds; /* the period: 1, 60, 3600, 86400 or 604800 */
};

/*
 * <unit> is a row's: "seconds" takes s m h d w, "octets" B KiB MiB GiB TiB, "octets per
 * second" the same over a period, "recipients per hour" digits over one, any other unit digits
 * alone. A bare number is in the unit
 * itself. False, *ret untouched, for anything else: a second unit, a sign, a fraction, a
 * value over UINT64_MAX.
 */
bool cfg_units_parse(const char *unit, struct str s, uint64_t *ret) MUST_CHECK;

/*
 * "200/h": so many, each of them <unit>'s, in each s m h d w. Without a slash: a second's.
 */
bool cfg_units_rate(const char *unit, struct str s, struct cfg_rate *ret) MUST_CHECK;

/* The shortest form that cfg_units_parse reads back: 300 seconds are "5m". */
void cfg_units_print(const char *unit, uint64_t value, struct buf *b);

/* How numbers of this unit may be written, for errors: " (as 90s, 5m, 2h, 3d)", or "". */
const char *cfg_units_example(const char *unit);

#endif
