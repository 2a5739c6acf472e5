/* What a client says and what it leads to. */
#include "edge/session_test.h"
#include "edge/verbs.h"

/* The latest decision has this field. */
static bool
decided(const char *field)
{
	return strstr(rig.decision, field) != NULL;
}

/* ---- the whole of it ---- */

static void
test_a_message_is_kept(void **unused)
{
	(void)unused;
	greeted();
	expect(ENVELOPE, "250 250");
	expect("DATA\r\n", "354");
	rig_say(&rig, "Subject: x\r\n\r\nhello\r\n..dot\r\n.\r\n");
	assert_int_equal(rig.count[MSG_mail_commit], 1);
	assert_memory_equal(rig.out.p, "250 2.0.0 kept as ", 18);
	assert_string_equal(rig_codes(&rig), "250");
	assert_string_equal(content(), "Subject: x\n\nhello\n.dot\n");
	assert_string_equal(rig.mail.sender, "u@r.example");
	assert_string_equal(rig.mail.mailboxes, "alice@ours.example,");
	assert_string_equal(rig.mail.origs, "alice@ours.example,");
	assert_non_null(strstr(rig.mail.body.p, "for <alice@ours.example>;"));
	assert_true(decided("reason=kept code=250"));
	assert_int_equal(rig.decisions, 1);
	expect("QUIT\r\n", "221");
	assert_true(session_over(rig.s) && session_parted(rig.s));
}

static void
test_a_pipelined_session_is_kept(void **unused)
{
	(void)unused;
	greeted();
	expect(ENVELOPE "RCPT TO:<bob@ours.example>\r\nDATA\r\n", "250 250 250 354");
	expect("x\r\n.\r\nRSET\r\n" ENVELOPE "DATA\r\n", "250 250 250 250 354");
	assert_null(strstr(rig.mail.body.p, "for <"));
	expect(".\r\nQUIT\r\n", "250 221");
	assert_int_equal(rig.count[MSG_mail_commit], 2);
	assert_string_equal(content(), "");
}

/* Any cut of what a client sends leads to the same. */
static void
test_octets_one_by_one(void **unused)
{
	(void)unused;
	static const char *const pieces[] = {
		HELLO, ENVELOPE "DATA\r\n",
		"a\r\n.\r\n" ENVELOPE "BDAT 3\r\nb\r\nBDAT 2 LAST\r\n.\n", "QUIT\r\n"};

	rig_go(&rig);
	for (size_t i = 0; i < LENGTH(pieces); i++)
		for (const char *c = pieces[i]; *c != '\0'; c++)
			rig_feed(&rig, (struct str){c, 1});
	assert_string_equal(rig_codes(&rig), "220 250 250 250 354 250 250 250 250 250 221");
	assert_string_equal(content(), "b\n.\n");
}

/* ---- discarded recipients ---- */

/* DISCARD-ALL: of a message for others too it is this recipient alone that is left out. */
static void
test_a_discarded_recipient_takes_no_mail_from_others(void **unused)
{
	(void)unused;
	greeted();
	expect("MAIL FROM:<u@r.example>\r\nRCPT TO:<daemon@ours.example>\r\n", "250 250");
	assert_true(decided("verdict=discard reason=rcpt_discarded code=250"));
	assert_true(decided("to=daemon@ours.example"));
	expect("RCPT TO:<alice@ours.example>\r\nRCPT TO:<daemon@ours.example>\r\nDATA\r\n",
	       "250 250 354");
	assert_int_equal(rig.decisions, 2);
	expect("x\r\n.\r\n", "250");
	assert_string_equal(rig.mail.mailboxes, "alice@ours.example,");
	assert_string_equal(rig.mail.origs, "alice@ours.example,");
	assert_null(strstr(rig.mail.body.p, "for <"));
	assert_true(decided("reason=kept"));
}

/* Nothing reaches writer or spool, by DATA and by BDAT; the reply and its record say so. */
static void
test_a_message_for_discarded_recipients_only(void **unused)
{
	(void)unused;
	static const char envelope[] = "MAIL FROM:<u@r.example>\r\n"
				       "RCPT TO:<daemon@ours.example>\r\n"
				       "RCPT TO:<Daemon@ours.example>\r\n";

	greeted();
	expect(envelope, "250 250 250");
	expect("DATA\r\n", "354");
	expect("x\r\n.\r\n", "250");
	assert_true(decided("verdict=discard reason=discarded code=250"));
	assert_int_equal(rig.decisions, 3);
	expect(envelope, "250 250 250");
	expect("BDAT 3\r\nx\r\nBDAT 0\r\nBDAT 2 LAST\r\ny\n", "250 250 250");
	assert_true(decided("verdict=discard reason=discarded code=250"));
	assert_int_equal(rig.decisions, 6);
	assert_int_equal(rig.count[MSG_mail_commit] + rig.count[MSG_mail_rcpts] +
	                         rig.count[MSG_body_item] + rig.count[MSG_body_end],
	                 0);
	expect(ENVELOPE "DATA\r\n", "250 250 354"); /* the session goes on as ever */
	expect("x\r\n.\r\n", "250");
	assert_int_equal(rig.count[MSG_mail_commit], 1);
}

/* What is thrown away is bounded all the same. */
static void
test_a_discarded_message_may_be_too_big(void **unused)
{
	(void)unused;
	static char line[1001];

	memset(line, 'x', 998);
	memcpy(line + 998, "\r\n", 3);
	greeted();
	expect("MAIL FROM:<u@r.example>\r\nRCPT TO:<daemon@ours.example>\r\n", "250 250");
	expect("DATA\r\n", "354");
	for (unsigned i = 0; i < 101; i++) /* message_size is 100,000 */
		rig_say(&rig, line);
	expect(".\r\n", "552");
	assert_true(decided("reason=too_big"));
}

/* ---- the table ---- */

static void
test_every_verb_has_a_source_and_a_state(void **unused)
{
	(void)unused;
	unsigned reached = IN(CONNECT) | IN(END);

	for (size_t i = 0; i < verb_count; i++) {
		assert_true(str_starts(str_of(verbs[i].source), STR("RFC ")));
		assert_true(verbs[i].in != 0);
		for (size_t j = 0; j < i; j++) /* one row for one verb in one state */
			assert_true((verbs[i].in & verbs[j].in) == 0 ||
			            strcmp(verbs[i].name, verbs[j].name) != 0);
		if (verbs[i].next != ST_SAME)
			reached |= BIT(verbs[i].next);
	}
	assert_int_equal(reached, BIT(ST_COUNT) - 1);
}

static void
test_ehlo_offers_and_help_lists(void **unused)
{
	(void)unused;
	rig_go(&rig);
	(void)rig_codes(&rig);
	rig_say(&rig, HELLO);
	assert_string_equal(rig.out.p,
	                    "250-mail.ours.example\r\n250-PIPELINING\r\n250-SIZE 100000\r\n"
	                    "250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	                    "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 HELP\r\n");
	(void)rig_codes(&rig);
	rig_say(&rig, "HELP\r\n");
	assert_string_equal(
		rig.out.p,
		"214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\r\n");
}

static void
test_out_of_turn_is_503(void **unused)
{
	(void)unused;
	rig_go(&rig);
	expect("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nRSET\r\nNOOP\r\nVRFY x\r\nHELP\r\n",
	       "220 503 503 503 250 250 252 214");
	expect("HELO x\r\n", "250");
	expect("RCPT TO:<a@b.example>\r\nDATA\r\n", "503 503");
	expect("MAIL FROM:<>\r\nMAIL FROM:<>\r\nRCPT TO:<alice@ours.example>\r\nMAIL "
	       "FROM:<>\r\n",
	       "250 503 250 503");
	expect("EHLO y\r\n", "250"); /* forgets the transaction, RFC 5321 §4.1.4 */
	expect("RCPT TO:<alice@ours.example>\r\n", "503");
}

static void
test_unknown_is_502(void **unused)
{
	(void)unused;
	greeted();
	expect("ETRN x\r\nEXPN y\r\nTURN\r\nAUTH PLAIN\r\nSTARTTLS\r\nSAML "
	       "x\r\nfoo\r\n.\r\nLAST\r\n",
	       "502 502 502 502 502 502 502 502 502");
	expect("\r\nNO\1OP\r\nNOOP\tx\r\nDATA x\r\nRSET x\r\n", "500 500 500 503 501");
}

static void
test_web_clients_and_headers_are_sent_away(void **unused)
{
	(void)unused;
	static const char *const lines[] = {"GET / HTTP/1.1\r\n", "POST /\r\n", "connect x\r\n",
	                                    "Subject: hello\r\n", "from:x\r\n"};

	for (size_t i = 0; i < LENGTH(lines); i++) {
		rig_stop(&rig);
		rig_start(&rig);
		greeted();
		expect(lines[i], "221");
		assert_true(session_over(rig.s) && !session_parted(rig.s));
	}
}

/* ---- recipients ---- */

static void
test_recipients(void **unused)
{
	(void)unused;
	static const struct {
		const char *rcpt;
		const char *codes;
		const char *reason;
	} rows[] = {
		{"<alice@ours.example>",					   "250", NULL                 },
		{"<ALICE@OURS.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;u+40R", "250", NULL                 },
		{"<postmaster>",						   "250", NULL                 },
		{"<alice@[192.0.2.25]>",					   "250", NULL                 },
		{"<alice@[127.0.0.1]>",					    "250", NULL                 },
		{"<@ours.example:alice@ours.example>",                             "250", NULL                 },
		{"<carol@ours.example>",					   "550", "reason=no_such_user"},
		{"<u%r.example@ours.example>",                                     "550", "reason=no_such_user"},
		{"<u@r.example>",						  "554", "reason=relay_denied"},
		{"<u@[192.0.2.26]>",					       "554", "reason=relay_denied"},
		{"<@ours.example:u@r.example>",                                    "554", "reason=relay_denied"},
		{"<loop@ours.example>",					    "451", "reason=alias_loop"  },
		{"<trouble@ours.example>",                                         "451", "reason=trouble"     },
		{"<nothing@ours.example>",                                         "451", "reason=trouble"     },
		{"<u@r.example@ours.example>",                                     "501", "reason=syntax"      },
		{"alice@ours.example",					     "501", "reason=syntax"      },
		{"<>",							     "501", "reason=syntax"      },
		{"<alice@ours.example> AUTH=<>",                                   "555", "reason=syntax"      },
	};
	char line[256];

	rig.cfg.smtp_max_errors = 1000;
	greeted();
	expect("MAIL FROM:<>\r\n", "250");
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct buf b = BUF_ON(line);

		rig.decision[0] = '\0';
		buf_addf(&b, "RCPT TO:%s\r\n", rows[i].rcpt);
		expect(line, rows[i].codes);
		assert_true(rows[i].reason == NULL ? rig.decision[0] == '\0'
		                                   : decided(rows[i].reason));
	}
}

/* One mailbox gets one copy, whatever leads to it; the first way counts. */
static void
test_duplicate_mailboxes_are_one(void **unused)
{
	(void)unused;
	greeted();
	expect("MAIL FROM:<>\r\nRCPT TO:<many@ours.example>\r\nRCPT TO:<team@ours.example>\r\n"
	       "RCPT TO:<bob@ours.example>\r\nDATA\r\n",
	       "250 250 250 250 354");
	expect(".\r\n", "250");
	assert_string_equal(rig.mail.mailboxes, "alice@ours.example,bob@ours.example,");
	assert_string_equal(rig.mail.origs, "many@ours.example,team@ours.example,");
}

/* What came before the trouble goes as well: alice must not get a message that was refused. */
static void
test_half_an_answer_leaves_nothing(void **unused)
{
	(void)unused;
	greeted();
	expect("MAIL FROM:<>\r\nRCPT TO:<bob@ours.example>\r\nRCPT TO:<half@ours.example>\r\n"
	       "DATA\r\n",
	       "250 250 451 354");
	expect(".\r\n", "250");
	assert_string_equal(rig.mail.mailboxes, "bob@ours.example,");
}

static void
test_too_many_recipients(void **unused)
{
	(void)unused;
	rig.cfg.smtp_max_rcpt = 2;
	greeted();
	expect(ENVELOPE "RCPT TO:<bob@ours.example>\r\nRCPT TO:<team@ours.example>\r\n",
	       "250 250 250 452");
	expect("DATA\r\n", "354");
	expect(".\r\n", "250");
}

static void
test_no_valid_recipient(void **unused)
{
	(void)unused;
	greeted();
	expect("MAIL FROM:<>\r\nRCPT TO:<u@r.example>\r\nDATA\r\n", "250 554 554");
	assert_true(decided("reason=no_valid_rcpt"));
	expect("RCPT TO:<alice@ours.example>\r\n", "503"); /* the transaction is gone */
	expect("MAIL FROM:<>\r\nDATA\r\n", "250 503");
}

/* ---- STATE-01 to STATE-03 ---- */

static void
test_a_failed_bdat_leaves_nothing(void **unused)
{
	(void)unused;
	greeted();
	expect(ENVELOPE "BDAT 5\r\nabcde", "250 250 250");
	expect("BDAT 100000\r\n", ""); /* over the size: read and refused */
	char *much = calloc(1, 100000);
	assert_non_null(much);
	rig_feed(&rig, (struct str){much, 100000});
	free(much);
	assert_string_equal(rig_codes(&rig), "552");
	expect("RCPT TO:<alice@ours.example>\r\n", "503");
	expect("DATA\r\n", "503");
	expect("BDAT 3 LAST\r\nabc", "503");
	expect(ENVELOPE "BDAT 2 LAST\r\nok", "250 250 250");
	assert_string_equal(content(), "ok");
	expect(ENVELOPE "BDAT x\r\nDATA\r\n", "250 250 501");
	assert_true(session_over(rig.s));
}

static void
test_a_refused_message_leaves_nothing(void **unused)
{
	(void)unused;
	greeted();
	rig.commit_rc = RC_TEMP;
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	expect("x\r\n.\r\n", "451");
	expect("RCPT TO:<alice@ours.example>\r\nDATA\r\n", "503 503");
	rig.commit_rc = RC_OK;
	unsigned asks = rig.count[MSG_rcpt_ask];
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	expect("x\r\n.\r\n", "250");
	assert_int_equal(rig.count[MSG_rcpt_ask], asks + 1); /* every check again */
}

static void
test_side_commands_touch_nothing(void **unused)
{
	(void)unused;
#define SIDE "NOOP \xff\r\nVRFY \xc3\xa9@x\r\nHELP me\r\nETRN x\r\nEXPN y\r\n"
#define SIDE_CODES " 250 252 214 502 502"
	greeted();
	expect("MAIL FROM:<>\r\n" SIDE "RCPT TO:<alice@ours.example>\r\n" SIDE,
	       "250" SIDE_CODES " 250" SIDE_CODES);
	expect("BDAT 1\r\na" SIDE "BDAT 1 LAST\r\nb", "250" SIDE_CODES " 250");
	assert_string_equal(content(), "ab");
}

/* ---- PIPE-01 ---- */

static void
test_speaking_out_of_turn_ends_the_session(void **unused)
{
	(void)unused;
	static const struct {
		const char *before;
		const char *say;
		const char *codes;
	} rows[] = {
		{NULL,           "EHLO x\r\n",                       "554"    }, /* before the greeting */
		{"",             "EHLO x\r\nMAIL FROM:<>\r\n",       "554"    },
		{"",             "HELO x\r\nNOOP\r\n",               "554"    },
		{HELLO ENVELOPE, "DATA\r\nx\r\n.\r\n",               "554"    },
		{HELLO,          "DATA\r\nx\r\n",                    "503"    }, /* no DATA: what follows is a command */
		{HELLO ENVELOPE, "BDAT 1 LAST\r\naMAIL FROM:<>\r\n", "554"    },
		{HELLO ENVELOPE, "BDAT 1 LAST\r\naQUIT\r\nx",        "554"    },
		{HELLO ENVELOPE, "BDAT 1 LAST\r\naQUIT\r\n",         "250 221"},
		{HELLO ENVELOPE, "BDAT 1 LAST\r\naQU",               "250"    }, /* the rest is on its way */
		{HELLO ENVELOPE, "BDAT 1 LAST\r\naquit\r\n",         "250 221"},
		{HELLO ENVELOPE, "BDAT 1\r\naBDAT 1 LAST\r\nb",      "250 250"},
		{HELLO,          "QUIT\r\nNOOP\r\n",                 "221"    },
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		rig_stop(&rig);
		rig_start(&rig);
		if (rows[i].before != NULL) {
			struct str rest = str_of(rows[i].before);
			struct str line;

			rig_go(&rig);
			while (str_cut(&rest, '\n', &line))
				rig_feed(&rig, (struct str){line.p, line.n + 1});
			(void)rig_codes(&rig);
		}
		rig_say(&rig, rows[i].say);
		const char *codes = rig_codes(&rig);
		if (strncmp(codes, rows[i].codes, strlen(rows[i].codes)) != 0)
			fail_msg("row %zu: %s", i, codes);
		assert_true(codes[0] == '5' && codes[2] == '4' ? session_over(rig.s) : true);
		assert_int_equal(rig.count[MSG_mail_commit], strncmp(codes, "250", 3) == 0);
	}
}

/* ---- loops ---- */

static void
test_loops_are_refused(void **unused)
{
	(void)unused;
	static char hops[51 * 14 + 1];

	for (size_t i = 0; i < 51; i++)
		memcpy(hops + i * 14, "Received: by\r\n", 14);
	greeted();
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	rig_feed(&rig, (struct str){hops, 51 * 14});
	expect("\r\n.\r\n", "554");
	assert_true(decided("reason=too_many_hops"));
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	rig_feed(&rig, (struct str){hops, 50 * 14});
	expect("\r\nReceived: in the body\r\n.\r\n", "250");
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	expect("Delivered-To: bob@ours.example\r\n\r\n.\r\n", "250");
	expect(ENVELOPE "DATA\r\n", "250 250 354");
	expect("delivered-to: alice@ours.example\r\n\r\n.\r\n", "554");
	assert_true(decided("reason=delivered_before"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_a_message_is_kept),
		RIG_TEST(test_a_pipelined_session_is_kept),
		RIG_TEST(test_octets_one_by_one),
		RIG_TEST(test_a_discarded_recipient_takes_no_mail_from_others),
		RIG_TEST(test_a_message_for_discarded_recipients_only),
		RIG_TEST(test_a_discarded_message_may_be_too_big),
		RIG_TEST(test_every_verb_has_a_source_and_a_state),
		RIG_TEST(test_ehlo_offers_and_help_lists),
		RIG_TEST(test_out_of_turn_is_503),
		RIG_TEST(test_unknown_is_502),
		RIG_TEST(test_web_clients_and_headers_are_sent_away),
		RIG_TEST(test_recipients),
		RIG_TEST(test_duplicate_mailboxes_are_one),
		RIG_TEST(test_half_an_answer_leaves_nothing),
		RIG_TEST(test_too_many_recipients),
		RIG_TEST(test_no_valid_recipient),
		RIG_TEST(test_a_failed_bdat_leaves_nothing),
		RIG_TEST(test_a_refused_message_leaves_nothing),
		RIG_TEST(test_side_commands_touch_nothing),
		RIG_TEST(test_speaking_out_of_turn_ends_the_session),
		RIG_TEST(test_loops_are_refused),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
