/*
 * Headers of programs: what is taken from them, added to them and taken out of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sendmail/head.h"

static const struct head_add add = {.origin = STR_INIT("o.example"),
                                    .sender = STR_INIT("me@o.example"),
                                    .full_name = STR_INIT("Me"),
                                    .date = STR_INIT("DATE"),
                                    .id = STR_INIT("ID")};

/* clang-format off */
static const struct {
	const char *in;
	const char *to; /* each behind a blank */
	const char *out;
} rows[] = {
	{"", "", "Message-ID: <ID>\nDate: DATE\nFrom: \"Me\" <me@o.example>\n"},
	{"From: a@x\nDate: d\nMessage-Id: <i>\nTo: b, c@x\n", " b c@x",
	 "From: a@x\nDate: d\nMessage-Id: <i>\nTo: b@o.example, c@x\n"},
	{"Bcc: s@x,\n t@x\nfrom: a@x\nDATE: d\nmessage-id: <i>\nReturn-Path: <r@x>\n"
	 "Content-Length: 7\nresent-bcc: u@x\n", " u@x",
	 "Resent-Message-ID: <ID>\nResent-Date: DATE\nResent-From: \"Me\" <me@o.example>\n"
	 "from: a@x\nDATE: d\nmessage-id: <i>\n"},
	{"From: a\nDate: d\nMessage-ID: <i>\nTo: G: b (c), D <d>;\nSubject: a, b\n", " b d",
	 "From: a@o.example\nDate: d\nMessage-ID: <i>\nTo: G: b@o.example (c), D <d@o.example>;\n"
	 "Subject: a, b\n"},
	{"From: a@x\nDate: d\nMessage-ID: <i>\nCc: r,\n\ts\n", " r s",
	 "From: a@x\nDate: d\nMessage-ID: <i>\nCc: r@o.example,\n\ts@o.example\n"},
	/* a field that no recipients are taken from is left as it is where it cannot be read */
	{"From: a b\nDate: d\nMessage-ID: <i>\n", "", "From: a b\nDate: d\nMessage-ID: <i>\n"},
	{"From: a@x\nDate: d\nMessage-ID: <i>\nTo: b@x\nResent-From: c@x\n", " b@x",
	 "Resent-Message-ID: <ID>\nResent-Date: DATE\nFrom: a@x\nDate: d\nMessage-ID: <i>\n"
	 "To: b@x\nResent-From: c@x\n"},
};
/* clang-format on */

static void
test_headers(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[1000];
		char names[200];
		struct buf out = BUF_ON(room);
		struct buf to = BUF_ON(names);
		struct rcpts rcpts = {.names = NULL};
		struct head h;
		struct err e;

		assert_int_equal(head_read(str_of(rows[i].in), &rcpts, &h, &e), RC_OK);
		for (size_t n = 0; n < rcpts.count; n++)
			buf_addf(&to, " %s", rcpts.names[n]);
		rcpts_free(&rcpts);
		head_write(str_of(rows[i].in), &h, &add, &out);
		assert_string_equal(names, rows[i].to);
		assert_string_equal(room, rows[i].out);
	}
}

static void
test_recipients_that_cannot_be_read_are_named(void **unused)
{
	(void)unused;
	struct rcpts rcpts = {.names = NULL};
	struct head h;
	struct err e;

	assert_int_equal(head_read(STR("To: a@x, b c\n"), &rcpts, &h, &e), RC_PERM);
	assert_string_equal(e.text, "To: this cannot be read as an address: b c");
	assert_int_equal(head_read(STR("To: a@x, b c\n"), NULL, &h, &e), RC_OK);
	rcpts_free(&rcpts);
}

static void
test_names_are_quoted_or_encoded(void **unused)
{
	static const char *const names[][2] = {
		{"A. B",        "From: \"A. B\" <me@o.example>\n"            },
		{"A \"q\" \\",  "From: \"A \\\"q\\\" \\\\\" <me@o.example>\n"},
		{"J\xc3\xb6",   "From: =?utf-8?q?J=C3=B6?= <me@o.example>\n" },
		{"",            "From: <me@o.example>\n"                     },
		{"\xff",        "From: <me@o.example>\n"                     },
		{"a\nBcc: b@x", "From: <me@o.example>\n"                     },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(names); i++) {
		char room[300];
		struct buf b = BUF_ON(room);
		struct head h = {.has_date = true, .has_id = true};
		struct head_add mine = add;

		mine.full_name = str_of(names[i][0]);
		head_write(STR(""), &h, &mine, &b);
		assert_string_equal(room, names[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_recipients_that_cannot_be_read_are_named),
		cmocka_unit_test(test_names_are_quoted_or_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
