/* Writers, spool, vault and state: asked, absent, wrong. */
#include "edge/session_test.h"
#include "proto/smtp.h"

/* ---- long bodies ---- */

static void
test_a_long_body_goes_to_a_writer(void **unused)
{
	(void)unused;
	static char lines[90000];
	unsigned last_items = 0;

	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = (char)(i % 100 == 98 ? '\r' : i % 100 == 99 ? '\n' : 'a' + i % 26);
	greeted();
	for (size_t n = 60000; n < 60600; n += 100) {
		expect(ENVELOPE "DATA\r\n", "250 250 354");
		rig_feed(&rig, (struct str){lines, n});
		expect(".\r\n", "250");
		assert_int_equal(strlen(content()), n - n / 100);
		assert_int_equal((rig.mail.flags & MAIL_IN_FILE) != 0,
		                 rig.count[MSG_body_item] > last_items);
		last_items = rig.count[MSG_body_item];
	}
	expect(ENVELOPE "BDAT 90000\r\n", "250 250");
	rig_feed(&rig, (struct str){lines, sizeof(lines)});
	expect("BDAT 0 LAST\r\n", "250 250");
	assert_int_equal(strlen(content()), 89100);
	assert_true((rig.mail.flags & MAIL_IN_FILE) != 0);
	assert_int_equal(rig.count[MSG_body_drop], 0);
}

static void
test_a_failing_writer_is_told_at_the_end(void **unused)
{
	(void)unused;
	static char octets[70000];

	memset(octets, 'x', sizeof(octets));
	greeted();
	rig.item_rc = RC_TEMP;
	rig.no_room = 1;
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	rig_feed(&rig, (struct str){octets, sizeof(octets)});
	assert_string_equal(rig_codes(&rig), "");
	expect("\r\n.\r\n", "452");
	assert_int_equal(rig.count[MSG_body_drop], 1);
	rig.gone = WRITER;
	expect(ENVELOPE "BDAT 70000 LAST\r\n", "250 250");
	rig_feed(&rig, (struct str){octets, sizeof(octets)});
	assert_string_equal(rig_codes(&rig), "451");
	assert_int_equal(rig.count[MSG_mail_commit], 0);
}

/* The writer's replacement has not got the beginning: it must not get the rest. */
static void
test_a_body_goes_to_one_writer_or_to_none(void **unused)
{
	(void)unused;
	static char octets[70000];

	memset(octets, 'x', sizeof(octets));
	rig.cfg.message_size = 200000;
	greeted();
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	rig_feed(&rig, (struct str){octets, sizeof(octets)});
	assert_int_equal(rig.count[MSG_body_item], 1);
	rig.link++;
	rig_feed(&rig, (struct str){octets, sizeof(octets)});
	expect("\r\n.\r\n", "451");
	assert_int_equal(rig.count[MSG_body_item], 1);
	assert_int_equal(rig.count[MSG_body_end] + rig.count[MSG_mail_commit], 0);
}

/* ---- neighbours ---- */

static void
test_absent_neighbours_cost_one_command(void **unused)
{
	(void)unused;
	greeted();
	rig.gone = SPOOL;
	expect("MAIL FROM:<>\r\n", "451");
	rig.gone = 0;
	expect("MAIL FROM:<>\r\n", "250");
	rig.full = VAULT;
	expect("RCPT TO:<alice@ours.example>\r\n", "451");
	rig.full = 0;
	expect("RCPT TO:<alice@ours.example>\r\nDATA\r\n", "250 354");
	rig.full = SPOOL;
	expect(".\r\n", "451");
	rig.full = 0;
	rig.env.spool_full = true;
	expect("MAIL FROM:<>\r\n", "452");
	rig.env.spool_full = false;
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	expect(".\r\n", "250");
}

static void
test_the_greeting_waits_for_state(void **unused)
{
	(void)unused;
	static const char *const codes[] = {"220", "421", "421"};

	for (unsigned verdict = 0; verdict < 3; verdict++) {
		rig_stop(&rig);
		rig_start(&rig);
		rig.verdict = verdict;
		assert_int_equal(session_output(rig.s).n, 0);
		rig_go(&rig);
		assert_string_equal(rig_codes(&rig), codes[verdict]);
		assert_int_equal(session_over(rig.s), verdict != 0);
	}
	rig_stop(&rig);
	assert_int_equal(rig.count[MSG_conn_close], 1);
}

/* What was in flight on a channel that ended has failed; the session goes on. */
static void
test_lost_answers(void **unused)
{
	(void)unused;
	greeted();
	rig.hold = true;
	expect("MAIL FROM:<>\r\nRCPT TO:<alice@ours.example>\r\n", "250");
	session_link_lost(rig.s, rig.link + 1); /* another channel: nothing to us */
	expect("NOOP\r\n", "");
	session_link_lost(rig.s, rig.link);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "451 250");
	assert_true(rig_answer(&rig)); /* it comes after all: nobody waits for it */
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "");
	rig.hold = false;
	expect("RCPT TO:<alice@ours.example>\r\nDATA\r\n", "250 354");
	rig.hold = true;
	expect("x\r\n.\r\n", "");
	assert_true(session_commits(rig.s));
	session_link_lost(rig.s, rig.link);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "451");
	assert_int_equal(rig.count[MSG_mail_drop] + rig.count[MSG_body_drop], 0);
}

static void
test_wrong_answers_are_dropped(void **unused)
{
	(void)unused;
	struct msg_rcpt_answer rcpt = {.session = rig.s->number, .verdict = 0};
	struct msg_body_reply body = {.session = rig.s->number};
	struct msg_mail_reply mail = {.session = rig.s->number};

	greeted();
	rig.hold = true;
	for (int i = 0; i < 3; i++) {
		static const char *const say[] = {"MAIL FROM:<>\r\n",
		                                  "RCPT TO:<alice@ours.example>\r\n", ""};

		rig_say(&rig, say[i]);
		(void)rig_codes(&rig);
		rcpt.ask = i == 1 ? rig.s->ask + 1 : rig.s->ask;
		mail.id = body.id = rig.s->id;
		if (i != 1)
			session_rcpt_answer(rig.s, &rcpt);
		rcpt.ask = rig.s->ask + 1;
		session_rcpt_answer(rig.s, &rcpt);
		session_body_reply(rig.s, &body);
		body.end = 1;
		session_body_reply(rig.s, &body);
		session_mail_reply(rig.s, &mail);
		session_conn_verdict(rig.s, 1);
		rig_go(&rig);
		assert_string_equal(rig_codes(&rig), "");
		if (i == 1)
			assert_true(rig_answer(&rig));
	}
	rig_go(&rig);
	rig.hold = false;
	expect("DATA\r\n", "354");
	rig.hold = true;
	expect("x\r\n.\r\n", "");
	mail.id = rig.s->id + 1;
	session_mail_reply(rig.s, &mail);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "");
	rig.hold = false;
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "250");
}

/* As many as fit stand beside the body, the others go before. */
static void
test_many_recipients_go_before_the_commit(void **unused)
{
	(void)unused;
	static char octets[61000];
	static const struct {
		unsigned rcpts;
		size_t octets;
		unsigned messages;
	} rows[] = {
		{100, 10,    0},
                {101, 10,    1},
                {250, 10,    2},
                {40,  61000, 0},
                {100, 61000, 1}
        };
	char line[80];

	memset(octets, 'x', sizeof(octets));
	rig.cfg.smtp_max_rcpt = 1000;
	greeted();
	for (size_t i = 0; i < LENGTH(rows); i++) {
		unsigned before = rig.count[MSG_mail_rcpts];

		expect("MAIL FROM:<>\r\n", "250");
		for (unsigned n = 0; n < rows[i].rcpts; n++) {
			struct buf b = BUF_ON(line);

			buf_addf(&b, "RCPT TO:<box%u@ours.example>\r\n", n);
			expect(line, "250");
		}
		expect("DATA\r\n", "354");
		rig_feed(&rig, (struct str){octets, rows[i].octets});
		expect("\r\n.\r\n", "250");
		assert_int_equal(rig.mail.rcpts, rows[i].rcpts);
		assert_int_equal(rig.count[MSG_mail_rcpts] - before, rows[i].messages);
	}
	rig.hold = false;
	expect("MAIL FROM:<>\r\n", "250");
	for (unsigned n = 0; n < 101; n++) {
		struct buf b = BUF_ON(line);

		buf_addf(&b, "RCPT TO:<box%u@ours.example>\r\n", n);
		expect(line, "250");
	}
	expect("DATA\r\n", "354");
	rig.commits_fail = true; /* the first part arrived, so it is taken back */
	expect(".\r\n", "451");
	assert_int_equal(rig.count[MSG_mail_drop], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_a_long_body_goes_to_a_writer),
		RIG_TEST(test_a_failing_writer_is_told_at_the_end),
		RIG_TEST(test_a_body_goes_to_one_writer_or_to_none),
		RIG_TEST(test_absent_neighbours_cost_one_command),
		RIG_TEST(test_the_greeting_waits_for_state),
		RIG_TEST(test_lost_answers),
		RIG_TEST(test_wrong_answers_are_dropped),
		RIG_TEST(test_many_recipients_go_before_the_commit),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
