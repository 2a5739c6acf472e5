/*
 * What `sendmail -bs` makes of a program's lines, in every pair of pieces, with a server that
 * answers as late as it can.
 */
#include <string.h>

#include "base/test.h"
#include "sendmail/speak.h"

/* clang-format off */
static const struct {
	const char *in;
	const char *hears; /* one reply each time nothing more may go, and behind all */
	const char *out;
	enum speak_at at;  /* in the end */
} rows[] = {
	{"NOOP\n", "g", "NOOP\r\n", SPEAK_COMMAND},
	{"NOOP\r\n\nQUIT\n", "g", "NOOP\r\n\r\nQUIT\r\n", SPEAK_COMMAND},
	{"NOOP", "g", "NOOP", SPEAK_COMMAND},
	{"a\r", "g", "a\r", SPEAK_COMMAND},
	{"DATA\na\n.\nNOOP\n", "g3", "DATA\r\na\r\n.\r\nNOOP\r\n", SPEAK_COMMAND},
	{"data \r\n..\n.\r\nBDAT 2\n\n\n", "g3", "data \r\n..\r\n.\r\nBDAT 2\r\n\n\n", SPEAK_COMMAND},
	/* content that looks like commands, and a refusal that makes commands of it */
	{"MAIL\nDATA\nBDAT 2\n\n\n", "g23", "MAIL\r\nDATA\r\nBDAT 2\r\n\r\n\r\n", SPEAK_CONTENT},
	{"MAIL\nDATA\nBDAT 2\n\n\n", "g25", "MAIL\r\nDATA\r\nBDAT 2\r\n\n\n", SPEAK_COMMAND},
	{"DATA\nDATA\nx\n", "g53", "DATA\r\nDATA\r\nx\r\n", SPEAK_CONTENT},
	{"DATA\nx\n", "g", "DATA\r\n", SPEAK_ASKED},
	{"DATA now\nx\n", "g5", "DATA now\r\nx\r\n", SPEAK_COMMAND},
	/* chunks as they are */
	{"BDAT 3 LAST\na\nbRSET\n", "g", "BDAT 3 LAST\r\na\nbRSET\r\n", SPEAK_COMMAND},
	{"bdat  4\n\n.\n\nRSET\n", "g", "bdat  4\r\n\n.\n\nRSET\r\n", SPEAK_COMMAND},
	{"BDAT 0 LAST\nRSET\n", "g", "BDAT 0 LAST\r\nRSET\r\n", SPEAK_COMMAND},
	{"BDAT x\nRSET\n", "g", "BDAT x\r\nRSET\r\n", SPEAK_COMMAND},
	{"BDAT 9\nab\n", "g", "BDAT 9\r\nab\n", SPEAK_CHUNK},
	/* bare CRs are the server's to judge */
	{"DATA\na\rb\r\r\n\r.\n.\n", "g3", "DATA\r\na\rb\r\r\n\r.\r\n.\r\n", SPEAK_COMMAND},
};
/* clang-format on */

static void
hear(struct speak *s, char reply)
{
	switch (reply) {
	case 'g':
		speak_hear(s, STR("220-a\r\n220 b\r\n"));
		break;
	case '2':
		speak_hear(s, STR("250-354 x\r\n25"));
		speak_hear(s, STR("0 2.0.0 x\r\n"));
		break;
	case '3':
		speak_hear(s, STR("354 go on\r\n"));
		break;
	default:
		speak_hear(s, STR("554 5.5.1 no\r\n"));
	}
}

/* Where it has to wait, the server gives its next answer. */
static void
say(struct speak *s, struct str in, const char **hears, struct buf *out)
{
	speak_say(s, &in, out);
	while (in.n > 0 && **hears != '\0') {
		hear(s, *(*hears)++);
		speak_say(s, &in, out);
	}
	assert_true(in.n == 0 || speak_waits(s));
}

static void
test_every_cut_gives_the_same(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (size_t cut = 0; cut <= strlen(rows[i].in); cut++) {
			char room[512];
			struct buf out = BUF_ON(room);
			struct str in = str_of(rows[i].in);
			const char *hears = rows[i].hears;
			struct speak s;

			speak_start(&s);
			say(&s, str_slice(in, 0, cut), &hears, &out);
			if (!speak_waits(&s) || *hears != '\0')
				say(&s, str_slice(in, cut, in.n), &hears, &out);
			assert_str(buf_str(&out), str_of(rows[i].out));
			assert_int_equal(s.at, rows[i].at);
			assert_string_equal(hears, "");
		}
}

/* As the server: what is longer than a command is none, and no end of content. */
static void
test_long_lines_mean_nothing(void **unused)
{
	static char line[SPEAK_LINE_MAX + 64];
	static char room[2 * sizeof(line)];
	static const struct {
		size_t spaces;
		enum speak_at at;
	} lengths[] = {
		{SPEAK_LINE_MAX - 9, SPEAK_CHUNK  },
                {SPEAK_LINE_MAX,     SPEAK_COMMAND}
        };

	(void)unused;
	for (size_t i = 0; i < LENGTH(lengths); i++) {
		struct buf in = BUF_ON(line);
		struct buf out = BUF_ON(room);
		struct speak s;

		buf_addf(&in, "BDAT 2%*s\n\n", (int)lengths[i].spaces, "");
		struct str rest = buf_str(&in);
		speak_start(&s);
		hear(&s, 'g');
		speak_say(&s, &rest, &out);
		assert_int_equal(s.at, lengths[i].at);
		assert_int_equal(out.n, in.n + (lengths[i].at == SPEAK_CHUNK ? 1 : 2));
	}
}

/* 421 comes unasked; what is owed stays a number. */
static void
test_replies_nobody_asked_for(void **unused)
{
	char room[64];
	struct buf out = BUF_ON(room);
	struct str in = STR("DATA\nx\n");
	struct speak s;

	(void)unused;
	speak_start(&s);
	assert_true(speak_waits(&s));
	for (int i = 0; i < 3; i++)
		speak_hear(&s, STR("421 4.3.2 bye\r\n"));
	assert_int_equal(s.owed, 0);
	speak_say(&s, &in, &out);
	assert_true(speak_waits(&s));
	assert_str(in, STR("x\n"));
	speak_hear(&s, STR("354 x\r\n"));
	assert_false(speak_waits(&s));
	assert_int_equal(s.at, SPEAK_CONTENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut_gives_the_same),
		cmocka_unit_test(test_long_lines_mean_nothing),
		cmocka_unit_test(test_replies_nobody_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
