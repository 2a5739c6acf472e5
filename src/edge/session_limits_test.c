/* Lines, sizes, counts, memory, time: each has its end. */
#include "edge/session_test.h"

/* ---- lines ---- */

static void
test_only_crlf_ends_a_command(void **unused)
{
	(void)unused;
	greeted();
	expect("NOOP\n", "500");
	assert_true(session_over(rig.s));
}

/* LINE-01, DISC-01 */
static void
test_long_lines(void **unused)
{
	(void)unused;
	static char line[SMTP_DISCARD_MAX + 10];

	memset(line, 'x', sizeof(line));
	memcpy(line, "NOOP ", 5);
	greeted();
	rig_feed(&rig, (struct str){line, SMTP_LINE_MAX - 2});
	expect("\r\n", "250");
	rig_feed(&rig, (struct str){line, SMTP_LINE_MAX - 1});
	expect("\r\n", "500");
	expect("NOOP\r\n", "250");
	rig_feed(&rig, (struct str){line, SMTP_DISCARD_MAX});
	assert_string_equal(rig_codes(&rig), "");
	rig_feed(&rig, STR("x"));
	assert_string_equal(rig_codes(&rig), "421");
	assert_true(session_over(rig.s));
}

static void
test_nul_in_a_command_is_500(void **unused)
{
	(void)unused;
	struct str line = STR("MAIL FROM:<u@r.example>\r\n");
	char with[64];

	rig.cfg.smtp_max_errors = 1000;
	greeted();
	for (size_t at = 0; at < line.n - 1; at++) {
		memcpy(with, line.p, at);
		with[at] = '\0';
		memcpy(with + at + 1, line.p + at, line.n - at);
		rig_feed(&rig, (struct str){with, line.n + 1});
		assert_string_equal(rig_codes(&rig), "500");
	}
}

/* ---- limits ---- */

static void
test_size(void **unused)
{
	(void)unused;
	static char much[SMTP_SIZE_SLACK + 200000];

	memset(much, 'x', sizeof(much));
	greeted();
	expect("MAIL FROM:<> SIZE=100001\r\n", "552");
	expect("MAIL FROM:<> SIZE=99999999999999999999\r\n", "552");
	expect("MAIL FROM:<> SIZE=100000\r\nRCPT TO:<alice@ours.example>\r\nDATA\r\n",
	       "250 250 354");
	rig_feed(&rig, (struct str){much, 99999});
	expect("\r\n.\r\n", "552");
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	rig_feed(&rig, (struct str){much, 99998});
	expect("\r\n.\r\n", "250"); /* the dot's line is not of the message: RFC 1870 §3 */
	assert_int_equal(rig.count[MSG_body_drop], 1);
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	rig_feed(&rig, (struct str){much, sizeof(much)});
	assert_string_equal(rig_codes(&rig), "552");
	assert_true(session_over(rig.s));
}

/* Dots of the transfer are not of the message, however many there are: what is within the size
 * is kept, and what is not is refused before it is read for ever. */
static void
test_stuffed_dots_do_not_count(void **unused)
{
	(void)unused;
	static char dots[65536];

	for (size_t at = 0; at < sizeof(dots); at += 4)
		memcpy(dots + at, "..\r\n", 4);
	rig.cfg.message_size = 6 * SMTP_SIZE_SLACK; /* every fourth octet does not count */
	greeted();
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	for (size_t wire = 0; wire < 15 * SMTP_SIZE_SLACK / 2; wire += sizeof(dots))
		rig_feed(&rig, (struct str){dots, sizeof(dots)});
	expect(".\r\n", "250");
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	for (size_t wire = 0; wire < 10 * SMTP_SIZE_SLACK; wire += sizeof(dots))
		rig_feed(&rig, (struct str){dots, sizeof(dots)});
	assert_string_equal(rig_codes(&rig), "552");
	assert_true(session_over(rig.s));
}

static void
test_errors_and_junk_end_the_session(void **unused)
{
	(void)unused;
	rig.cfg.smtp_max_errors = 3;
	rig.cfg.smtp_max_junk = 2;
	greeted(); /* EHLO is one of the free ones */
	expect("NOOP\r\nfoo\r\nNOOP\r\n", "250 502 250");
	expect("RSET\r\n", "250 421");
	assert_true(session_over(rig.s));
}

static void
test_messages_in_one_session_are_limited(void **unused)
{
	(void)unused;
	rig.cfg.smtp_max_session = 1;
	greeted();
	expect(ENVELOPE "BDAT 0 LAST\r\n", "250 250 250");
	expect("MAIL FROM:<>\r\n", "421");
	assert_true(session_over(rig.s));
}

/* DISC-02: what does nothing grows nothing, and ends. */
static void
test_tiny_chunks_grow_nothing(void **unused)
{
	(void)unused;
	greeted();
	expect(ENVELOPE, "250 250");
	rig_say(&rig, "BDAT 1\r\nx");
	uint64_t held = rig.env.tx_octets;
	for (int i = 0; i < 5000; i++)
		rig_say(&rig, "BDAT 1\r\nx");
	assert_int_equal(rig.env.tx_octets, held);
	(void)rig_codes(&rig);
	for (int i = 0; i < 200 && !session_over(rig.s); i++)
		rig_say(&rig, "BDAT 0\r\n");
	assert_true(session_over(rig.s));
}

/* DISC-01: to read and throw away is work too. */
static void
test_refused_chunks_are_not_read_for_ever(void **unused)
{
	(void)unused;
	static char octets[600000];

	greeted();
	expect("BDAT 600000\r\n", "");
	rig_feed(&rig, (struct str){octets, sizeof(octets)});
	assert_string_equal(rig_codes(&rig), "503");
	assert_false(session_over(rig.s));
	expect("BDAT 600000\r\n", "503"); /* with the first over message_size and the slack */
	assert_true(session_over(rig.s));
}

static void
test_memory_of_all_transactions_is_limited(void **unused)
{
	(void)unused;
	greeted();
	rig.env.tx_octets = TX_OCTETS_MAX;
	expect("MAIL FROM:<>\r\n", "452");
	rig.env.tx_octets = TX_OCTETS_MAX - 9000;
	expect(ENVELOPE "DATA\r\n", "250 250 452");
	rig.env.tx_octets = 0;
}

/* A client that does not read its replies is not read either. */
static void
test_unread_replies_stop_the_reading(void **unused)
{
	(void)unused;
	rig.cfg.smtp_max_junk = 100000;
	greeted();
	rig.mute = true;
	for (int i = 0; i < 1000 && session_wants_input(rig.s); i++)
		rig_say(&rig, "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n");
	assert_false(session_wants_input(rig.s));
	assert_in_range(session_output(rig.s).n, SMTP_OUT_MAX, SMTP_OUT_MAX + REPLY_OCTETS_MAX);
	rig.mute = false;
	rig_go(&rig);
	assert_true(session_wants_input(rig.s));
}

/* ---- time ---- */

static void
later(uint64_t seconds)
{
	rig.env.now_ms += seconds * 1000;
	session_tick(rig.s);
	rig_go(&rig);
}

/* SLOW-01: a deadline for a command, not for each of its octets. */
static void
test_a_command_has_a_deadline(void **unused)
{
	(void)unused;
	greeted();
	for (int i = 0; i < 29; i++) {
		rig_say(&rig, "N");
		later(10);
	}
	assert_string_equal(rig_codes(&rig), "");
	rig_say(&rig, "N");
	later(10);
	assert_string_equal(rig_codes(&rig), "421");
	assert_true(session_over(rig.s));
}

static void
test_a_message_has_a_rate(void **unused)
{
	(void)unused;
	greeted();
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	for (int i = 0; i < 12; i++) {
		rig_say(&rig, "x");
		later(10);
	}
	assert_string_equal(rig_codes(&rig), ""); /* within the grace */
	rig_say(&rig, "x");
	later(10);
	assert_string_equal(rig_codes(&rig), "421");
	assert_int_equal(rig.count[MSG_mail_commit], 0);
}

static void
test_our_own_slowness_is_not_the_clients(void **unused)
{
	(void)unused;
	static char octets[70000];

	memset(octets, 'x', sizeof(octets));
	greeted();
	rig.hold = true;
	rig.cfg.smtp_data_rate = 1000;
	expect("MAIL FROM:<>\r\nRCPT TO:<alice@ours.example>\r\n", "250");
	assert_true(rig_answer(&rig));
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "250");
	expect("DATA\r\n", "354");
	rig_feed(&rig, (struct str){octets, sizeof(octets)});
	assert_false(session_wants_input(rig.s));
	later(110); /* the writer takes its time */
	later(9);
	rig.hold = false;
	rig_go(&rig);
	later(119);
	expect("\r\n.\r\n", "250");
}

static void
test_an_answer_that_never_comes(void **unused)
{
	(void)unused;
	greeted();
	rig.hold = true;
	expect("MAIL FROM:<>\r\nRCPT TO:<alice@ours.example>\r\n", "250");
	later(59);
	assert_string_equal(rig_codes(&rig), "");
	later(2);
	assert_string_equal(rig_codes(&rig), "451");
	assert_false(session_over(rig.s));
}

static void
test_draining(void **unused)
{
	(void)unused;
	greeted();
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	rig.env.draining = true;
	session_drain(rig.s);
	expect("x\r\n.\r\n", "250 421"); /* it may finish, and that was it */
	assert_true(session_over(rig.s));
	rig_stop(&rig);
	rig_start(&rig);
	greeted();
	rig.env.draining = true;
	session_drain(rig.s);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "421");
}

/* ---- what is held ---- */

static void
test_an_idle_session_holds_no_buffers(void **unused)
{
	(void)unused;
	greeted();
	expect(ENVELOPE "BDAT 1 LAST\r\nx", "250 250 250");
	assert_null(rig.s->in_room);
	assert_null(rig.s->out);
	assert_null(rig.s->tx);
	assert_int_equal(rig.env.tx_octets, 0);
	assert_true(sizeof(struct session) <= 512);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_only_crlf_ends_a_command),
		RIG_TEST(test_long_lines),
		RIG_TEST(test_nul_in_a_command_is_500),
		RIG_TEST(test_size),
		RIG_TEST(test_stuffed_dots_do_not_count),
		RIG_TEST(test_errors_and_junk_end_the_session),
		RIG_TEST(test_messages_in_one_session_are_limited),
		RIG_TEST(test_tiny_chunks_grow_nothing),
		RIG_TEST(test_refused_chunks_are_not_read_for_ever),
		RIG_TEST(test_memory_of_all_transactions_is_limited),
		RIG_TEST(test_unread_replies_stop_the_reading),
		RIG_TEST(test_a_command_has_a_deadline),
		RIG_TEST(test_a_message_has_a_rate),
		RIG_TEST(test_our_own_slowness_is_not_the_clients),
		RIG_TEST(test_an_answer_that_never_comes),
		RIG_TEST(test_draining),
		RIG_TEST(test_an_idle_session_holds_no_buffers),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
