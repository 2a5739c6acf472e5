/* The operator's verbs: each becomes its question, and nothing else does. */
#include "base/id.h"
#include "base/log.h"
#include "base/test.h"
#include "control/request.h"

#define ID "0000000000100" /* 1024 */

static void
check_read(const char *line, struct msg *ret_m, struct request *ret_q)
{
	struct err e = {.text = ""};

	if (request_read(str_of(line), ret_q, &e) != RC_OK)
		fail_msg("%s: %s", line, e.text);
	request_ask(ret_q, 7, ret_m);
}

static void
test_each_verb_becomes_its_question(void **unused)
{
	(void)unused;
	struct request q;
	struct msg m;

	check_read("{\"verb\":\"queue_list\"}", &m, &q);
	assert_int_equal(m.no, MSG_queue_ask);
	assert_int_equal(m.queue_ask.id, 0);
	assert_int_equal(m.queue_ask.most, QUEUE_PAGE);

	check_read("{\"verb\":\"explain\",\"id\":\"" ID "\",\"skip\":\"64\"}", &m, &q);
	assert_int_equal(m.no, MSG_journal_ask);
	assert_int_equal(m.journal_ask.id, 1024);
	assert_int_equal(m.journal_ask.skip, 64);

	check_read("{\"address\":\"a@b.example\",\"verb\":\"user_add\"}", &m, &q);
	assert_int_equal(m.no, MSG_user_add);
	assert_true(str_eq(m.user_add.address, STR("a@b.example")));

	check_read("{\"verb\":\"user_list\"}", &m, &q);
	assert_int_equal(m.no, MSG_user_list);
	assert_int_equal(m.user_list.after.n, 0);
	assert_int_equal(m.user_list.ask, 7);
	assert_false(request_gathers(&q));

	check_read("{\"verb\":\"status\"}", &m, &q);
	assert_int_equal(m.no, MSG_status_ask);
	assert_int_equal(m.status_ask.ask, 7);
	assert_true(request_gathers(&q));
}

static void
test_a_message_is_shown_from_its_first_recipient_on(void **unused)
{
	(void)unused;
	struct request q;
	struct msg m;

	check_read("{\"verb\":\"queue_show\",\"id\":\"" ID "\"}", &m, &q);
	assert_int_equal(m.queue_ask.id, 1023);
	assert_int_equal(m.queue_ask.n, 9999);
	assert_int_equal(m.queue_ask.last, 1024);

	check_read("{\"verb\":\"queue_show\",\"id\":\"" ID "\",\"n\":\"31\"}", &m, &q);
	assert_int_equal(m.queue_ask.id, 1024);
	assert_int_equal(m.queue_ask.n, 31);
}

static void
test_rows_are_chosen_by_all_that_is_given(void **unused)
{
	(void)unused;
	struct request q;
	struct msg m;

	check_read("{\"verb\":\"queue_delete\",\"sender\":\"<>\",\"rcpt\":\"@b.example\","
	           "\"reply\":\"full\",\"state\":\"held\",\"older\":\"60\",\"newer\":\"90\"}",
	           &m, &q);
	assert_int_equal(m.no, MSG_queue_ask);
	assert_int_equal(m.queue_ask.act, 4);
	assert_true(str_eq(m.queue_ask.sender, STR("<>")));
	assert_true(str_eq(m.queue_ask.rcpt, STR("@b.example")));
	assert_true(str_eq(m.queue_ask.reply, STR("full")));
	assert_int_equal(m.queue_ask.states, 2);
	assert_int_equal(m.queue_ask.older, 60);
	assert_int_equal(m.queue_ask.newer, 90);
	assert_int_equal(m.queue_ask.last, 0);

	check_read("{\"verb\":\"queue_hold\",\"only\":\"" ID "\"}", &m, &q);
	assert_int_equal(m.queue_ask.act, 1);
	assert_int_equal(m.queue_ask.id, 1023);
	assert_int_equal(m.queue_ask.n, 9999);
	assert_int_equal(m.queue_ask.last, 1024);

	check_read("{\"verb\":\"queue_hold\",\"only\":\"" ID "\",\"id\":\"" ID
	           "\",\"n\":\"7\"}",
	           &m, &q);
	assert_int_equal(m.queue_ask.id, 1024);
	assert_int_equal(m.queue_ask.n, 7);
	assert_int_equal(m.queue_ask.last, 1024);

	check_read("{\"verb\":\"queue_body\",\"id\":\"" ID "\",\"at\":\"40960\"}", &m, &q);
	assert_int_equal(m.no, MSG_body_ask);
	assert_int_equal(m.body_ask.at, 40960);
}

/* The log says who changed what, and which rows he meant. */
static void
test_a_change_has_its_fields(void **unused)
{
	(void)unused;
	struct kv fields[PARAM_COUNT + 2];
	struct request q;
	struct msg m;

	check_read("{\"verb\":\"queue_hold\",\"rcpt\":\"@b.example\",\"only\":\"" ID "\"}", &m,
	           &q);
	q.uid = 1000;
	assert_int_equal(request_fields(&q, fields, LENGTH(fields)), 4);
	assert_string_equal(fields[0].key, "verb");
	assert_int_equal(fields[1].u, 1000);
	assert_string_equal(fields[2].key, "only");
	assert_int_equal(fields[2].u, 1024);
	assert_true(str_eq(fields[3].s, STR("@b.example")));
	assert_int_equal(request_fields(&q, fields, 3), 3);
}

static void
test_what_is_no_request_is_refused(void **unused)
{
	(void)unused;
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"\"queue_list\"",
		"{}",
		"{\"verb\":1}",
		"{\"verb\":\"queue\"}",
		"{\"verb\":\"queue_list\\u0000\"}",
		"{\"verb\":\"queue_list\",\"verb\":\"queue_list\"}",
		"{\"verb\":\"queue_list\"} x",
		"{\"verb\":\"queue_list\",\"skip\":\"1\"}",
		("{\"verb\":\"queue_list\",\"id\":\"" ID "\",\"n\":\"10000\"}"),
		("{\"verb\":\"queue_list\",\"id\":\"" ID "\",\"n\":1}"),
		"{\"verb\":\"queue_show\"}",
		"{\"verb\":\"queue_show\",\"id\":\"0000000000000\"}",
		"{\"verb\":\"queue_show\",\"id\":\"fzzzzzzzzzzzz\"}",
		"{\"verb\":\"queue_show\",\"id\":\"../../../etc\"}",
		("{\"verb\":\"explain\",\"id\":\"" ID "\",\"skip\":\"4294967296\"}"),
		("{\"verb\":\"explain\",\"id\":\"" ID "\",\"skip\":\"-1\"}"),
		"{\"verb\":\"user_add\"}",
		"{\"verb\":\"queue_hold\",\"state\":\"gone\"}",
		"{\"verb\":\"queue_hold\",\"older\":\"1000000001\"}",
		"{\"verb\":\"queue_body\"}",
		"{\"verb\":\"user_add\",\"address\":\"a\\nb@c\"}",
		"{\"verb\":\"user_add\",\"address\":[\"a@b.example\"]}",
	};

	for (size_t i = 0; i < LENGTH(lines); i++) {
		struct request q;
		struct err e;

		if (request_read(str_of(lines[i]), &q, &e) != RC_PERM)
			fail_msg("accepted: %s", lines[i]);
	}
}

static void
test_an_address_over_its_bound_is_refused(void **unused)
{
	(void)unused;
	char room[REQUEST_OCTETS_MAX];
	struct request q;
	struct err e;

	for (unsigned n = 320; n <= 321; n++) { /* as in msg.def */
		struct buf b = BUF_ON(room);

		buf_addf(&b, "{\"verb\":\"user_add\",\"address\":\"%0*d\"}", (int)n, 0);
		assert_int_equal(request_read(buf_str(&b), &q, &e), n > 320 ? RC_PERM : RC_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_verb_becomes_its_question),
		cmocka_unit_test(test_a_message_is_shown_from_its_first_recipient_on),
		cmocka_unit_test(test_rows_are_chosen_by_all_that_is_given),
		cmocka_unit_test(test_a_change_has_its_fields),
		cmocka_unit_test(test_what_is_no_request_is_refused),
		cmocka_unit_test(test_an_address_over_its_bound_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
