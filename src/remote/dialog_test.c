/*
 * LMTP with servers of all kinds: what is said, what becomes of each recipient by what the
 * server replies at each place, and that nothing counts as delivered that is not.
 */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/test.h"
#include "proto/smtp.h"
#include "remote/dialog_rig.h"

#define ALL "250-mail\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE\r\n250 SMTPUTF8\r\n"
#define HELLO "220 mail LMTP\r\n", ALL
#define ENVELOPE \
	"MAIL FROM:<s@example.net> SIZE=17\r\nRCPT TO:<user0@example.org>\r\n" \
	"RCPT TO:<user1@example.org>\r\nDATA\r\n"
#define BODY STR("Subject: x\n\n.\n")
#define WIRE "Subject: x\r\n\r\n..\r\n.\r\n"

struct scene {
	struct dialog d;
	char room[65536];
	struct buf said;
};

static struct str
speak(struct scene *s)
{
	s->said = BUF_ON(s->room);
	dialog_speak(&s->d, &s->said);
	return buf_str(&s->said);
}

static void
hear(struct scene *s, const char *text)
{
	struct str in = str_of(text);

	dialog_hear(&s->d, &in, false);
}

static void
begin(struct scene *s, const char *greeting, const char *offers)
{
	*s = (struct scene){.d = {.state = DIALOG_OVER}};
	dialog_init(&s->d, STR("here.example"));
	assert_int_equal(speak(s).n, 0);
	hear(s, greeting);
	assert_str(speak(s), STR("LHLO here.example\r\n"));
	hear(s, offers);
	assert_int_equal(s->d.state, DIALOG_IDLE);
	assert_true(s->d.proved);
}

/* "0=2:450 4.2.2 full 1=0:250 ok": each recipient's number, rc and text. */
static void
assert_outcome(struct scene *s, const char *want)
{
	char room[2048];
	struct buf b = BUF_ON(room);
	struct parcel *p = dialog_take_done(&s->d);

	assert_non_null(p);
	assert_int_equal(p->unsettled, 0);
	for (unsigned i = 0; i < p->aim_count; i++)
		buf_addf(&b, "%s%u=%d:%s", i > 0 ? " " : "", p->aims[i].n, (int)p->aims[i].rc,
		         p->aims[i].why);
	assert_string_equal(room, want);
	(void)parcel_free(p);
}

static void
test_a_message_in_two_round_trips(void **unused)
{
	struct scene s;

	(void)unused;
	begin(&s, HELLO);
	for (int i = 0; i < 3; i++) {
		dialog_begin(&s.d, rig_parcel(2, BODY, 0));
		assert_str(speak(&s), STR(ENVELOPE));
		assert_int_equal(speak(&s).n, 0);
		hear(&s, "250 ok\r\n250 ok\r\n");
		assert_null(dialog_take_done(&s.d));
		hear(&s, "550 5.1.1 no\r\n354 go\r\n");
		assert_str(speak(&s), STR(WIRE));
		hear(&s, "250 2.0.0 kept\r\n");
		assert_outcome(&s, "0=0:250 2.0.0 kept 1=3:550 5.1.1 no");
		assert_int_equal(s.d.state, DIALOG_IDLE);
	}
	dialog_quit(&s.d);
	assert_str(speak(&s), STR("QUIT\r\n"));
}

static void
test_without_pipelining_each_reply_is_awaited(void **unused)
{
	static const struct {
		const char *said;
		const char *heard;
	} rows[] = {
		{"MAIL FROM:<s@example.net>\r\n",   "250 ok\r\n"   },
		{"RCPT TO:<user0@example.org>\r\n", "450 later\r\n"},
		{"RCPT TO:<user1@example.org>\r\n", "250 ok\r\n"   },
		{"DATA\r\n",                        "354 go\r\n"   },
		{WIRE,			      "250 kept\r\n" },
	};
	struct scene s;

	(void)unused;
	begin(&s, "220 mail\r\n", "250 mail\r\n");
	dialog_begin(&s.d, rig_parcel(2, BODY, 0));
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_str(speak(&s), str_of(rows[i].said));
		assert_int_equal(speak(&s).n, 0);
		hear(&s, rows[i].heard);
	}
	assert_outcome(&s, "0=2:450 later 1=0:250 kept");

	/* nobody is left: DATA is not said, and what stands of the transaction is taken back */
	dialog_begin(&s.d, rig_parcel(1, BODY, 0));
	(void)speak(&s);
	hear(&s, "250 ok\r\n");
	(void)speak(&s);
	hear(&s, "550 no\r\n");
	assert_outcome(&s, "0=3:550 no");
	dialog_begin(&s.d, rig_parcel(1, BODY, 0));
	assert_str(speak(&s), STR("RSET\r\n"));
	hear(&s, "250 ok\r\n");
	assert_str(speak(&s), STR("MAIL FROM:<s@example.net>\r\n"));
	dialog_lost(&s.d, "gone", false);
	assert_outcome(&s, "0=2:gone");
}

/* Each class of reply at each place, two recipients, all said at once. */
static void
test_each_reply_at_each_place(void **unused)
{
	/* clang-format off */
	static const struct {
		const char *envelope;
		const char *answers; /* NULL: the message is not asked for */
		const char *outcome;
		bool over;
	} rows[] = {
		{"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", "250 e\r\n250 f\r\n", "0=0:250 e 1=0:250 f", false},
		{"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", "250 e\r\n452 4.2.2 f\r\n", "0=0:250 e 1=2:452 4.2.2 f", false},
		{"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", "554 e\r\n250 f\r\n", "0=3:554 e 1=0:250 f", false},
		{"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", "421 e\r\n", "0=2:421 e 1=2:421 e", true},
		{"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", "250 e\r\n421 f\r\n", "0=0:250 e 1=2:421 f", true},
		{"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", "354 e\r\n", "0=2:it goes on behind the message: 354 e 1=2:it goes on behind the message: 354 e", true},
		{"450 a\r\n503 b\r\n503 c\r\n503 d\r\n", NULL, "0=2:450 a 1=2:450 a", false},
		{"552 5.3.4 a\r\n503 b\r\n503 c\r\n503 d\r\n", NULL, "0=3:552 5.3.4 a 1=3:552 5.3.4 a", false},
		{"421 a\r\n", NULL, "0=2:421 a 1=2:421 a", true},
		{"354 a\r\n", NULL, "0=2:it goes on where nothing follows: 354 a 1=2:it goes on where nothing follows: 354 a", true},
		{"250 a\r\n450 b\r\n550 c\r\n503 d\r\n", NULL, "0=2:450 b 1=3:550 c", false},
		{"250 a\r\n552 b\r\n550 c\r\n554 d\r\n", NULL, "0=2:552 b 1=3:550 c", false},
		{"250 a\r\n250 b\r\n421 c\r\n", NULL, "0=2:421 c 1=2:421 c", true},
		{"250 a\r\n250 b\r\n334 c\r\n", NULL, "0=2:it goes on where nothing follows: 334 c 1=2:it goes on where nothing follows: 334 c", true},
		{"250 a\r\n250 b\r\n250 c\r\n451 d\r\n", NULL, "0=2:451 d 1=2:451 d", false},
		{"250 a\r\n250 b\r\n550 c\r\n554 d\r\n", NULL, "0=3:554 d 1=3:550 c", false},
		{"250 a\r\n250 b\r\n250 c\r\n421 d\r\n", NULL, "0=2:421 d 1=2:421 d", true},
		{"250 a\r\n250 b\r\n250 c\r\n250 d\r\n", NULL, "0=2:DATA is answered with: 250 d 1=2:DATA is answered with: 250 d", true},
		{"250 a\r\n250 b\r\n250 c\r\n334 d\r\n", NULL, "0=2:DATA is answered with: 334 d 1=2:DATA is answered with: 334 d", true},
		{"250 a\r\n550 b\r\n550 c\r\n354 d\r\n", NULL, "0=3:550 b 1=3:550 c", true},
		{"250 a\r\n250 b\r\nnonsense\r\n", NULL, "0=2:not a reply 1=2:not a reply", true},
		{"250 a\r\n250 b\r\n550 c\n250 d\r\n", NULL, "0=2:a reply line that does not end in CR LF 1=2:a reply line that does not end in CR LF", true},
		/* a word too much before: it shows where 354 must stand */
		{"250 x\r\n250 a\r\n250 b\r\n250 c\r\n354 d\r\n", NULL, "0=2:DATA is answered with: 250 c 1=2:DATA is answered with: 250 c", true},
		{"250 a\r\n250 b\r\n354 d\r\n", NULL, "0=2:it goes on where nothing follows: 354 d 1=2:it goes on where nothing follows: 354 d", true},
	};
	/* clang-format on */

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct scene s;

		begin(&s, HELLO);
		dialog_begin(&s.d, rig_parcel(2, BODY, 0));
		(void)speak(&s);
		hear(&s, rows[i].envelope);
		assert_int_equal(speak(&s).n > 0, rows[i].answers != NULL);
		if (rows[i].answers != NULL)
			hear(&s, rows[i].answers);
		assert_int_equal(s.d.state == DIALOG_OVER, rows[i].over);
		assert_outcome(&s, rows[i].outcome);
		if (rows[i].over)
			continue;
		/* a transaction that ended by itself needs no RSET; another one does */
		dialog_begin(&s.d, rig_parcel(1, BODY, 0));
		assert_int_equal(str_starts(speak(&s), STR("RSET\r\n")),
		                 rows[i].answers == NULL);
		dialog_lost(&s.d, "x", false);
		(void)parcel_free(dialog_take_done(&s.d));
	}
}

/* A word too much behind the answers ends the connection; what was answered stands. */
static void
test_words_too_many(void **unused)
{
	static const char *const more[] = {"250 g\r\n", "250", "421 bye\r\n", "\r\n"};

	(void)unused;
	for (size_t i = 0; i < LENGTH(more); i++) {
		struct scene s;

		begin(&s, HELLO);
		dialog_begin(&s.d, rig_parcel(1, BODY, 0));
		(void)speak(&s);
		hear(&s, "250 a\r\n250 b\r\n354 c\r\n");
		(void)speak(&s);
		hear(&s, "250 d\r\n");
		hear(&s, more[i]);
		assert_int_equal(s.d.state, DIALOG_OVER);
		assert_outcome(&s, "0=0:250 d");
	}
}

/* Nothing can be the answer to what has not left yet. */
static void
test_an_answer_before_the_message(void **unused)
{
	static const struct {
		const char *early;
		const char *outcome;
	} rows[] = {
		{"250 kept\r\n",          "0=2:within the message: 250 kept"    },
		{"451 4.3.0 no\r\n",      "0=2:within the message: 451 4.3.0 no"},
		{"552 5.3.4 too big\r\n", "0=3:552 5.3.4 too big"               },
	};

	(void)unused;
	for (size_t i = 0; i < 2 * LENGTH(rows); i++) {
		struct str early = str_of(rows[i / 2].early);
		struct scene s;

		begin(&s, HELLO);
		dialog_begin(&s.d, rig_parcel(1, BODY, 0));
		(void)speak(&s);
		hear(&s, "250 a\r\n250 b\r\n354 c\r\n");
		if (i % 2 == 0)
			(void)speak(&s);
		dialog_hear(&s.d, &early, true);
		assert_int_equal(s.d.state, DIALOG_OVER);
		assert_outcome(&s, rows[i / 2].outcome);
	}
}

static void
test_connections_that_end(void **unused)
{
	struct scene s;

	(void)unused;
	begin(&s, HELLO);
	dialog_begin(&s.d, rig_parcel(2, BODY, 0));
	(void)speak(&s);
	hear(&s, "250 a\r\n250 b\r\n250 c\r\n354 d\r\n");
	(void)speak(&s);
	hear(&s, "250 e\r\n");
	dialog_lost(&s.d, "closed", false);
	assert_outcome(&s, "0=0:250 e 1=2:closed behind the end of the message: it may come "
	                   "twice");

	/* the first parcel of a connection is not tried again at once: it may be its fault */
	begin(&s, HELLO);
	dialog_begin(&s.d, rig_parcel(1, BODY, 0));
	(void)speak(&s);
	dialog_lost(&s.d, "closed", false);
	assert_false(s.d.left);
	assert_outcome(&s, "0=2:closed");
}

/* An idle connection may be closed just while we speak: that is nobody's fault, once. */
static void
test_a_used_connection_is_left(void **unused)
{
	static const char *const words[] = {NULL, "421 idle too long\r\n"};

	(void)unused;
	for (size_t i = 0; i < LENGTH(words) * 2; i++) {
		struct scene s;
		struct parcel *p = rig_parcel(1, BODY, 0);

		begin(&s, HELLO);
		dialog_begin(&s.d, rig_parcel(1, BODY, 0));
		(void)speak(&s);
		hear(&s, "250 a\r\n250 b\r\n354 c\r\n");
		(void)speak(&s);
		hear(&s, "250 d\r\n");
		assert_outcome(&s, "0=0:250 d");
		p->again = i % 2 == 1;
		dialog_begin(&s.d, p);
		(void)speak(&s);
		if (words[i / 2] != NULL)
			hear(&s, words[i / 2]);
		else
			dialog_lost(&s.d, "closed", false);
		assert_int_equal(s.d.left, i % 2 == 0);
		assert_int_equal(p->unsettled, i % 2 == 0 ? 1 : 0);
		assert_ptr_equal(dialog_take_done(&s.d), p);
		(void)parcel_free(p);
	}
}

static void
test_greetings_and_lhlo_that_are_none(void **unused)
{
	static const char *const greetings[] = {"421 too many\r\n", "554 no\r\n", "250 odd\r\n",
	                                        "SSH-2.0-x\r\n", "220 a\r\n220 b\r\n"};
	static const char *const lhlos[] = {"500 what\r\n", "421 bye\r\n", "354 x\r\n",
	                                    "x\r\n"};
	struct scene s;

	(void)unused;
	for (size_t i = 0; i < LENGTH(greetings) + LENGTH(lhlos); i++) {
		bool late = i >= LENGTH(greetings);

		dialog_init(&s.d, STR("here.example"));
		hear(&s, late ? "220 mail\r\n" : greetings[i]);
		(void)speak(&s);
		if (late)
			hear(&s, lhlos[i - LENGTH(greetings)]);
		assert_int_equal(s.d.state, DIALOG_OVER);
		assert_false(s.d.proved);
		assert_true(s.d.why[0] != '\0');
	}
}

/* What a message needs is asked for where it is offered; else it does not go there. */
static void
test_what_the_server_must_offer(void **unused)
{
	static const struct {
		const char *offer;
		uint32_t flags;
		struct str body;
		const char *mail; /* NULL: it is not even said */
	} rows[] = {
		{"250 mail\r\n",                  0,             STR_INIT("x\n"),           "MAIL FROM:<s@example.net>\r\n"},
		{"250 mail\r\n",                  0,             STR_INIT("caf\xc3\xa9\n"), NULL                           },
		{"250-mail\r\n250 8BITMIME\r\n",  0,             STR_INIT("caf\xc3\xa9\n"),
	         "MAIL FROM:<s@example.net> BODY=8BITMIME\r\n"                                                             },
		{"250-mail\r\n250 8BITMIME\r\n",  MAIL_8BIT,     STR_INIT("x\n"),
	         "MAIL FROM:<s@example.net>\r\n"									   },
		{"250-mail\r\n250 8BITMIME\r\n",  MAIL_SMTPUTF8, STR_INIT("x\n"),           NULL                           },
		{"250-mail\r\n250 SMTPUTF8\r\n",  MAIL_SMTPUTF8, STR_INIT("x\n"),
	         "MAIL FROM:<s@example.net> SMTPUTF8\r\n"								  },
		{"250-mail\r\n250 SIZE 1000\r\n", 0,             STR_INIT("x\nyy"),
	         "MAIL FROM:<s@example.net> SIZE=7\r\n"								    },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct scene s;
		struct parcel *p = rig_parcel(1, rows[i].body, rows[i].flags);

		begin(&s, "220 mail\r\n", rows[i].offer);
		dialog_begin(&s.d, p);
		assert_str(speak(&s), str_of(rows[i].mail));
		assert_int_equal(p->unsettled == 0, rows[i].mail == NULL);
		if (rows[i].mail == NULL)
			assert_int_equal(p->aims[0].rc, RC_PERM);
		dialog_lost(&s.d, "x", false);
		(void)parcel_free(dialog_take_done(&s.d));
	}
}

static void
test_addresses_on_the_wire(void **unused)
{
	static const struct {
		struct str sender;
		struct str mailbox;
		const char *said;
	} rows[] = {
		{STR_INIT(""),                    STR_INIT("\"odd one\"@example.org"),
	         "MAIL FROM:<> SIZE=3\r\nRCPT TO:<\"odd one\"@example.org>\r\nDATA\r\n"  },
		{STR_INIT("\"a>b\"@example.net"), STR_INIT("a+b@example.org"),
	         "MAIL FROM:<\"a>b\"@example.net> SIZE=3\r\nRCPT "
	         "TO:<a+b@example.org>\r\nDATA\r\n"                                      },
		{STR_INIT("s@example.net"),       STR_INIT("jos\xc3\xa9@example.org"),
	         "MAIL FROM:<s@example.net> SIZE=3 SMTPUTF8\r\n"
	         "RCPT TO:<jos\xc3\xa9@example.org>\r\nDATA\r\n"                         },
 /* what is no address is not said, to whomever it would be of use */
		{STR_INIT("s@example.net"),       STR_INIT("a@b> NOTIFY=NEVER"),       ""},
		{STR_INIT("a@b> SIZE=1"),         STR_INIT("a@example.org"),           ""},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct scene s;

		begin(&s, HELLO);
		dialog_begin(&s.d, rig_parcel_to(rows[i].sender, rows[i].mailbox, 0));
		assert_str(speak(&s), str_of(rows[i].said));
		dialog_lost(&s.d, "x", false);
		(void)parcel_free(dialog_take_done(&s.d));
	}
}

/* RFC 3461 §4: what the client asked of the reports goes on, to who offers to make them. */
static void
test_requests_for_reports_go_on(void **unused)
{
	static const struct {
		const char *offers;
		const char *said;
	} rows[] = {
		{"250-mail\r\n250-PIPELINING\r\n250 DSN\r\n",
	         "MAIL FROM:<s@example.net> RET=HDRS ENVID=a+2Bb+20c\r\n"
	         "RCPT TO:<a@example.org> NOTIFY=SUCCESS,DELAY "
	         "ORCPT=rfc822;x+2By@example.com\r\n"
	         "DATA\r\n"							},
		{"250-mail\r\n250 PIPELINING\r\n",
	         "MAIL FROM:<s@example.net>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n"},
	};
	struct item_rcpt r = {.notify = NOTIFY_SUCCESS | NOTIFY_DELAY,
	                      .mailbox = STR("a@example.org"),
	                      .orcpt = STR("rfc822;x+y@example.com")};
	char room[256];
	struct buf items = BUF_ON(room);
	struct err e;
	struct scene s;

	(void)unused;
	assert_true(item_add_rcpt(&items, &r));
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct msg_work w = {
			.flags = MAIL_RET_HDRS,
			.hash = XXH3_64bits("", 0),
			.sender = STR("s@example.net"),
			.envid = STR("a+b c"),
			.rcpts = {1, buf_str(&items)}
                };
		struct parcel *p = parcel_of_work(&w);

		assert_int_equal(parcel_check(p, &e), RC_OK);
		begin(&s, "220 mail\r\n", rows[i].offers);
		dialog_begin(&s.d, p);
		assert_str(speak(&s), str_of(rows[i].said));
		dialog_lost(&s.d, "gone", false);
		assert_outcome(&s, "0=2:gone");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_in_two_round_trips),
		cmocka_unit_test(test_without_pipelining_each_reply_is_awaited),
		cmocka_unit_test(test_each_reply_at_each_place),
		cmocka_unit_test(test_words_too_many),
		cmocka_unit_test(test_an_answer_before_the_message),
		cmocka_unit_test(test_connections_that_end),
		cmocka_unit_test(test_a_used_connection_is_left),
		cmocka_unit_test(test_greetings_and_lhlo_that_are_none),
		cmocka_unit_test(test_what_the_server_must_offer),
		cmocka_unit_test(test_addresses_on_the_wire),
		cmocka_unit_test(test_requests_for_reports_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
