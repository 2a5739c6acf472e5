/*
 * Error texts. See err.h.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/test.h"

static void
test_each_caller_adds_what_it_was_doing(void **unused)
{
	struct err e;

	(void)unused;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open %s", "4f1c"), RC_PERM);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(err_in(&e, "commit %s", "4f1c"), RC_PERM);
	assert_string_equal(e.text, "commit 4f1c: open 4f1c: No such file or directory");
}

static void
test_errno_chooses_later_or_never(void **unused)
{
	static const struct {
		int number;
		enum rc rc;
	} rows[] = {
		{EAGAIN,     RC_AGAIN},
                {EINTR,      RC_AGAIN},
                {ENOENT,     RC_PERM },
		{EACCES,     RC_PERM },
                {ELOOP,      RC_PERM },
                {EINVAL,     RC_PERM },
		{EIO,        RC_TEMP },
                {ENOSPC,     RC_TEMP },
                {EDQUOT,     RC_TEMP },
		{ENOMEM,     RC_TEMP },
                {EMFILE,     RC_TEMP },
                {ECONNRESET, RC_TEMP },
		{EROFS,      RC_TEMP },
                {ETIMEDOUT,  RC_TEMP },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct err e;

		errno = rows[i].number;
		assert_int_equal(err_sys(&e, "x"), rows[i].rc);
		assert_int_equal(e.rc, rows[i].rc);
	}
}

static void
test_set_has_no_errno(void **unused)
{
	struct err e;

	(void)unused;
	assert_int_equal(err_set(&e, RC_TEMP, "%d of %d", 1, 2), RC_TEMP);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.text, "1 of 2");
}

/* However deep the callers, the text stays inside and ends. */
static void
test_long_texts_are_bounded(void **unused)
{
	struct err e;
	char longer[2 * sizeof(e.text)];

	(void)unused;
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	(void)err_set(&e, RC_TEMP, "%s", longer);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	for (int i = 0; i < 100; i++) {
		(void)err_in(&e, "caller %d", i);
		assert_true(strlen(e.text) < sizeof(e.text));
	}
	assert_int_equal(strncmp(e.text, "caller 99: caller 98: ", 22), 0);
	errno = EIO;
	(void)err_sys(&e, "%s", longer);
	assert_true(strlen(e.text) < sizeof(e.text));
	assert_non_null(strstr(e.text, ": Input/output error")); /* the cause has its room */
	(void)err_in(&e, "%s", longer); /* too long to be put in front: the cause remains */
	assert_true(strlen(e.text) < sizeof(e.text));
	assert_non_null(strstr(e.text, ": Input/output error"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_caller_adds_what_it_was_doing),
		cmocka_unit_test(test_errno_chooses_later_or_never),
		cmocka_unit_test(test_set_has_no_errno),
		cmocka_unit_test(test_long_texts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
