/*
 * Each recipient goes out by its own route; one that stands still holds up nobody, and after
 * a change of configuration what waits goes by the new one.
 */
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "spool/house.h"
#include "spool/route.h"

#define ENDPOINT "lmtp:/l"
#define NOW UINT64_C(1700000000000000)

static struct cfg_endpoint endpoint = {
	.name = {ENDPOINT, 7},
          .is_unix = true, .path = {"/l",     2}
};

static struct cfg_domain domains[] = {
	{.name = {"l.example", 9}, .endpoint = 1                 },
	{.name = {"s.example", 9}, .mailboxes = MAILBOXES_SYSTEM },
	{.name = {"v.example", 9}, .mailboxes = MAILBOXES_VIRTUAL},
};

static int
setup(void **state)
{
	(void)house_setup(state);
	struct house *h = *state;

	house_kill(h);
	domains[0].endpoint = 1;
	h->cfg.domains = domains;
	h->cfg.domain_count = LENGTH(domains);
	h->cfg.system = 2;
	h->cfg.endpoints = &endpoint;
	h->cfg.endpoint_count = 1;
	house_settle_in(h);
	return 0;
}

/* A message to these, NULL behind the last; its id. */
static uint64_t
keep(struct house *h, const char *const *mailboxes)
{
	static char room[8192];
	struct buf b = BUF_ON(room);
	struct list l = {0};
	uint64_t id = id_make(&h->ids, NOW);

	for (; mailboxes[l.count] != NULL; l.count++) {
		struct item_rcpt r = {.n = (uint16_t)l.count,
		                      .mailbox = str_of(mailboxes[l.count]),
		                      .orig = str_of(mailboxes[l.count])};
		assert_true(item_add_rcpt(&b, &r));
	}
	l.wire = buf_str(&b);
	struct msg m = house_commit(id, l, STR("x\n"));
	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(house_answer(h, id), RC_OK);
	return id;
}

static uint64_t
keep_one(struct house *h, const char *mailbox)
{
	const char *const to[] = {mailbox, NULL};

	return keep(h, to);
}

/* What comes over that channel is work for this mailbox alone; its number. */
static unsigned
take_work(struct house *h, int fd, enum proc who, const char *mailbox, const char *to)
{
	struct msg m;
	struct item_rcpt r;

	assert_true(try_take(&h->spool, fd, who, &m));
	assert_int_equal(m.no, MSG_work);
	assert_int_equal(m.work.rcpts.count, 1);
	assert_true(item_next_rcpt(&m.work.rcpts, &r));
	assert_true(str_eq(r.mailbox, str_of(mailbox)));
	assert_true(str_eq(m.work.endpoint, str_of(to)));
	return r.n;
}

static void
report(struct house *h, int fd, enum proc who, uint64_t id, unsigned n)
{
	char room[512];
	struct buf b = BUF_ON(room);
	struct item_result r = {(uint16_t)n, RC_OK, STR("")};

	assert_true(item_add_result(&b, &r));
	struct msg m = {
		.no = MSG_work_done, .work_done = {.id = id, .results = {1, buf_str(&b)}}
        };
	try_send(&h->spool, fd, who, &m);
}

static void
want(struct house *h, int fd, enum proc who, const char *to, unsigned messages)
{
	struct msg m = {
		.no = MSG_work_want,
		.work_want = {.messages = messages, .endpoint = str_of(to)}
        };

	try_send(&h->spool, fd, who, &m);
}

/* What spool asks of master next. */
static struct msg
asked(struct house *h, enum msg_no no)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->spool.master, MASTER, &m));
	assert_int_equal(m.no, no);
	return m;
}

static void
answer(struct house *h, uint32_t ask, enum rc rc, unsigned index, const char *why)
{
	struct msg m = {
		.no = MSG_deliver_for,
		.deliver_for = {.ask = ask,
	                        .rc = (uint8_t)rc,
	                        .index = (uint16_t)index,
	                        .why = str_of(why)}
        };

	try_send(&h->spool, h->spool.master, MASTER, &m);
}

/* Master gives the user a deliver with that number; our end of its channel. */
static int
give(struct house *h, const char *user, unsigned index)
{
	struct msg m = asked(h, MSG_deliver_want);

	assert_true(str_eq(m.deliver_want.user, str_of(user)));
	answer(h, m.deliver_want.ask, RC_OK, index, "");
	int fd = try_link(&h->spool, DELIVER, index);
	want(h, fd, DELIVER, "", 8);
	return fd;
}

static void
test_each_recipient_goes_by_its_route(void **state)
{
	struct house *h = *state;
	static const char *const to[] = {"a@v.example", "b@s.example", "c@l.example", NULL};
	int remote = try_link(&h->spool, REMOTE, 0);
	uint64_t id;

	house_want(h, 8);
	want(h, remote, REMOTE, ENDPOINT, 8);
	id = keep(h, to);
	int user = give(h, "b", DELIVER_USERS);
	unsigned c = take_work(h, remote, REMOTE, "c@l.example", ENDPOINT);
	unsigned b = take_work(h, user, DELIVER, "b@s.example", "");
	unsigned a = take_work(h, h->deliver, DELIVER, "a@v.example", "");
	report(h, remote, REMOTE, id, c);
	report(h, user, DELIVER, id, b);
	report(h, h->deliver, DELIVER, id, a);
	house_queue_empties(h);
	(void)close(user);
	(void)close(remote);
}

static void
test_a_route_that_stands_holds_up_nobody(void **state)
{
	struct house *h = *state;

	for (unsigned i = 0; i < 700; i++) /* more than are kept in memory */
		(void)keep_one(h, "c@l.example");
	house_want(h, 8);
	uint64_t id = keep_one(h, "a@v.example");
	report(h, h->deliver, DELIVER, id,
	       take_work(h, h->deliver, DELIVER, "a@v.example", ""));
	int remote = try_link(&h->spool, REMOTE, 0);
	want(h, remote, REMOTE, ENDPOINT, 1);
	(void)take_work(h, remote, REMOTE, "c@l.example", ENDPOINT);
	(void)close(remote);
}

static void
test_a_changed_configuration_moves_what_waits(void **state)
{
	struct house *h = *state;
	uint64_t id = keep_one(h, "c@l.example");

	house_kill(h);
	domains[0].endpoint = 0;
	h->cfg.endpoint_count = 0;
	house_settle_in(h);
	house_want(h, 8);
	report(h, h->deliver, DELIVER, id,
	       take_work(h, h->deliver, DELIVER, "c@l.example", ""));
	house_queue_empties(h);
}

/* Until the only row is so; its reply is <why>. */
static void
wait_row(struct house *h, unsigned state, unsigned tries, const char *why)
{
	struct item_queued q = {0};

	for (int i = 0; i < 300 && (q.state != state || q.tries != tries); i++) {
		assert_int_equal(house_queue(h, &q), 1);
		(void)usleep(10000);
	}
	assert_int_equal(q.state, state);
	assert_int_equal(q.tries, tries);
	assert_true(str_eq(q.reply, str_of(why)));
}

static void
test_what_master_refuses_is_deferred_or_held(void **state)
{
	struct house *h = *state;
	struct msg m;

	(void)keep_one(h, "b@s.example");
	m = asked(h, MSG_deliver_want);
	answer(h, m.deliver_want.ask, RC_TEMP, 0, "the home is not there");
	wait_row(h, 0, 1, "the home is not there");
	m = asked(h, MSG_deliver_want);
	answer(h, m.deliver_want.ask, RC_PERM, 0, "no such user");
	wait_row(h, 1, 2, "no such user");
}

static void
test_users_take_turns(void **state)
{
	struct house *h = *state;

	house_kill(h);
	h->cfg.system_delivers = 1;
	house_settle_in(h);
	uint64_t id = keep_one(h, "a@s.example");
	int first = give(h, "a", DELIVER_USERS);
	unsigned n = take_work(h, first, DELIVER, "a@s.example", "");
	(void)keep_one(h, "b@s.example");
	report(h, first, DELIVER, id, n);
	struct msg m = asked(h, MSG_deliver_release);
	assert_int_equal(m.deliver_release.index, DELIVER_USERS);
	(void)close(first);
	int second = give(h, "b", DELIVER_USERS);
	(void)take_work(h, second, DELIVER, "b@s.example", "");
	(void)close(second);
}

/* One that nobody asked for could be anybody's: mail of no route may go there. */
static void
test_a_user_s_deliver_that_was_not_asked_for_is_cut(void **state)
{
	struct house *h = *state;
	int fd = try_link(&h->spool, DELIVER, DELIVER_USERS + 3);
	struct msg m;
	char octet;

	(void)keep_one(h, "a@v.example");
	assert_false(try_take(&h->spool, fd, DELIVER, &m));
	assert_int_equal(recv(fd, &octet, 1, MSG_DONTWAIT),
	                 0); /* its end, and not only silence */
	(void)close(fd);
}

/* Both come in one turn: the message is kept by the values before, and goes out by the new. */
static void
test_what_is_kept_as_values_change_goes_by_the_new_ones(void **state)
{
	struct house *h = *state;
	char room[512];
	struct buf b = BUF_ON(room);
	struct item_rcpt r = {.mailbox = STR("c@l.example"), .orig = STR("c@l.example")};

	house_kill(h);
	domains[0].endpoint = 0;
	house_settle_in(h);
	int remote = try_link(&h->spool, REMOTE, 0);
	house_want(h, 8);
	want(h, remote, REMOTE, ENDPOINT, 8);
	assert_int_equal(house_queue(h, NULL), 0); /* it has heard all that */
	assert_int_equal(kill(h->spool.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(h->spool.pid, NULL, WUNTRACED), h->spool.pid);
	assert_true(item_add_rcpt(&b, &r));
	struct msg m =
		house_commit(id_make(&h->ids, NOW), (struct list){1, buf_str(&b)}, STR("x\n"));
	try_send(&h->spool, h->edge, EDGE, &m);
	domains[0].endpoint = 1;
	try_reload(&h->spool, &h->cfg);
	assert_int_equal(kill(h->spool.pid, SIGCONT), 0);
	(void)take_work(h, remote, REMOTE, "c@l.example", ENDPOINT);
	(void)close(remote);
}

/* Of more users than there is room for in memory: the others' mail waits in the tables. */
static void
test_users_beyond_memory_s_room_are_kept(void **state)
{
	struct house *h = *state;
	char mailbox[32];
	struct item_queued q;

	for (unsigned i = 0; i < ROUTES_MOST + 2; i++) {
		struct buf b = BUF_ON(mailbox);

		buf_addf(&b, "u%u@s.example", i);
		(void)keep_one(h, mailbox);
	}
	house_want(h, 8);
	(void)keep_one(h, "a@v.example");
	(void)take_work(h, h->deliver, DELIVER, "a@v.example", "");
	assert_int_equal(house_queue(h, &q), 32);
}

/* It died before its channel came here, and its number is another's by now. */
static void
test_a_number_given_anew_is_the_newer_user_s(void **state)
{
	struct house *h = *state;

	(void)keep_one(h, "a@s.example");
	struct msg m = asked(h, MSG_deliver_want);
	answer(h, m.deliver_want.ask, RC_OK, DELIVER_USERS, "");
	(void)keep_one(h, "b@s.example");
	int user = give(h, "b", DELIVER_USERS);
	(void)take_work(h, user, DELIVER, "b@s.example", "");
	(void)close(user);
}

#define ROUTE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, house_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		ROUTE_TEST(test_each_recipient_goes_by_its_route),
		ROUTE_TEST(test_a_route_that_stands_holds_up_nobody),
		ROUTE_TEST(test_a_changed_configuration_moves_what_waits),
		ROUTE_TEST(test_what_master_refuses_is_deferred_or_held),
		ROUTE_TEST(test_users_take_turns),
		ROUTE_TEST(test_a_user_s_deliver_that_was_not_asked_for_is_cut),
		ROUTE_TEST(test_what_is_kept_as_values_change_goes_by_the_new_ones),
		ROUTE_TEST(test_users_beyond_memory_s_room_are_kept),
		ROUTE_TEST(test_a_number_given_anew_is_the_newer_user_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
