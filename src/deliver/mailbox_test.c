/*
 * A mailbox's folder: what is promised, and what hostile text becomes. See mailbox.h.
 */
#include <string.h>

#include "base/test.h"
#include "deliver/mailbox.h"

struct row {
	struct str mailbox;
	const char *domain; /* NULL: refused */
	const char *user;
};

static void
check_row(const struct row *row)
{
	struct mailbox_path path = {"untouched", "untouched"};
	struct err e;
	enum rc rc = mailbox_path_of(row->mailbox, &path, &e);

	if (row->domain == NULL) {
		if (rc != RC_PERM)
			fail_msg("accepted: %.*s", STR_FMT(row->mailbox));
		assert_string_equal(path.domain, "untouched");
		return;
	}
	assert_int_equal(rc, RC_OK);
	assert_string_equal(path.domain, row->domain);
	assert_string_equal(path.user, row->user);
}

static void
test_usual_mailboxes_are_domain_and_user(void **unused)
{
	const struct row rows[] = {
		{STR("alice@example.org"),         "example.org",     "alice"        },
		{STR("o'brien+x@xn--a-1.example"), "xn--a-1.example", "o'brien+x"    },
		{STR("m\xc3\xbcller@localhost"),   "localhost",       "m\xc3\xbcller"},
		{STR("a@b@example.org"),           "example.org",     "a@b"          },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		check_row(&rows[i]);
}

static void
test_no_mailbox_is_a_path(void **unused)
{
	const struct row rows[] = {
		{STR("..@example.org"),               "example.org", "%2E."    },
		{STR(".@example.org"),                "example.org", "%2E"     },
		{STR("../../etc/passwd@example.org"), "example.org",
	         "%2E.%2F..%2Fetc%2Fpasswd"                                    },
		{STR("/etc@example.org"),             "example.org", "%2Fetc"  },
		{STR("a\0b@example.org"),             "example.org", "a%00b"   },
		{STR("a\nb\x7f@example.org"),         "example.org", "a%0Ab%7F"},
		{STR("%2E@example.org"),              "example.org", "%252E"   },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		check_row(&rows[i]);
}

static void
test_a_domain_is_letters_digits_hyphens_in_labels(void **unused)
{
	const struct str refused[] = {
		STR("a@.."),
		STR("a@."),
		STR("a@"),
		STR("a@.tmp-0"),
		STR("a@example..org"),
		STR("a@example.org."),
		STR("a@example/org"),
		STR("a@Example.org"),
		STR("a@ex\0mple.org"),
		STR("a@[192.0.2.1]"),
		STR("a@b%2F"),
		STR("a@m\xc3\xbcnchen.example"),
		STR("@example.org"),
		STR("example.org"),
		STR(""),
		STR("@"),
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(refused); i++)
		check_row(&(struct row){refused[i], NULL, NULL});
}

/* Half a name would be another mailbox's folder. */
static void
test_a_name_too_long_is_refused_whole(void **unused)
{
	char text[300];
	struct mailbox_path path;
	struct err e;

	(void)unused;
	memset(text, 'a', sizeof(text));
	memcpy(text + 255, "@b", 2);
	assert_int_equal(mailbox_path_of((struct str){text, 257}, &path, &e), RC_OK);
	assert_int_equal(strlen(path.user), 255);
	text[0] = '/'; /* is three octets */
	assert_int_equal(mailbox_path_of((struct str){text, 257}, &path, &e), RC_PERM);
	text[0] = 'a';
	text[255] = 'a';
	text[1] = '@';
	assert_int_equal(mailbox_path_of((struct str){text, 257}, &path, &e), RC_OK);
	assert_int_equal(mailbox_path_of((struct str){text, 258}, &path, &e), RC_PERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_mailboxes_are_domain_and_user),
		cmocka_unit_test(test_no_mailbox_is_a_path),
		cmocka_unit_test(test_a_domain_is_letters_digits_hyphens_in_labels),
		cmocka_unit_test(test_a_name_too_long_is_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
