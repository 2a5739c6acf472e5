/*
 * The codec: what is sent arrives, and nothing else is taken for a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/msg.h"

static char room[MSG_OCTETS_MAX + 2];

static struct buf
fresh(void)
{
	return BUF_ON(room);
}

static void
test_message_arrives_as_sent(void **unused)
{
	(void)unused;
	struct msg sent = {
		.no = MSG_rcpt_ask, .rcpt_ask = {7, 9, STR("alice+x"), STR("example.org")}
        };
	struct msg got;
	struct buf b = fresh();
	struct err e;
	int fd;

	assert_int_equal(msg_encode(EDGE, VAULT, &sent, &b, &fd, &e), RC_OK);
	assert_int_equal(fd, -1);
	assert_int_equal(msg_decode(EDGE, VAULT, buf_str(&b), -1, &got, &e), RC_OK);
	assert_int_equal(got.no, MSG_rcpt_ask);
	assert_int_equal(got.rcpt_ask.session, 7);
	assert_int_equal(got.rcpt_ask.ask, 9);
	assert_true(str_eq(got.rcpt_ask.local, STR("alice+x")));
	assert_true(str_eq(got.rcpt_ask.domain, STR("example.org")));
}

static void
test_list_arrives_in_order(void **unused)
{
	(void)unused;
	char items_room[512];
	struct buf items = BUF_ON(items_room);
	struct buf b = fresh();
	struct msg got;
	struct err e;
	int fd;

	for (uint16_t i = 0; i < 3; i++) {
		struct item_result r = {i, RC_TEMP, STR("later")};
		assert_true(item_add_result(&items, &r));
	}
	struct msg sent = {
		.no = MSG_work_done, .work_done = {5, {3, buf_str(&items)}}
        };
	assert_int_equal(msg_encode(DELIVER, SPOOL, &sent, &b, &fd, &e), RC_OK);
	assert_int_equal(msg_decode(DELIVER, SPOOL, buf_str(&b), -1, &got, &e), RC_OK);
	struct item_result r;
	for (uint16_t i = 0; i < 3; i++) {
		assert_true(item_next_result(&got.work_done.results, &r));
		assert_int_equal(r.n, i);
		assert_true(str_eq(r.reply, STR("later")));
	}
	assert_false(item_next_result(&got.work_done.results, &r));
}

/* An item that does not fit is left out whole, so that the list before it can be sent. */
static void
test_item_without_room_is_left_out(void **unused)
{
	(void)unused;
	char items_room[16];
	struct buf items = BUF_ON(items_room);
	struct item_target small = {STR("a@b.example")};
	struct item_target large = {STR("somebody@elsewhere.example")};

	assert_true(item_add_target(&items, &small));
	size_t was = items.n;
	assert_false(item_add_target(&items, &large));
	assert_int_equal(items.n, was);
	assert_false(items.cut);
}

static void
test_values_over_their_most_are_not_sent(void **unused)
{
	(void)unused;
	char long_text[80];
	struct err e;
	int fd;

	memset(long_text, 'x', sizeof(long_text));
	const struct msg bad[] = {
		{.no = MSG_rcpt_ask,  .rcpt_ask = {1, 1, {long_text, 65}, STR("example.org")}},
		{.no = MSG_rcpt_ask,  .rcpt_ask = {1, 1, STR("a\nb"), STR("example.org")}    },
		{.no = MSG_rcpt_ask,  .rcpt_ask = {1, 1, {"a\0b", 3}, STR("example.org")}    },
		{.no = MSG_conn_open, .conn_open = {.again = 2}                              },
	};
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct buf b = fresh();
		enum proc to = bad[i].no == MSG_conn_open ? STATE : VAULT;
		assert_int_equal(msg_encode(EDGE, to, &bad[i], &b, &fd, &e), RC_PERM);
	}
}

static void
test_wrong_direction_is_refused(void **unused)
{
	(void)unused;
	struct msg sent = {.no = MSG_conn_close, .conn_close = {3}};
	struct msg got;
	struct buf b = fresh();
	struct err e;
	int fd;

	assert_int_equal(msg_encode(STATE, EDGE, &sent, &b, &fd, &e), RC_PERM);
	b = fresh();
	assert_int_equal(msg_encode(EDGE, STATE, &sent, &b, &fd, &e), RC_OK);
	assert_int_equal(msg_decode(EDGE, SPOOL, buf_str(&b), -1, &got, &e), RC_PERM);
	assert_int_equal(msg_decode(STATE, EDGE, buf_str(&b), -1, &got, &e), RC_PERM);
}

static void
test_octets_left_over_or_missing_are_refused(void **unused)
{
	(void)unused;
	struct msg sent = {
		.no = MSG_rcpt_ask, .rcpt_ask = {7, 9, STR("alice"), STR("example.org")}
        };
	struct msg got;
	struct buf b = fresh();
	struct err e;
	int fd;

	assert_int_equal(msg_encode(EDGE, VAULT, &sent, &b, &fd, &e), RC_OK);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(
			msg_decode(EDGE, VAULT, str_slice(buf_str(&b), 0, n), -1, &got, &e),
			RC_PERM);
	buf_addc(&b, 'x');
	assert_int_equal(msg_decode(EDGE, VAULT, buf_str(&b), -1, &got, &e), RC_PERM);
}

static void
test_descriptor_missing_or_unasked_is_refused(void **unused)
{
	(void)unused;
	struct msg link = {
		.no = MSG_link, .link = {1, 0, 9}
        };
	struct msg begin = {.no = MSG_begin, .begin = {0}};
	struct msg got;
	struct buf b = fresh();
	struct err e;
	int fd;

	assert_int_equal(msg_encode(MASTER, EDGE, &link, &b, &fd, &e), RC_OK);
	assert_int_equal(fd, 9);
	assert_int_equal(msg_decode(MASTER, EDGE, buf_str(&b), -1, &got, &e), RC_PERM);
	assert_int_equal(msg_decode(MASTER, EDGE, buf_str(&b), 9, &got, &e), RC_OK);
	assert_int_equal(got.link.channel, 9);
	b = fresh();
	assert_int_equal(msg_encode(MASTER, EDGE, &begin, &b, &fd, &e), RC_OK);
	assert_int_equal(msg_decode(MASTER, EDGE, buf_str(&b), 9, &got, &e), RC_PERM);
}

/* A message exists for each pair of neighbours, and only for those. */
static void
test_channels_are_those_that_messages_need(void **unused)
{
	(void)unused;
	static const struct {
		unsigned from;
		unsigned to;
	} directions[] = {
#define MESSAGE(no, name, from, to) {from, to},
#include "ipc/msg.def"
	};

	for (unsigned a = 1; a < PROC_COUNT; a++)
		for (unsigned b = 1; b < PROC_COUNT; b++) {
			bool needed = false;

			for (size_t i = 0; i < LENGTH(directions); i++)
				needed = needed ||
				         ((directions[i].from & BIT(a)) &&
				          (directions[i].to & BIT(b))) ||
				         ((directions[i].from & BIT(b)) &&
				          (directions[i].to & BIT(a)));
			assert_int_equal(proc_linked(proc_of(a), proc_of(b)), needed);
		}
}

/* The codec's numbers stand in 16 bits and below MSG_NO_MAX. */
static void
test_each_message_has_a_name(void **unused)
{
	(void)unused;
	static const unsigned numbers[] = {
#define MESSAGE(no, name, from, to) no,
#include "ipc/msg.def"
	};

	for (size_t i = 0; i < LENGTH(numbers); i++) {
		assert_true(numbers[i] < MSG_NO_MAX);
		assert_non_null(msg_name((enum msg_no)numbers[i]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message_arrives_as_sent),
		cmocka_unit_test(test_list_arrives_in_order),
		cmocka_unit_test(test_item_without_room_is_left_out),
		cmocka_unit_test(test_values_over_their_most_are_not_sent),
		cmocka_unit_test(test_wrong_direction_is_refused),
		cmocka_unit_test(test_octets_left_over_or_missing_are_refused),
		cmocka_unit_test(test_descriptor_missing_or_unasked_is_refused),
		cmocka_unit_test(test_channels_are_those_that_messages_need),
		cmocka_unit_test(test_each_message_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
