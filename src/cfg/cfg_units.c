/*
 * Numbers with units. See cfg_units.h.
 */
#include "cfg/cfg_units.h"

struct suffix {
	const char *name;
	uint64_t times;
};

#define DAY 86400U /* seconds */

/* Each from the smallest; the first is the unit itself. */
static const struct suffix seconds[] = {
	{"s",  1         },
        {"m",  60        },
        {"h",  3600      },
        {"d",  DAY       },
        {"w",  7ULL * DAY},
        {NULL, 0         }
};
static const struct suffix octets[] = {
	{"B",   1         },
        {"KiB", 1U << 10  },
        {"MiB", 1U << 20  },
	{"GiB", 1U << 30  },
        {"TiB", 1ULL << 40},
        {NULL,  0         }
};
static const struct suffix counts[] = {
	{"",   1},
        {NULL, 0}
};

static const struct unit {
	const char *name;
	const struct suffix *suffixes;
	unsigned per; /* seconds: over a period, and the unit is so many each of these; 0: no
	                 rate */
	const char *example;
} units[] = {
	{"seconds",             seconds, 0,    " (as 90s, 5m, 2h, 3d)"   },
	{"octets",              octets,  0,    " (as 64KiB, 10MiB, 1GiB)"},
	{"octets per second",   octets,  1,    " (as 128/s, 1KiB/s)"     },
	{"recipients per hour", counts,  3600, " (as 200/h, 1000/d)"     },
};
static const struct unit plain = {"", counts, 0, ""};

static const struct unit *
unit_of(const char *name)
{
	for (size_t i = 0; i < LENGTH(units); i++)
		if (str_eq(str_of(units[i].name), str_of(name)))
			return &units[i];
	return &plain;
}

static const struct suffix *
suffix_of(const struct suffix *suffixes, struct str name)
{
	for (; suffixes->name != NULL; suffixes++)
		if (str_eq(str_of(suffixes->name), name))
			return suffixes;
	return NULL;
}

/* Digits, then a suffix or nothing. */
static bool
parse_number(const struct suffix *suffixes, struct str s, uint64_t *ret)
{
	size_t digits = 0;
	uint64_t value;

	while (digits < s.n && ascii_digit(s.p[digits]))
		digits++;
	struct str name = str_slice(s, digits, s.n);
	const struct suffix *suffix = name.n == 0 ? suffixes : suffix_of(suffixes, name);
	if (suffix == NULL || !str_u64(str_slice(s, 0, digits), UINT64_MAX, &value))
		return false;
	return !__builtin_mul_overflow(value, suffix->times, ret);
}

/* Without a slash it is over <per> seconds. */
static bool
parse_rate(const struct suffix *suffixes, unsigned per, struct str s, struct cfg_rate *ret)
{
	size_t slash = str_find(s, '/');
	struct cfg_rate rate = {.seconds = per};

	if (slash < s.n) {
		const struct suffix *period = suffix_of(seconds, str_slice(s, slash + 1, s.n));

		if (period == NULL)
			return false;
		rate.seconds = period->times;
	}
	if (!parse_number(suffixes, str_slice(s, 0, slash), &rate.count))
		return false;
	*ret = rate;
	return true;
}

bool
cfg_units_rate(const char *unit, struct str s, struct cfg_rate *ret)
{
	return parse_rate(unit_of(unit)->suffixes, 1, s, ret);
}

bool
cfg_units_parse(const char *unit, struct str s, uint64_t *ret)
{
	const struct unit *u = unit_of(unit);
	struct cfg_rate rate;
	uint64_t value;

	if (u->per == 0) {
		if (!parse_number(u->suffixes, s, &value))
			return false;
		*ret = value;
		return true;
	}
	if (!parse_rate(u->suffixes, u->per, s, &rate) ||
	    __builtin_mul_overflow(rate.count, (uint64_t)u->per, &value))
		return false;
	*ret = value / rate.seconds;
	return true;
}

void
cfg_units_print(const char *unit, uint64_t value, struct buf *b)
{
	const struct unit *u = unit_of(unit);
	const struct suffix *best = u->suffixes;

	for (const struct suffix *s = best; s->name != NULL && value > 0; s++)
		if (value % s->times == 0)
			best = s;
	buf_addf(b, "%llu%s%s", (unsigned long long)(value / best->times), best->name,
	         u->per == 0   ? ""
	         : u->per == 1 ? "/s"
	                       : "/h");
}

const char *
cfg_units_example(const char *unit)
{
	return unit_of(unit)->example;
}
