/*
 * Bodies on their way: what DATA carries, however little room there is, and from a file as from
 * memory; and that nothing leaves that is not what was accepted.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/test.h"
#include "remote/dialog_rig.h"

static struct parcel *
in_file(struct str body, uint64_t size, uint64_t hash)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	struct msg_work_file w = {.id = 7,
	                          .size = size,
	                          .hash = hash,
	                          .sender = STR("s@example.net"),
	                          .body = fd};

	assert_true(fd >= 0 && write(fd, body.p, body.n) == (ssize_t)body.n);
	return parcel_of_file(&w);
}

static enum rc
check_all(struct parcel *p)
{
	struct err e;
	enum rc rc;

	do {
		rc = parcel_check(p, &e);
	} while (rc == RC_AGAIN);
	return rc;
}

static void
assert_wire(struct parcel *p, struct str want, size_t room)
{
	char all[512];
	struct buf got = BUF_ON(all);
	struct err e;
	enum rc rc;

	do {
		char piece[512];
		struct buf b = {.p = buf_room(piece), .cap = room};

		rc = parcel_body(p, &b, &e);
		assert_false(b.cut);
		assert_true(rc == RC_OK || b.n > 0);
		buf_add(&got, buf_str(&b));
	} while (rc == RC_AGAIN);
	assert_int_equal(rc, RC_OK);
	assert_str(buf_str(&got), want);
}

static void
test_what_data_carries(void **unused)
{
	static const struct {
		struct str body;
		struct str wire;
		uint64_t size;
	} rows[] = {
		{STR_INIT(""),					      STR_INIT(".\r\n"),                     0 },
		{STR_INIT("a\n"),					   STR_INIT("a\r\n.\r\n"),                3 },
		{STR_INIT("a"),					     STR_INIT("a\r\n.\r\n"),                3 },
		{STR_INIT(".\n..\n.a\n"),                                   STR_INIT("..\r\n...\r\n..a\r\n.\r\n"), 11},
		{STR_INIT("\n\n.\n"),				       STR_INIT("\r\n\r\n..\r\n.\r\n"),       7 },
		{STR_INIT("a.\n.b"),					STR_INIT("a.\r\n..b\r\n.\r\n"),        8 },
		{STR_INIT("0123456789012345678901234567890123456789\n.\n"),
	         STR_INIT("0123456789012345678901234567890123456789\r\n..\r\n.\r\n"),                              45},
		{STR_INIT("\0\xff \t\n"),                                   STR_INIT("\0\xff \t\r\n.\r\n"),        6 },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (size_t room = 18; room < 40; room++) {
			struct str body = rows[i].body;
			struct parcel *p = rig_parcel(1, body, 0);
			struct parcel *f = in_file(body, body.n, XXH3_64bits(body.p, body.n));

			assert_int_equal(p->wire, rows[i].size);
			assert_wire(p, rows[i].wire, room);
			parcel_rewind(p);
			assert_wire(p, rows[i].wire, 512);
			assert_int_equal(check_all(f), RC_OK);
			assert_int_equal(f->wire, rows[i].size);
			assert_wire(f, rows[i].wire, room);
			(void)parcel_free(p);
			(void)parcel_free(f);
		}
}

static void
test_what_is_not_what_was_accepted(void **unused)
{
	struct str body = STR("Subject: x\n\nhello\n");
	uint64_t hash = XXH3_64bits(body.p, body.n);
	struct parcel *bad[] = {
		in_file(body, body.n, hash + 1),
		in_file(body, body.n + 1, hash),
		in_file(body, body.n - 1, hash),
		in_file(body, body.n - 1, XXH3_64bits(body.p, body.n - 1)),
		in_file(STR(""), body.n, hash),
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		assert_int_equal(check_all(bad[i]), RC_PERM);
		(void)parcel_free(bad[i]);
	}
}

/* A body file that shrinks or grows between the check and the sending ends the sending. */
static void
test_a_file_that_changes(void **unused)
{
	static const off_t lengths[] = {5, 30};
	struct str body = STR("Subject: x\n\nhello\n");

	(void)unused;
	for (size_t i = 0; i < LENGTH(lengths); i++) {
		struct parcel *p = in_file(body, body.n, XXH3_64bits(body.p, body.n));
		char room[256];
		struct buf b = BUF_ON(room);
		struct err e;

		assert_int_equal(check_all(p), RC_OK);
		assert_int_equal(ftruncate(p->fd, lengths[i]), 0);
		assert_int_equal(parcel_body(p, &b, &e), RC_PERM);
		(void)parcel_free(p);
	}
}

/* Others have their turns while a long body is looked at. */
static void
test_a_long_body_is_looked_at_bit_by_bit(void **unused)
{
	static char octets[3 * PARCEL_CHECK_OCTETS];
	struct str body = {octets, sizeof(octets)};
	struct parcel *p;
	struct err e;
	unsigned turns = 1;

	(void)unused;
	memset(octets, 'a', sizeof(octets));
	octets[sizeof(octets) - 1] = (char)0xe9;
	p = in_file(body, body.n, XXH3_64bits(body.p, body.n));
	while (parcel_check(p, &e) == RC_AGAIN)
		turns++;
	assert_true(p->checked && p->eight_bit && turns >= 3);
	(void)parcel_free(p);
}

static void
test_reasons_are_cut_between_letters(void **unused)
{
	struct parcel *p = rig_parcel(2, STR("x\n"), 0);
	char room[400];
	struct buf b = BUF_ON(room);

	(void)unused;
	buf_addc(&b, 'x');
	while (b.n < 300)
		buf_add(&b, STR("\xc3\xa9"));
	parcel_settle(p, &p->aims[0], RC_TEMP, buf_str(&b));
	assert_int_equal(str_of(p->aims[0].why).n, 249);
	parcel_settle(p, &p->aims[0], RC_OK, STR("too late"));
	assert_int_equal(p->aims[0].rc, RC_TEMP);
	assert_int_equal(p->unsettled, 1);
	(void)parcel_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_data_carries),
		cmocka_unit_test(test_what_is_not_what_was_accepted),
		cmocka_unit_test(test_a_file_that_changes),
		cmocka_unit_test(test_a_long_body_is_looked_at_bit_by_bit),
		cmocka_unit_test(test_reasons_are_cut_between_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
