/*
 * cmocka with what it must be given first. Only x_test.c files include it.
 */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

/* Both lengths and octets; prints them where they differ. */
#define assert_str(got, want) \
	do { \
		struct str got_ = (got); \
		struct str want_ = (want); \
		if (!str_eq(got_, want_)) \
			fail_msg("got \"%.*s\", want \"%.*s\"", STR_FMT(got_), \
			         STR_FMT(want_)); \
	} while (0)

#endif
