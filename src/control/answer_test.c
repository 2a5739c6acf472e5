/* What operators get: lines that parse, with nothing in them that a terminal would obey. */
#include <stdlib.h>
#include <sysexits.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/id.h"
#include "base/test.h"
#include "control/answer.h"

static char answer_room[ANSWER_OCTETS_MAX];
static char list_room[MSG_OCTETS_MAX];

static struct request
request_of(const char *line)
{
	struct request q;
	struct err e;

	assert_int_equal(request_read(str_of(line), &q, &e), RC_OK);
	return q;
}

/* The next line off <in>, which must be ASCII without controls. The caller's to decref. */
static json_t *
next_line(struct str *in)
{
	struct str line;

	assert_true(str_cut(in, '\n', &line));
	assert_true(str_is_ascii(line) && str_is_printable(line));
	json_t *o = json_loadb(line.p, line.n, 0, NULL);
	assert_non_null(o);
	return o;
}

static void
check_end(struct str *in, bool more)
{
	json_t *o = next_line(in);

	assert_true(json_is_true(json_object_get(o, "end")));
	assert_int_equal(json_is_true(json_object_get(o, "more")), more);
	assert_int_equal(in->n, 0);
	json_decref(o);
}

static void
check_text(const json_t *row, const char *key, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(row, key)), text);
}

/* <count> recipients of message <id> behind what the list holds. */
static void
add_queued(struct buf *b, uint64_t id, unsigned count, struct str text)
{
	for (unsigned i = 0; i < count; i++) {
		struct item_queued row = {.id = id,
		                          .n = (uint16_t)i,
		                          .size = 4096,
		                          .state = 1,
		                          .sender = text,
		                          .mailbox = text,
		                          .orig = text,
		                          .reply = str_slice(text, 0, 250)};

		assert_true(item_add_queued(b, &row));
	}
}

static struct str
queue_answer(struct buf *list, unsigned count, bool more, const struct request *q)
{
	struct msg m = {
		.no = MSG_queue_answer,
		.queue_answer = {.ask = 1,
	                         .more = more,
	                         .id = 2048,
	                         .n = 31,
	                         .rows = {count, buf_str(list)}}
        };
	struct buf b = BUF_ON(answer_room);

	buf_clear(&b);
	answer_queue(&b, q, &m);
	assert_false(b.cut);
	return buf_str(&b);
}

static void
test_hostile_text_stays_text(void **unused)
{
	(void)unused;
	struct buf list = BUF_ON(list_room);
	struct request q = request_of("{\"verb\":\"queue_list\"}");

	add_queued(&list, 1024, 1, STR("\"a\\\xff\"@\xc3\xa9"));
	add_queued(&list, 2048, 1, STR("\xc2\x9b[31m\xe2\x80\x8b@\xc3\xa9"));
	struct str in = queue_answer(&list, 2, false, &q);
	json_t *o = next_line(&in);
	check_text(json_object_get(o, "row"), "sender", "\\x22a\\x5c\\xff\\x22@\\xc3\\xa9");
	check_text(json_object_get(o, "row"), "state", "held");
	check_text(json_object_get(o, "row"), "id", "0000000000100");
	json_decref(o);
	o = next_line(&in);
	check_text(json_object_get(o, "row"), "sender", "\xc2\x9b[31m\xe2\x80\x8b@\xc3\xa9");
	json_decref(o);
	check_end(&in, false);
}

/* The next page begins where this one ended, which need not be its last row. */
static void
check_more(struct str *in)
{
	json_t *o = next_line(in);

	assert_true(json_is_true(json_object_get(o, "end")));
	assert_true(json_is_true(json_object_get(o, "more")));
	check_text(o, "id", "0000000000200");
	assert_int_equal(json_integer_value(json_object_get(o, "n")), 31);
	assert_int_equal(in->n, 0);
	json_decref(o);
}

static void
test_a_page_says_where_the_next_begins(void **unused)
{
	(void)unused;
	struct buf list = BUF_ON(list_room);
	struct request all = request_of("{\"verb\":\"queue_list\"}");
	struct str in = queue_answer(&list, 0, true, &all);

	check_more(&in); /* nothing fitted so far */
	add_queued(&list, 1024, 20, STR("a@b.example"));
	in = queue_answer(&list, 20, true, &all);
	for (unsigned i = 0; i < 20; i++)
		json_decref(next_line(&in));
	check_more(&in);
	in = queue_answer(&list, 20, false, &all);
	for (unsigned i = 0; i < 20; i++)
		json_decref(next_line(&in));
	check_end(&in, false);
}

static void
test_a_change_is_counted(void **unused)
{
	(void)unused;
	struct request q = request_of("{\"verb\":\"queue_hold\"}");
	struct msg m = {
		.no = MSG_queue_changed,
		.queue_changed = {.ask = 1,
	                          .more = 1,
	                          .id = 2048,
	                          .n = 31,
	                          .changed = 3,
	                          .same = 2,
	                          .out = 1}
        };
	struct buf b = BUF_ON(answer_room);

	buf_clear(&b);
	answer_changed(&b, &q, &m);
	struct str in = buf_str(&b);
	json_t *o = next_line(&in);
	const json_t *row = json_object_get(o, "row");
	assert_int_equal(json_integer_value(json_object_get(row, "changed")), 3);
	assert_int_equal(json_integer_value(json_object_get(row, "same")), 2);
	assert_int_equal(json_integer_value(json_object_get(row, "out")), 1);
	json_decref(o);
	check_more(&in);
}

static void
test_a_body_of_any_octets_goes_through(void **unused)
{
	(void)unused;
	static char octets[40960];
	struct request q = request_of("{\"verb\":\"queue_body\",\"id\":\"0000000000100\"}");
	struct msg m = {
		.no = MSG_body_answer,
		.body_answer = {.ask = 1, .size = 40962, .octets = {octets, sizeof(octets)}}
        };
	static char back[sizeof(octets)];
	size_t n = 0;
	struct buf b = BUF_ON(answer_room);

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (char)i;
	buf_clear(&b);
	answer_body(&b, &q, &m);
	assert_false(b.cut);
	struct str in = buf_str(&b);
	json_t *o = next_line(&in);
	const json_t *text = json_object_get(json_object_get(o, "row"), "octets");
	assert_true(base64_read(str_of(json_string_value(text)), back, sizeof(back), &n));
	assert_int_equal(n, sizeof(octets));
	assert_memory_equal(back, octets, n);
	json_decref(o);
	check_end(&in, true);
}

static void
test_the_longest_page_fits(void **unused)
{
	(void)unused;
	char text[321];
	struct buf b = BUF_ON(text);
	struct buf list = BUF_ON(list_room);
	struct request q = request_of("{\"verb\":\"queue_list\"}");

	while (b.n < 320)
		buf_addc(&b, '\xff'); /* as \xff in JSON five octets each */
	add_queued(&list, 1024, QUEUE_PAGE, buf_str(&b));
	struct str in = queue_answer(&list, QUEUE_PAGE, true, &q);
	for (unsigned i = 0; i < QUEUE_PAGE; i++)
		json_decref(next_line(&in));
	check_more(&in);
}

static struct str
journal_answer(const char *fields, unsigned rc, const struct request *q)
{
	struct buf list = BUF_ON(list_room);
	struct buf b = BUF_ON(answer_room);
	struct item_record r = {
		.id = 1024, .at_us = 1057056757000001, .fields = str_of(fields)};

	buf_clear(&b);
	assert_true(item_add_record(&list, &r));
	struct msg m = {
		.no = MSG_journal_answer,
		.journal_answer = {.ask = 1,
	                           .rc = (uint8_t)rc,
	                           .more = 1,
	                           .records = {1, buf_str(&list)}}
        };
	answer_journal(&b, q, &m);
	assert_false(b.cut);
	return buf_str(&b);
}

static void
test_a_record_is_read_into_its_fields(void **unused)
{
	(void)unused;
	struct request q = request_of("{\"verb\":\"explain\",\"id\":\"0000000000100\"}");
	struct str in = journal_answer("event=decision rcpt=\"a\\x0a\\\\x22@b\" x", RC_OK, &q);

	/* "\\" in the second field is no escape that log.c writes: the rest stays as it is */
	json_t *o = next_line(&in);
	json_t *row = json_object_get(o, "row");
	check_text(row, "time", "2003-07-01T10:52:37.000001Z");
	check_text(json_object_get(row, "fields"), "event", "decision");
	check_text(json_object_get(row, "fields"), "text", "rcpt=\"a\\x0a\\\\x22@b\" x");
	json_decref(o);
	check_end(&in, true);

	in = journal_answer("event=decision rcpt=\"a\\x0a\\x7f\\x22@b\"", RC_OK, &q);
	o = next_line(&in);
	row = json_object_get(o, "row");
	check_text(json_object_get(row, "fields"), "rcpt", "a\n\x7f\"@b");
	json_decref(o);
}

static void
check_error(struct str in, const char *text, int status)
{
	json_t *o = next_line(&in);

	check_text(o, "error", text);
	assert_int_equal(json_integer_value(json_object_get(o, "exit")), status);
	assert_int_equal(in.n, 0);
	json_decref(o);
}

static void
test_trouble_is_one_line_with_an_exit_status(void **unused)
{
	(void)unused;
	struct request q = request_of("{\"verb\":\"explain\",\"id\":\"0000000000100\"}");
	struct buf b = BUF_ON(answer_room);
	struct msg m = {
		.no = MSG_user_answer,
		.user_answer = {.ask = 1, .rc = RC_PERM, .text = STR("no \x1b[m")}
        };

	check_error(journal_answer("event=x", RC_TEMP, &q), "the journal cannot be read now",
	            EX_TEMPFAIL);
	buf_clear(&b);
	answer_user(&b, &q, &m);
	check_error(buf_str(&b), "no \x1b[m", EX_DATAERR);
	m.user_answer.rc = RC_TEMP;
	buf_clear(&b);
	answer_user(&b, &q, &m);
	check_error(buf_str(&b), "no \x1b[m", EX_TEMPFAIL);
}

static void
test_accounts_are_listed(void **unused)
{
	(void)unused;
	struct request q = request_of("{\"verb\":\"user_list\"}");
	struct buf list = BUF_ON(list_room);
	struct buf b = BUF_ON(answer_room);
	struct item_account a = {.address = STR("a@b.example"), .added_us = 1057056757000001};

	assert_true(item_add_account(&list, &a));
	struct msg m = {
		.no = MSG_user_answer,
		.user_answer = {.ask = 1, .accounts = {1, buf_str(&list)}}
        };
	buf_clear(&b);
	answer_user(&b, &q, &m);
	struct str in = buf_str(&b);
	json_t *o = next_line(&in);
	check_text(json_object_get(o, "row"), "address", "a@b.example");
	check_text(json_object_get(o, "row"), "added", "2003-07-01T10:52:37.000001Z");
	json_decref(o);
	check_end(&in, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_text_stays_text),
		cmocka_unit_test(test_a_page_says_where_the_next_begins),
		cmocka_unit_test(test_a_change_is_counted),
		cmocka_unit_test(test_a_body_of_any_octets_goes_through),
		cmocka_unit_test(test_the_longest_page_fits),
		cmocka_unit_test(test_a_record_is_read_into_its_fields),
		cmocka_unit_test(test_trouble_is_one_line_with_an_exit_status),
		cmocka_unit_test(test_accounts_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
