/*
 * Names, fields and octets of a delivered file. See mailfile.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fd.h"
#include "base/test.h"
#include "deliver/mailfile.h"

static char chunk[MAILFILE_CHUNK];
static char written[4 * MAILFILE_CHUNK];
static char octets[3 * MAILFILE_CHUNK];

static void
test_the_name_comes_from_what_the_spool_keeps(void **unused)
{
	struct mail m = {.id = (UINT64_C(126230400) * 1000000) << 12, .seq = 0x10002a};

	(void)unused;
	assert_string_equal(mailfile_name_of(&m, 7, STR("mail.example.org"), 4242).c,
	                    "1704067200.10002a_0eb74w9q00000_7.mail.example.org,S=4242");
}

static void
test_the_largest_name_is_a_name(void **unused)
{
	char room[MAILFILE_HOST_MAX + 1];
	struct buf host = BUF_ON(room);
	struct mail m = {.id = INT64_MAX, .seq = INT64_MAX};
	char slashes[255];

	(void)unused;
	memset(slashes, '/', sizeof(slashes));
	mailfile_add_host(&host, (struct str){slashes, sizeof(slashes)});
	assert_false(host.cut);
	struct mailfile_name name = mailfile_name_of(&m, 9999, buf_str(&host), INT64_MAX);

	assert_true(str_iends(str_of(name.c), STR(",S=9223372036854775807")));
	assert_true(strlen(name.c) + strlen(":2,DFPRST") <= NAME_MAX);
	assert_null(strchr(name.c, '/'));
}

static void
test_a_host_name_stays_readable(void **unused)
{
	const struct {
		struct str host;
		const char *want;
	} rows[] = {
		{STR("mail.example.org"), "mail.example.org"},
		{STR("a/b:c"),            "a\\057b\\072c"   },
		{STR("x,S=1"),            "x\\054S\\0751"   },
		{STR(""),                 ""                },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[MAILFILE_HOST_MAX + 1];
		struct buf b = BUF_ON(room);

		mailfile_add_host(&b, rows[i].host);
		assert_string_equal(room, rows[i].want);
	}
}

static void
test_three_fields_stand_on_top(void **unused)
{
	char room[MAILFILE_HEADER_MAX];
	struct buf b = BUF_ON(room);
	struct err e;

	(void)unused;
	assert_int_equal(mailfile_add_header(&b, STR("s@example.net"),
	                                     STR("Team+x@example.org"),
	                                     STR("alice@example.org"), &e),
	                 RC_OK);
	assert_string_equal(room, "Return-Path: <s@example.net>\n"
	                          "X-Original-To: Team+x@example.org\n"
	                          "Delivered-To: alice@example.org\n");
	buf_clear(&b);
	assert_int_equal(mailfile_add_header(&b, STR(""), STR("a@b"), STR("a@b"), &e), RC_OK);
	assert_true(str_starts(buf_str(&b), STR("Return-Path: <>\n")));
}

static void
test_no_address_makes_a_field_of_its_own(void **unused)
{
	const struct str bad[] = {STR("a@b\nX: y"), STR("a\rb"), STR("a\0b")};

	(void)unused;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		char room[MAILFILE_HEADER_MAX];
		struct buf b = BUF_ON(room);
		struct err e;

		assert_int_equal(mailfile_add_header(&b, bad[i], STR("a"), STR("a"), &e),
		                 RC_PERM);
		assert_int_equal(mailfile_add_header(&b, STR("a"), bad[i], STR("a"), &e),
		                 RC_PERM);
		assert_int_equal(mailfile_add_header(&b, STR("a"), STR("a"), bad[i], &e),
		                 RC_PERM);
	}
}

static void
test_the_longest_addresses_fit(void **unused)
{
	char longest[320];
	char room[MAILFILE_HEADER_MAX];
	struct buf b = BUF_ON(room);
	struct str s = {longest, sizeof(longest)};
	struct err e;

	(void)unused;
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(mailfile_add_header(&b, s, s, s, &e), RC_OK);
}

/* What stands in the file after mailfile_write. */
static struct str
write_it(const struct mail *m, enum rc *ret_rc, struct err *e)
{
	CLEANUP(fd_closep) int fd = memfd_create("mail", MFD_CLOEXEC);
	ssize_t n;

	*ret_rc = mailfile_write(fd, STR("H: 1\n"), m, chunk, e);
	n = pread(fd, written, sizeof(written), 0);
	return (struct str){written, (size_t)n};
}

static struct mail
mail_of(size_t n)
{
	for (size_t i = 0; i < n; i++)
		octets[i] = (char)(i * 7 + i / 251);
	return (struct mail){
		.size = n, .hash = XXH3_64bits(octets, n), .body = {octets, n},
                         .body_fd = -1
        };
}

static int
file_of(const struct mail *m)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	assert_int_equal(write(fd, m->body.p, m->body.n), m->body.n);
	return fd; /* its offset stands at the end: the writer must not care */
}

static void
check_written(const struct mail *m)
{
	struct err e;
	enum rc rc;
	struct str got = write_it(m, &rc, &e);

	assert_int_equal(rc, RC_OK);
	assert_true(str_starts(got, STR("H: 1\n")));
	assert_true(str_eq(str_slice(got, 5, got.n), (struct str){octets, m->size}));
}

static void
test_octets_are_kept_inline_and_from_a_file(void **unused)
{
	static const size_t sizes[] = {0,
	                               1,
	                               4096,
	                               MAILFILE_CHUNK - 1,
	                               MAILFILE_CHUNK,
	                               MAILFILE_CHUNK + 1,
	                               3 * MAILFILE_CHUNK};

	(void)unused;
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct mail m = mail_of(sizes[i]);

		check_written(&m);
		m.body_fd = file_of(&m);
		check_written(&m);
		fd_closep(&m.body_fd);
	}
}

static void
check_corrupt(const struct mail *m)
{
	struct err e;
	enum rc rc;

	(void)write_it(m, &rc, &e);
	assert_int_equal(rc, RC_PERM);
	assert_int_equal(e.sys, 0);
	assert_true(str_starts(str_of(e.text), STR("corrupt")));
}

/* P4: what was accepted is what is delivered, or nothing is. */
static void
test_a_changed_body_is_refused(void **unused)
{
	static const size_t sizes[] = {1, 4096, MAILFILE_CHUNK + 1};

	(void)unused;
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct mail m = mail_of(sizes[i]);

		octets[sizes[i] - 1] ^= 1;
		check_corrupt(&m);
		m.body_fd = file_of(&m);
		check_corrupt(&m);
		fd_closep(&m.body_fd);
	}
}

static void
test_a_body_of_another_size_is_refused(void **unused)
{
	struct mail m = mail_of(5000);

	(void)unused;
	m.body_fd = file_of(&m);
	m.size = 4999; /* with its right hash: the file has grown */
	m.hash = XXH3_64bits(octets, 4999);
	check_corrupt(&m);
	m = (struct mail){.size = 5001, .hash = m.hash, .body_fd = m.body_fd};
	check_corrupt(&m);
	m.size = INT64_MAX;
	check_corrupt(&m);
	fd_closep(&m.body_fd);
	m = mail_of(5000);
	m.size = 4999;
	check_corrupt(&m);
}

static void
test_a_body_that_is_no_file_is_the_systems_trouble(void **unused)
{
	struct mail m = mail_of(100);
	struct err e;
	enum rc rc;
	int ends[2];

	(void)unused;
	assert_int_equal(pipe(ends), 0);
	m.body_fd = ends[0];
	(void)write_it(&m, &rc, &e);
	assert_int_not_equal(rc, RC_OK);
	assert_int_equal(e.sys, ESPIPE);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_name_comes_from_what_the_spool_keeps),
		cmocka_unit_test(test_the_largest_name_is_a_name),
		cmocka_unit_test(test_a_host_name_stays_readable),
		cmocka_unit_test(test_three_fields_stand_on_top),
		cmocka_unit_test(test_no_address_makes_a_field_of_its_own),
		cmocka_unit_test(test_the_longest_addresses_fit),
		cmocka_unit_test(test_octets_are_kept_inline_and_from_a_file),
		cmocka_unit_test(test_a_changed_body_is_refused),
		cmocka_unit_test(test_a_body_of_another_size_is_refused),
		cmocka_unit_test(test_a_body_that_is_no_file_is_the_systems_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
