/*
 * Our Received: field: its words, and that a client writes none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "proto/header.h"
#include "proto/received.h"

#define A10 "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define A255 A100 A100 A10 A10 A10 A10 A10 "aaaaa"

static struct received
plain(void)
{
	struct received r = {
		.helo = STR("mx.r.example"),
		.rdns = STR("host.r.example"),
		.host = STR("mail.l.example"),
		.esmtp = true,
		.id = 0,
		.rcpt = STR("bob@l.example"),
		.wall_us = 1057056757000000, /* 2003-07-01 10:52:37 */
	};

	assert_true(netaddr_parse(STR("192.0.2.1"), &r.client));
	return r;
}

static void
assert_received(const struct received *r, const char *want)
{
	char room[RECEIVED_MAX];
	struct buf b = BUF_ON(room);

	assert_true(received_add(&b, r));
	assert_string_equal(room, want);
}

static void
test_whole_field(void **unused)
{
	struct received r = plain();

	(void)unused;
	assert_received(
		&r,
		"Received: from mx.r.example (host.r.example [192.0.2.1]) by mail.l.example\n"
		" with ESMTP id 0000000000000 for <bob@l.example>; Tue, 1 Jul 2003 10:52:37\n"
		" +0000\n");
	r.rcpt = STR_NONE;
	r.rdns = STR_NONE;
	assert_true(netaddr_parse(STR("2001:db8::1"), &r.client));
	assert_received(
		&r,
		"Received: from mx.r.example (unknown [IPv6:2001:db8::1]) by mail.l.example\n"
		" with ESMTP id 0000000000000; Tue, 1 Jul 2003 10:52:37 +0000\n");
	r.client = netaddr_local(1000);
	assert_received(
		&r, "Received: from mx.r.example (uid 1000) by mail.l.example with ESMTP id\n"
		    " 0000000000000; Tue, 1 Jul 2003 10:52:37 +0000\n");
}

static void
test_a_user_of_the_machine(void **unused)
{
	struct received r = plain();

	(void)unused;
	r.client = netaddr_local(33);
	r.user = STR("www-data");
	assert_received(&r,
	                "Received: by mail.l.example (from local user www-data, uid 33) id\n"
	                " 0000000000000 for <bob@l.example>; Tue, 1 Jul 2003 10:52:37 +0000\n");
	r.user = STR("a) by x (b");
	r.rcpt = STR_NONE;
	assert_received(&r,
	                "Received: by mail.l.example (from local user a??by?x??b, uid 33) id\n"
	                " 0000000000000; Tue, 1 Jul 2003 10:52:37 +0000\n");
}

/* RFC 3848, RFC 6531 §4.3. */
static void
test_with(void **unused)
{
	/* clang-format off */
	static const struct {
		bool esmtp, tls, auth, utf8;
		const char *with;
		bool lmtp;
	} rows[] = {
		{false, false, false, false, " SMTP ", false},
		{true, false, false, false, " ESMTP ", false},
		{true, true, false, false, " ESMTPS ", false},
		{false, true, false, false, " ESMTPS ", false}, /* TLS was not begun without EHLO */
		{false, false, true, false, " ESMTPA ", false},
		{true, false, true, false, " ESMTPA ", false},
		{true, true, true, false, " ESMTPSA ", false},
		{true, false, false, true, " UTF8SMTP ", false},
		{true, true, false, true, " UTF8SMTPS ", false},
		{true, false, true, true, " UTF8SMTPA ", false},
		{true, true, true, true, " UTF8SMTPSA ", false},
		{true, false, false, false, " LMTP ", true},
		{true, true, true, true, " UTF8LMTPSA ", true},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[RECEIVED_MAX];
		struct buf b = BUF_ON(room);
		struct received r = plain();

		r.esmtp = rows[i].esmtp;
		r.tls = rows[i].tls;
		r.auth = rows[i].auth;
		r.utf8 = rows[i].utf8;
		r.lmtp = rows[i].lmtp;
		assert_true(received_add(&b, &r));
		if (strstr(room, rows[i].with) == NULL)
			fail_msg("row %zu: %s", i, room);
	}
}

static void
test_hostile_names_write_no_words_of_ours(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str helo;
		const char *printed;
	} rows[] = {
		{STR_INIT("a.example (trusted [192.0.2.9]) by us"),
		 "from a.example??trusted?[192.0.2.9]??by?us ("},
		{STR_INIT("x\r\nBcc: y"), "from x??Bcc:?y ("},
		{STR_INIT("\\)\"<>;,"), "from ??????? ("},
		{STR_INIT("a\0b\xfc"), "from a?b? ("},
		{STR_INIT("[IPv6:2001:db8::9]"), "from [IPv6:2001:db8::9] ("},
		{STR_INIT("my_pc"), "from my_pc ("},
		{STR_INIT(""), "from unknown ("},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[RECEIVED_MAX];
		struct buf b = BUF_ON(room);
		struct received r = plain();
		struct header_field f;

		r.helo = rows[i].helo;
		assert_true(received_add(&b, &r));
		if (strstr(room, rows[i].printed) == NULL)
			fail_msg("row %zu: %s", i, room);
		struct str in = buf_str(&b);
		assert_true(header_next(&in, &f));
		assert_int_equal(in.n, 0);
	}
}

static void
test_longest_field_fits(void **unused)
{
	char room[RECEIVED_MAX];
	char rcpt[255];
	struct buf b = BUF_ON(room);
	struct buf to = BUF_ON(rcpt);
	struct received r = plain();

	(void)unused;
	buf_add(&to, STR("\""));
	for (size_t i = 0; i < 126; i++)
		buf_add(&to, STR("a ")); /* folds at every blank where it must */
	buf_add(&to, STR("\""));
	r.helo = STR(A255 "more");
	r.rdns = STR(A255);
	r.host = STR(A255);
	r.rcpt = buf_str(&to);
	r.tls = r.auth = r.utf8 = true;
	assert_true(netaddr_parse(STR("1111:2222:3333:4444:5555:6666:7777:8888"), &r.client));
	assert_true(received_add(&b, &r));
	assert_null(strstr(room, "more"));
}

static void
test_field_without_room_or_with_controls_is_left_out(void **unused)
{
	char room[40];
	struct buf b = BUF_ON(room);
	struct received r = plain();

	(void)unused;
	assert_false(received_add(&b, &r));
	assert_true(b.cut);
	assert_string_equal(room, "");
	char more[RECEIVED_MAX];
	struct buf c = BUF_ON(more);
	r.rcpt = STR("a@b\nBcc: c");
	assert_false(received_add(&c, &r));
	r.rcpt = STR(A255 A255 A255 A255 A255 A255);
	assert_false(received_add(&c, &r));
	assert_string_equal(more, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_field),
		cmocka_unit_test(test_a_user_of_the_machine),
		cmocka_unit_test(test_with),
		cmocka_unit_test(test_hostile_names_write_no_words_of_ours),
		cmocka_unit_test(test_longest_field_fits),
		cmocka_unit_test(test_field_without_room_or_with_controls_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
