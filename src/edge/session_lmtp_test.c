/*
 * Sessions of an LMTP listener (RFC 2033): greeted with LHLO alone, and a reply for each
 * recipient behind the message; all else is SMTP's.
 */
#include <string.h>

#include "base/test.h"
#include "cfg/cfg.h"
#include "edge/session_rig.h"

static struct rig rig;

static void
start(void)
{
	rig_start_with(&rig, SERVICE_LMTP);
	rig_go(&rig);
	assert_non_null(strstr(rig.out_room, "220 mail.ours.example LMTP\r\n"));
	assert_string_equal(rig_codes(&rig), "220");
}

static void
begin(void)
{
	start();
	rig_say(&rig, "LHLO client.example\r\n");
	assert_string_equal(rig_codes(&rig), "250");
	rig_say(&rig, "MAIL FROM:<s@r.example>\r\nRCPT TO:<alice@ours.example>\r\n"
	              "RCPT TO:<nobody@ours.example>\r\nRCPT TO:<bob@ours.example>\r\n");
	assert_string_equal(rig_codes(&rig), "250 250 550 250");
}

static void
test_lhlo_alone_greets(void **unused)
{
	(void)unused;
	start();
	rig_say(&rig, "EHLO x\r\nHELO x\r\nMAIL FROM:<>\r\nBDAT 0\r\n");
	assert_non_null(strstr(rig.out_room, "say LHLO first"));
	assert_string_equal(rig_codes(&rig), "502 502 503 503");
	rig_say(&rig, "HELP\r\n");
	assert_non_null(strstr(rig.out_room, " LHLO"));
	assert_null(strstr(rig.out_room, " EHLO"));
	rig_say(&rig, "LHLO x\r\n");
	assert_non_null(strstr(rig.out_room, "250-PIPELINING\r\n"));
	rig_stop(&rig);

	rig_start(&rig);
	rig_go(&rig);
	rig_say(&rig, "LHLO x\r\n");
	assert_string_equal(rig_codes(&rig), "220 502");
	rig_stop(&rig);
}

static void
test_a_reply_for_each_recipient(void **unused)
{
	(void)unused;
	begin();
	rig_say(&rig, "DATA\r\n");
	rig_say(&rig, "Subject: x\r\n\r\nhello\r\n.\r\n");
	assert_string_equal(rig_codes(&rig), "354 250 250");
	assert_int_equal(rig.mail.rcpts, 2);
	assert_non_null(strstr(rig.body_room, " LMTP "));
	rig_say(&rig, "NOOP\r\n");
	assert_string_equal(rig_codes(&rig), "250");
	rig_stop(&rig);

	begin();
	rig_say(&rig, "BDAT 2\r\nx\n");
	rig_say(&rig, "BDAT 2 LAST\r\ny\n");
	assert_string_equal(rig_codes(&rig), "250 250 250");
	rig_stop(&rig);
}

/* Whatever the reply is, there are as many: else the client takes one for another. */
static void
test_refusals_come_for_each_too(void **unused)
{
	(void)unused;
	begin();
	rig.commit_rc = RC_TEMP;
	rig_say(&rig, "DATA\r\n");
	rig_say(&rig, "x\r\n.\r\n");
	assert_string_equal(rig_codes(&rig), "354 451 451");
	rig_stop(&rig);

	begin();
	rig_say(&rig, "BDAT 200000 LAST\r\n");
	static char chunk[200000];
	rig_feed(&rig, (struct str){chunk, sizeof(chunk)});
	assert_string_equal(rig_codes(&rig), "552 552");
	rig_stop(&rig);

	begin();
	rig_say(&rig, "BDAT 200000\r\n");
	rig_feed(&rig, (struct str){chunk, sizeof(chunk)});
	assert_string_equal(rig_codes(&rig), "552");
	rig_stop(&rig);
}

/* Where there is no recipient there is one reply: DATA must fail, RFC 2033 §4.2. */
static void
test_no_recipient_is_one_reply(void **unused)
{
	(void)unused;
	start();
	rig_say(&rig, "LHLO c\r\n");
	rig_say(&rig, "MAIL FROM:<s@r.example>\r\nRCPT TO:<nobody@ours.example>\r\n"
	              "RCPT TO:<x@elsewhere.example>\r\n");
	assert_string_equal(rig_codes(&rig), "250 250 550 554");
	rig_say(&rig, "DATA\r\n");
	assert_string_equal(rig_codes(&rig), "554");
	rig_say(&rig, "MAIL FROM:<s@r.example>\r\nBDAT 1 LAST\r\nx");
	assert_string_equal(rig_codes(&rig), "250 503");
	rig_stop(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lhlo_alone_greets),
		cmocka_unit_test(test_a_reply_for_each_recipient),
		cmocka_unit_test(test_refusals_come_for_each_too),
		cmocka_unit_test(test_no_recipient_is_one_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
