/*
 * Replies of servers: what is one, what is kept of it, and what is none.
 */
#include <string.h>

#include "base/test.h"
#include "proto/smtp_reply.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
test_one_reply(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str wire;
		const char *printed;
		struct str rest;
	} rows[] = {
		{STR_INIT("250 2.1.0 ok\r\n"),                       "250 2.1.0 ok", STR_INIT("")},
		{STR_INIT("250\r\n"),                                "250", STR_INIT("")},
		{STR_INIT("250 \r\n"),                               "250", STR_INIT("")},
		{STR_INIT("599 x\r\n"),                              "599 x", STR_INIT("")},
		{STR_INIT("354 go on\r\n250 next\r\n"),              "354 go on", STR_INIT("250 next\r\n")},
		{STR_INIT("550-5.1.1 no such\r\n550 5.1.1 user\r\n"), "550 5.1.1 no such user", STR_INIT("")},
		{STR_INIT("550-5.1.1 one\r\n550 5.7.1 two\r\n"),     "550 5.1.1 one 5.7.1 two", STR_INIT("")},
		{STR_INIT("550-\r\n550-\r\n550 end\r\n"),            "550 end", STR_INIT("")},
		/* an enhanced code is of the reply's own class and stands alone (RFC 2034 §4) */
		{STR_INIT("550 2.1.1 odd\r\n"),                      "550 2.1.1 odd", STR_INIT("")},
		{STR_INIT("450 4.2.2full\r\n"),                      "450 4.2.2full", STR_INIT("")},
		{STR_INIT("450 4.200.999 far\r\n"),                  "450 4.200.999 far", STR_INIT("")},
		{STR_INIT("450 4.2000.1 too far\r\n"),               "450 4.2000.1 too far", STR_INIT("")},
		{STR_INIT("450 4..1\r\n"),                           "450 4..1", STR_INIT("")},
		{STR_INIT("450 4.1.\r\n"),                           "450 4.1.", STR_INIT("")},
		{STR_INIT("450 4.2.2\r\n"),                          "450 4.2.2", STR_INIT("")},
		/* printable, whatever it was */
		{STR_INIT("550 a\tb  \r\n"),                         "550 a b", STR_INIT("")},
		{STR_INIT("550 \xff caf\xc3\xa9 \xe2\x82\r\n"),      "550 ? caf\xc3\xa9 ??", STR_INIT("")},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str in = rows[i].wire;
		struct smtp_reply r;
		struct err e = {.text = ""};
		char room[512];
		struct buf b = BUF_ON(room);

		smtp_reply_init(&r);
		if (smtp_reply_take(&r, &in, &e) != RC_OK)
			fail_msg("row %zu: %s", i, e.text);
		smtp_reply_print(&b, &r);
		assert_string_equal(room, rows[i].printed);
		assert_str(in, rows[i].rest);
	}
}

/* What is not a reply, or was put into one by somebody else. */
static void
test_no_reply(void **unused)
{
	/* clang-format off */
	static const struct {
		struct str wire;
		const char *why;
	} rows[] = {
		{STR_INIT("\r\n"),                           "not a reply"},
		{STR_INIT("25\r\n"),                         "not a reply"},
		{STR_INIT("150 x\r\n"),                      "not a reply"},
		{STR_INIT("600 x\r\n"),                      "not a reply"},
		{STR_INIT("2x0 x\r\n"),                      "not a reply"},
		{STR_INIT("250x\r\n"),                       "not a reply"},
		{STR_INIT("250+x\r\n"),                      "not a reply"},
		{STR_INIT(" 250 x\r\n"),                     "not a reply"},
		{STR_INIT("HTTP/1.1 400 Bad Request\r\n"),   "not a reply"},
		{STR_INIT("250-a\r\n251 b\r\n"),             "two codes"},
		{STR_INIT("550-a\r\n\r\n550 b\r\n"),         "not a reply"},
		/* a refusal that repeats a line of the message must not become an approval */
		{STR_INIT("550 refused: x\n250 ok\r\n"),     "does not end in CR LF"},
		{STR_INIT("550 refused: x\r250 ok\r\n"),     "control octets"},
		{STR_INIT("\n250 ok\r\n"),                   "does not end in CR LF"},
		{STR_INIT("550 a\0b\r\n"),                   "control octets"},
		{STR_INIT("550 a\r\r\n"),                    "control octets"},
		{STR_INIT("550 \x1b[2J\r\n"),                "control octets"},
		{STR_INIT("550 \x7f\r\n"),                   "control octets"},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str in = rows[i].wire;
		struct smtp_reply r;
		struct err e = {.text = ""};

		smtp_reply_init(&r);
		assert_int_equal(smtp_reply_take(&r, &in, &e), RC_PERM);
		if (strstr(e.text, rows[i].why) == NULL)
			fail_msg("row %zu: %s", i, e.text);
	}
}

/* However it is cut, it is the same reply: half a line is never taken for one. */
static void
test_pieces(void **unused)
{
	struct str wire = STR("250-mail.example.org\r\n250-PIPELINING\r\n250-size 1000\r\n"
	                      "250-8BITMIMEX\r\n250 SMTPUTF8\r\n");
	char room[256];

	(void)unused;
	for (size_t cut = 0; cut < wire.n; cut++) {
		struct str in = str_slice(wire, 0, cut);
		struct smtp_reply r;
		struct err e;

		smtp_reply_init(&r);
		assert_int_equal(smtp_reply_take(&r, &in, &e), RC_AGAIN);
		assert_true(str_find(in, '\n') == in.n);
		memcpy(room, in.p, in.n);
		memcpy(room + in.n, wire.p + cut, wire.n - cut);
		in = (struct str){room, in.n + wire.n - cut};
		assert_int_equal(smtp_reply_take(&r, &in, &e), RC_OK);
		assert_int_equal(r.lines, 5);
		assert_int_equal(r.offers, OFFER_PIPELINING | OFFER_SIZE | OFFER_SMTPUTF8);
		assert_int_equal(in.n, 0);
	}
}

/* The first line of an EHLO reply is a name, whatever it looks like. */
static void
test_a_name_offers_nothing(void **unused)
{
	struct str in = STR("250-PIPELINING\r\n250 8bitmime\r\n");
	struct smtp_reply r;
	struct err e;

	(void)unused;
	smtp_reply_init(&r);
	assert_int_equal(smtp_reply_take(&r, &in, &e), RC_OK);
	assert_int_equal(r.offers, OFFER_8BITMIME);
}

static void
test_limits(void **unused)
{
	char room[REPLY_LINE_MAX + 2];
	struct smtp_reply r;
	struct err e;

	(void)unused;
	memset(room, 'a', sizeof(room));
	memcpy(room, "250 ", 4);
	struct str in = {room, REPLY_LINE_MAX - 1};
	smtp_reply_init(&r);
	assert_int_equal(smtp_reply_take(&r, &in, &e), RC_AGAIN);
	memcpy(room + REPLY_LINE_MAX - 2, "\r\n", 2);
	in = (struct str){room, REPLY_LINE_MAX};
	assert_int_equal(smtp_reply_take(&r, &in, &e), RC_OK);
	assert_int_equal(str_of(r.text).n, REPLY_TEXT_MAX);
	memset(room + 4, 'a', sizeof(room) - 4);
	in = (struct str){room, REPLY_LINE_MAX};
	smtp_reply_init(&r);
	assert_int_equal(smtp_reply_take(&r, &in, &e), RC_PERM);

	smtp_reply_init(&r);
	for (unsigned i = 0; i < REPLY_LINES_MAX; i++) {
		in = STR("250-\xe2\x82\xac\xe2\x82\xac" A64 "\r\n");
		assert_int_equal(smtp_reply_take(&r, &in, &e), RC_AGAIN);
	}
	assert_true(str_is_utf8(str_of(r.text)));
	in = STR("250 end\r\n");
	assert_int_equal(smtp_reply_take(&r, &in, &e), RC_PERM);
}

static void
test_classes(void **unused)
{
	static const struct {
		const char *wire;
		enum rc rc;
	} rows[] = {
		{"250 x\r\n", RC_OK   },
		{"354 x\r\n", RC_AGAIN},
		{"421 x\r\n", RC_TEMP },
		{"550 x\r\n", RC_PERM },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct str in = str_of(rows[i].wire);
		struct smtp_reply r;
		struct err e;

		smtp_reply_init(&r);
		assert_int_equal(smtp_reply_take(&r, &in, &e), RC_OK);
		assert_int_equal(smtp_reply_rc(&r), rows[i].rc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_reply), cmocka_unit_test(test_no_reply),
		cmocka_unit_test(test_pieces),    cmocka_unit_test(test_a_name_offers_nothing),
		cmocka_unit_test(test_limits),    cmocka_unit_test(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
