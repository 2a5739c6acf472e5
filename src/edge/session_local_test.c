/*
 * Sessions of users of this machine: who they are is told by the kernel, as whom they may send
 * by vault, how much by state. What a client says of itself changes none of it.
 */
#include "edge/session_test.h"

#define FROM "MAIL FROM:<web@ours.example>\r\n"
#define RCPT "RCPT TO:<alice@ours.example>\r\n"

/* Greeted as uid 33. */
static void
begin(void)
{
	rig_stop(&rig);
	rig_start_local(&rig, 33);
	greeted();
}

static bool
said(const char *text)
{
	return strstr(rig.out_room, text) != NULL;
}

static void
test_who_it_is_reaches_spool_and_the_header(void **unused)
{
	(void)unused;
	begin();
	expect(FROM, "250");
	assert_int_equal(rig.last_asked.no, MSG_sender_ask);
	assert_int_equal(rig.last_asked.uid, 33);
	assert_string_equal(rig.last_asked.local, "web");
	assert_string_equal(rig.last_asked.domain, "ours.example");
	expect(RCPT, "250");
	assert_int_equal(rig.last_asked.no, MSG_rate_ask);
	assert_int_equal(rig.last_asked.uid, 33);
	assert_string_equal(rig.last_asked.user, "www-data");
	expect("DATA\r\n", "354");
	expect("Subject: x\r\n\r\nx\r\n.\r\n", "250");
	assert_string_equal(rig.mail.origin, "uid:33");
	assert_string_equal(rig.mail.sender, "web@ours.example");
	assert_non_null(strstr(rig.body_room, "(from local user www-data, uid 33)"));
	assert_null(strstr(rig.body_room, "client.example")); /* its EHLO is its own claim */
}

static void
test_a_stranger_is_asked_nothing_and_told_nothing(void **unused)
{
	(void)unused;
	rig_go(&rig);
	rig_say(&rig, HELLO);
	assert_false(said("XORIGIN"));
	assert_string_equal(rig_codes(&rig), "220 250");
	expect(FROM RCPT "DATA\r\n", "250 250 354");
	expect(".\r\n", "250");
	assert_int_equal(rig.count[MSG_sender_ask] + rig.count[MSG_rate_ask], 0);
	assert_string_equal(rig.mail.origin, "");
}

/* A uid is one only where the listener is for users: an address of a network never is. */
static void
test_the_service_alone_makes_nobody_local(void **unused)
{
	(void)unused;
	rig_stop(&rig);
	rig_start_with(&rig, SERVICE_LOCAL);
	greeted();
	expect(FROM, "250");
	assert_int_equal(rig.count[MSG_sender_ask], 0);
	assert_int_equal(rig.s->who, IDENTITY_STRANGER);
}

static void
test_the_null_sender_is_asked_for_as_nothing(void **unused)
{
	(void)unused;
	begin();
	expect("MAIL FROM:<>\r\n", "250");
	assert_string_equal(rig.last_asked.local, "");
	assert_string_equal(rig.last_asked.domain, "");
}

static void
test_senders_are_refused_with_names(void **unused)
{
	static const struct {
		enum sender_verdict verdict;
		const char *user;
		const char *codes;
		const char *text;
	} rows[] = {
		{SENDER_MAY_NOT, "www-data", "553",
	         "553 5.7.1 user www-data may not send as <web@ours.example>"                    },
		{SENDER_NO_USER, "",         "450", "450 4.7.1 uid 33 is no user of this machine"},
		{SENDER_TROUBLE, "",         "451", "451 4.3.0 "                                 },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		begin();
		rig.sender_verdict = rows[i].verdict;
		rig.user = rows[i].user;
		rig_say(&rig, FROM);
		assert_true(said(rows[i].text));
		assert_string_equal(rig_codes(&rig), rows[i].codes);
		expect(RCPT, "503"); /* no transaction is left */
		rig.sender_verdict = SENDER_MAY;
		rig.user = "www-data";
		expect(FROM RCPT, "250 250");
	}
}

static void
test_where_nothing_can_be_sent_on_it_says_so(void **unused)
{
	(void)unused;
	begin();
	expect(FROM "RCPT TO:<x@elsewhere.example>\r\n", "250 554");
	assert_non_null(strstr(rig.decision, "reason=not_sent_out"));
	assert_non_null(strstr(rig.decision, "user=www-data"));
	assert_int_equal(rig.count[MSG_rate_ask], 0);
}

/* Only what vault takes is counted, and what is over the rate costs that recipient alone. */
static void
test_the_rate_refuses_one_recipient(void **unused)
{
	(void)unused;
	begin();
	expect(FROM "RCPT TO:<nobody@ours.example>\r\n", "250 550");
	assert_int_equal(rig.count[MSG_rate_ask], 0);
	expect(RCPT, "250");
	rig.rate_wait = 720;
	rig_say(&rig, "RCPT TO:<bob@ours.example>\r\n");
	assert_true(said("450 4.7.1 user www-data has sent to 5 recipients within an hour, "
	                 "try again in 720 s"));
	assert_string_equal(rig_codes(&rig), "450");
	assert_non_null(strstr(rig.decision, "reason=rate_user"));
	expect("DATA\r\n", "354");
	expect(".\r\n", "250");
	assert_string_equal(rig.mail.mailboxes, "alice@ours.example,");
}

static void
test_discarded_recipients_count_too(void **unused)
{
	(void)unused;
	begin();
	expect(FROM "RCPT TO:<daemon@ours.example>\r\n", "250 250");
	assert_int_equal(rig.count[MSG_rate_ask], 1);
	rig.rate_wait = 1;
	expect("RCPT TO:<daemon@ours.example>\r\n", "450");
}

/* ---- neighbours ---- */

static void
test_without_vault_nobody_may_send(void **unused)
{
	(void)unused;
	begin();
	rig.full = VAULT;
	expect(FROM RCPT, "451 503");
	rig.full = 0;
	rig.gone = VAULT;
	expect(FROM, "451");
	rig.gone = 0;
	rig.hold = true;
	expect(FROM, "");
	session_link_lost(rig.s, rig.link);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "451");
	assert_true(rig_answer(&rig)); /* too late: it makes no transaction */
	rig.hold = false;
	expect(RCPT, "503");
	expect(FROM RCPT, "250 250");
}

/* The answer is lost: the recipient is not in the message, those before it are. */
static void
test_without_state_no_recipient_is_taken(void **unused)
{
	(void)unused;
	begin();
	expect(FROM RCPT, "250 250");
	rig.full = STATE;
	expect("RCPT TO:<bob@ours.example>\r\n", "451");
	rig.full = 0;
	rig.hold = true;
	expect("RCPT TO:<bob@ours.example>\r\n", "");
	assert_true(rig_answer(&rig)); /* vault's; state is asked */
	assert_int_equal(rig.s->await, AWAIT_RATE);
	session_link_lost(rig.s, rig.link);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "451");
	assert_true(rig_answer(&rig)); /* too late */
	rig.hold = false;
	expect("DATA\r\n", "354");
	expect(".\r\n", "250");
	assert_string_equal(rig.mail.mailboxes, "alice@ours.example,");
}

static void
test_silent_neighbours_are_not_waited_for_for_ever(void **unused)
{
	(void)unused;
	begin();
	rig.hold = true;
	expect(FROM, "");
	rig.env.now_ms += 61000;
	session_tick(rig.s);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "451");
	while (rig_answer(&rig))
		continue;
	rig.hold = false;
	expect(FROM, "250");
	rig.hold = true;
	expect(RCPT, "");
	assert_true(rig_answer(&rig));
	rig.env.now_ms += 31000;
	session_tick(rig.s);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "451");
}

/* Those of an earlier question, and those nobody asked for. */
static void
test_wrong_answers_are_dropped(void **unused)
{
	(void)unused;
	begin();
	rig.hold = true;
	expect(FROM, "");
	struct msg_sender_answer old = {.ask = rig.s->ask - 1, .user = STR("root")};
	struct msg_rate_answer other = {.ask = rig.s->ask};
	session_sender_answer(rig.s, &old);
	session_rate_answer(rig.s, &other);
	assert_int_equal(rig.s->await, AWAIT_SENDER);
	assert_true(rig_answer(&rig));
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "250");
	assert_string_equal(rig.s->user, "www-data");
	session_sender_answer(rig.s, &old);
	rig_go(&rig);
	assert_string_equal(rig_codes(&rig), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_who_it_is_reaches_spool_and_the_header),
		RIG_TEST(test_a_stranger_is_asked_nothing_and_told_nothing),
		RIG_TEST(test_the_service_alone_makes_nobody_local),
		RIG_TEST(test_the_null_sender_is_asked_for_as_nothing),
		RIG_TEST(test_senders_are_refused_with_names),
		RIG_TEST(test_where_nothing_can_be_sent_on_it_says_so),
		RIG_TEST(test_the_rate_refuses_one_recipient),
		RIG_TEST(test_discarded_recipients_count_too),
		RIG_TEST(test_without_vault_nobody_may_send),
		RIG_TEST(test_without_state_no_recipient_is_taken),
		RIG_TEST(test_silent_neighbours_are_not_waited_for_for_ever),
		RIG_TEST(test_wrong_answers_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
