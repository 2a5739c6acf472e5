/*
 * How numbers may be written, and how they may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cfg/cfg_units.h"

static void
test_a_number_may_have_its_units_suffix(void **unused)
{
	(void)unused;
	static const struct {
		const char *unit;
		const char *text;
		uint64_t value;
	} rows[] = {
		{"seconds",           "90",                   90               },
		{"seconds",           "90s",                  90               },
		{"seconds",           "5m",                   300              },
		{"seconds",           "2h",                   7200             },
		{"seconds",           "3d",                   259200           },
		{"seconds",           "1w",                   604800           },
		{"seconds",           "0",                    0                },
		{"octets",            "4096",                 4096             },
		{"octets",            "4096B",                4096             },
		{"octets",            "64KiB",                65536            },
		{"octets",            "10MiB",                10485760         },
		{"octets",            "1GiB",                 1073741824       },
		{"octets",            "16777215TiB",          16777215ULL << 40},
		{"octets",            "18446744073709551615", UINT64_MAX       },
		{"octets per second", "128",                  128              },
		{"octets per second", "128/s",                128              },
		{"octets per second", "128B/s",               128              },
		{"octets per second", "64KiB/m",              1092             },
		{"recipients",        "1000",                 1000             },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t value = 1;

		assert_true(cfg_units_parse(rows[i].unit, str_of(rows[i].text), &value));
		assert_true(value == rows[i].value);
	}
}

static void
test_anything_else_is_refused(void **unused)
{
	(void)unused;
	static const struct {
		const char *unit;
		const char *text;
	} rows[] = {
		{"seconds",             ""                      },
		{"seconds",             "m"                     },
		{"seconds",             "5 m"                   },
		{"seconds",             "5M"                    },
		{"seconds",             "5min"                  },
		{"seconds",             "1h30m"                 },
		{"seconds",             "-1"                    },
		{"seconds",             "+1"                    },
		{"seconds",             "1.5h"                  },
		{"seconds",             "0x10"                  },
		{"seconds",             "5/s"                   },
		{"seconds",             "10KiB"                 },
		{"octets",              "10MB"                  },
		{"octets",              "10kib"                 },
		{"octets",              "16777216TiB"           },
		{"octets",              "18446744073709551616"  },
		{"octets per second",   "128/x"                 },
		{"octets per second",   "/s"                    },
		{"octets per second",   "128/"                  },
		{"octets per second",   "128/s/s"               },
		{"recipients",          "1000s"                 },
		{"recipients per hour", "10KiB/h"               },
		{"recipients per hour", "10/y"                  },
		{"recipients per hour", "18446744073709551615/h"},
		{"recipients",          "1KiB"                  },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t value = 1;

		assert_false(cfg_units_parse(rows[i].unit, str_of(rows[i].text), &value));
		assert_int_equal(value, 1);
	}
}

static void
test_a_rate_is_a_count_and_its_period(void **unused)
{
	(void)unused;
	struct cfg_rate rate;

	assert_true(cfg_units_rate("messages", STR("200/h"), &rate));
	assert_int_equal(rate.count, 200);
	assert_int_equal(rate.seconds, 3600);
	assert_true(cfg_units_rate("octets", STR("1GiB/d"), &rate));
	assert_int_equal(rate.count, 1U << 30);
	assert_int_equal(rate.seconds, 86400);
	assert_true(cfg_units_rate("messages", STR("3"), &rate));
	assert_int_equal(rate.seconds, 1);
	assert_false(cfg_units_rate("messages", STR("200/hour"), &rate));
	assert_false(cfg_units_rate("messages", STR("1KiB/h"), &rate));
}

static void
test_what_is_printed_is_read_back(void **unused)
{
	(void)unused;
	static const struct {
		const char *unit;
		uint64_t value;
		const char *text;
	} rows[] = {
		{"seconds",           300,        "5m"                   },
		{"seconds",           432000,     "5d"                   },
		{"seconds",           61,         "61s"                  },
		{"seconds",           0,          "0s"                   },
		{"octets",            52428800,   "50MiB"                },
		{"octets",            65537,      "65537B"               },
		{"octets",            UINT64_MAX, "18446744073709551615B"},
		{"octets per second", 128,        "128B/s"               },
		{"octets per second", 65536,      "64KiB/s"              },
		{"recipients",        1024,       "1024"                 },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[40];
		struct buf b = BUF_ON(room);
		uint64_t value;

		cfg_units_print(rows[i].unit, rows[i].value, &b);
		assert_string_equal(room, rows[i].text);
		assert_true(cfg_units_parse(rows[i].unit, buf_str(&b), &value));
		assert_true(value == rows[i].value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_number_may_have_its_units_suffix),
		cmocka_unit_test(test_anything_else_is_refused),
		cmocka_unit_test(test_a_rate_is_a_count_and_its_period),
		cmocka_unit_test(test_what_is_printed_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
