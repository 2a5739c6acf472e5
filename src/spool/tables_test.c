/*
 * spool.db on real files: what is written is read as it was, in the order it falls due, and
 * a full disk costs nothing that was promised.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/test.h"
#include "spool/tables_room.h"

static void
test_each_start_has_its_own_number(void **state)
{
	struct room *r = *state;
	uint32_t boot;
	struct err e;

	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(tables_boot(r->t, &boot, &e), RC_OK);
		assert_int_equal(boot, i);
		room_reopen(r);
	}
}

/* ---- RCPT-02: whatever an envelope is, it is read as it was written ---- */

static uint64_t
chance(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Any octets, controls and quotes too. */
static struct str
any_text(uint64_t *seed, char *room, size_t most)
{
	size_t n = chance(seed) % (most + 1);

	for (size_t i = 0; i < n; i++)
		room[i] = (char)chance(seed);
	return (struct str){room, n};
}

static void
assert_same_mail(const struct mail_row *got, const struct mail_row *want)
{
	assert_int_equal(got->seq, want->seq);
	assert_int_equal(got->arrived_us, want->arrived_us);
	assert_int_equal(got->flags, want->flags);
	assert_int_equal(got->size, want->size);
	assert_int_equal(got->hash, want->hash);
	assert_int_equal(got->rcpts, want->rcpts);
	assert_memory_equal(&got->client, &want->client, sizeof(got->client));
	assert_true(str_eq(got->sender, want->sender));
	assert_true(str_eq(got->envid, want->envid));
	assert_true(str_eq(got->helo, want->helo));
	assert_true(str_eq(got->body, want->body));
	assert_true(str_eq(got->origin, want->origin));
}

static void
assert_same_rcpt(const struct rcpt_row *got, const struct rcpt_row *want)
{
	assert_int_equal(got->n, want->n);
	assert_int_equal(got->notify, want->notify);
	assert_int_equal(got->state, want->state);
	assert_int_equal(got->tries, want->tries);
	assert_int_equal(got->next_us, want->next_us);
	assert_true(str_eq(got->mailbox, want->mailbox));
	assert_true(str_eq(got->orig, want->orig));
	assert_true(str_eq(got->orcpt, want->orcpt));
	assert_true(str_eq(got->reply, want->reply));
	assert_true(str_eq(got->route, want->route));
}

static void
one_envelope(struct room *r, uint64_t *seed, uint64_t id)
{
	static char rooms[10][9000];
	struct err e = {.text = ""};
	struct mail_row got;
	struct rcpt_row got_rcpt;
	struct mail_row m = {.id = id,
	                     .seq = chance(seed) >> 1,
	                     .arrived_us = chance(seed) >> 1,
	                     .flags = (uint32_t)chance(seed),
	                     .rcpts = (unsigned)(chance(seed) % 10001),
	                     .sender = any_text(seed, rooms[0], 320),
	                     .envid = any_text(seed, rooms[1], 100),
	                     .helo = any_text(seed, rooms[2], 255),
	                     .body = any_text(seed, rooms[3], 9000),
	                     .origin = any_text(seed, rooms[8], 80)};
	struct rcpt_row rc = {.id = id,
	                      .n = (unsigned)(chance(seed) % 10000),
	                      .notify = chance(seed) & 15,
	                      .state = chance(seed) & 1 ? ROW_HELD : ROW_WAITING,
	                      .tries = (uint32_t)chance(seed),
	                      .next_us = chance(seed) >> 1,
	                      .mailbox = any_text(seed, rooms[4], 320),
	                      .orig = any_text(seed, rooms[5], 320),
	                      .orcpt = any_text(seed, rooms[6], 500),
	                      .reply = any_text(seed, rooms[7], 250),
	                      .route = any_text(seed, rooms[9], 128)};

	for (size_t i = 0; i < sizeof(m.client.octets); i++)
		m.client.octets[i] = (uint8_t)chance(seed);
	m.size = m.body.n;
	m.hash = XXH3_64bits(m.body.p, m.body.n);
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_put_mail(r->t, &m, &e), RC_OK);
	assert_int_equal(tables_put_rcpt(r->t, &rc, &e), RC_OK);
	if (chance(seed) % 8 == 0) {
		assert_int_equal(tables_commit(r->t, &e), RC_OK);
		room_reopen(r);
	}
	if (tables_mail(r->t, id, &got, &e) != RC_OK)
		fail_msg("%s", e.text);
	assert_same_mail(&got, &m);
	tables_mail_end(r->t);
	tables_rcpts(r->t, id);
	assert_int_equal(tables_rcpt_next(r->t, &got_rcpt, &e), RC_OK);
	assert_same_rcpt(&got_rcpt, &rc);
	assert_int_equal(tables_rcpt_next(r->t, &got_rcpt, &e), RC_AGAIN);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
}

static void
test_envelopes_are_read_as_written(void **state)
{
	struct room *r = *state;
	uint64_t seed = UINT64_C(0x5e15e150);

	for (uint64_t id = 1; id <= 500; id++)
		one_envelope(r, &seed, id);
}

/* ---- rows ---- */

static void
test_due_rows_come_in_order_after_the_cursor(void **state)
{
	struct room *r = *state;
	static const struct due rows[] = {
		{30, 1, 0},
                {10, 2, 0},
                {10, 2, 1},
                {10, 3, 0},
                {20, 1, 1},
	};
	static const unsigned order[] = {1, 2, 3, 4, 0};
	struct due got[8];
	unsigned count;
	struct due at = {0};
	struct err e;

	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct rcpt_row row = room_rcpt(rows[i].id, rows[i].n, rows[i].us);
		assert_int_equal(tables_put_rcpt(r->t, &row, &e), RC_OK);
	}
	struct rcpt_row held = room_rcpt(9, 0, 5);
	held.state = ROW_HELD;
	assert_int_equal(tables_put_rcpt(r->t, &held, &e), RC_OK);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
	for (size_t i = 0; i < LENGTH(order); i++) {
		assert_int_equal(tables_due(r->t, STR_NONE, at, 1, got, &count, &e), RC_OK);
		assert_int_equal(count, 1);
		assert_memory_equal(&got[0], &rows[order[i]], sizeof(got[0]));
		at = got[0];
	}
	assert_int_equal(tables_due(r->t, STR_NONE, at, 8, got, &count, &e), RC_OK);
	assert_int_equal(count, 0);
}

static void
test_deferred_and_held_rows_keep_their_story(void **state)
{
	struct room *r = *state;
	struct rcpt_row row;
	struct err e;

	room_must_put(r->t, 7, STR("x"));
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_defer(r->t, 7, 0, NOW + 60, STR("not now"), &e), RC_OK);
	tables_rcpts(r->t, 7);
	assert_int_equal(tables_rcpt_next(r->t, &row, &e), RC_OK);
	assert_int_equal(row.tries, 1);
	assert_int_equal(row.next_us, NOW + 60);
	assert_str(row.reply, STR("not now"));
	tables_rcpts_end(r->t);
	assert_int_equal(tables_hold(r->t, 7, 0, STR("never"), &e), RC_OK);
	tables_rcpts(r->t, 7);
	assert_int_equal(tables_rcpt_next(r->t, &row, &e), RC_OK);
	assert_int_equal(row.state, ROW_HELD);
	assert_str(row.reply, STR("never"));
	tables_rcpts_end(r->t);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
}

static void
test_second_row_of_an_id_is_refused_alone(void **state)
{
	struct room *r = *state;
	struct mail_row m = room_mail(7, STR("other"));
	struct err e;

	room_must_put(r->t, 7, STR("first"));
	assert_int_equal(room_put(r->t, 8, STR("x"), &e), RC_OK);
	assert_int_equal(tables_put_mail(r->t, &m, &e), RC_PERM);
	assert_int_equal(e.sys, EEXIST);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
	assert_int_equal(tables_mail(r->t, 7, &m, &e), RC_OK);
	assert_str(m.body, STR("first"));
	assert_int_equal(tables_mail(r->t, 8, &m, &e), RC_OK);
	tables_mail_end(r->t);
}

static void
test_listing_goes_on_after_a_row(void **state)
{
	struct room *r = *state;
	struct listed l;
	struct err e;

	for (uint64_t id = 1; id <= 3; id++)
		room_must_put(r->t, id, STR("body"));
	tables_list(r->t, 1, 0);
	assert_int_equal(tables_list_next(r->t, &l, &e), RC_OK);
	assert_int_equal(l.rcpt.id, 2);
	assert_int_equal(l.size, 4);
	assert_str(l.sender, STR("a@example.net"));
	assert_int_equal(tables_list_next(r->t, &l, &e), RC_OK);
	assert_int_equal(tables_list_next(r->t, &l, &e), RC_AGAIN);
	tables_list_end(r->t);
}

static void
test_rolled_back_is_gone(void **state)
{
	struct room *r = *state;
	struct err e;

	room_must_put(r->t, 1, STR("kept"));
	assert_int_equal(room_put(r->t, 2, STR("not kept"), &e), RC_OK);
	tables_rollback(r->t);
	assert_true(tables_has_mail(r->t, 1));
	assert_false(tables_has_mail(r->t, 2));
	room_must_put(r->t, 3, STR("kept"));
	room_reopen(r);
	assert_true(tables_has_mail(r->t, 3));
	assert_false(tables_has_mail(r->t, 2));
}

static void
assert_tally(const struct room *r, uint64_t messages, uint64_t waiting, uint64_t held,
             uint64_t oldest)
{
	struct tally tally = tables_tally(r->t);
	uint64_t id = 99;
	struct err e;

	assert_true(tally.counted);
	assert_int_equal(tally.messages, messages);
	assert_int_equal(tally.waiting, waiting);
	assert_int_equal(tally.held, held);
	assert_int_equal(tables_oldest(r->t, &id, &e), RC_OK);
	assert_int_equal(id, oldest);
}

/* Each change moves the count as it moves the rows; a start counts them and finds the same. */
static void
test_rows_are_counted(void **state)
{
	struct room *r = *state;
	struct rcpt_row second = room_rcpt(2, 1, NOW);
	struct err e;

	assert_tally(r, 0, 0, 0, 0);
	room_must_put(r->t, 2, STR("two"));
	room_must_put(r->t, 1, STR("one"));
	assert_tally(r, 2, 2, 0, 1);
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_put_rcpt(r->t, &second, &e), RC_OK);
	assert_int_equal(tables_hold(r->t, 2, 0, STR("no"), &e), RC_OK);
	assert_int_equal(tables_hold(r->t, 2, 0, STR("no"), &e),
	                 RC_OK); /* it is held already */
	assert_int_equal(tables_drop_rcpt(r->t, 1, 0, &e), RC_OK);
	assert_int_equal(tables_drop_rcpt(r->t, 1, 9, &e), RC_OK); /* there is none */
	assert_int_equal(tables_drop_mail(r->t, 1, &e), RC_OK);
	assert_int_equal(tables_defer(r->t, 2, 1, NOW + 1, STR("later"), &e), RC_OK);
	assert_tally(r, 1, 1, 1, 2);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
	room_reopen(r);
	assert_tally(r, 1, 1, 1, 2);
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_drop_rcpt(r->t, 2, 1, &e), RC_OK);
	assert_int_equal(room_put(r->t, 3, STR("three"), &e), RC_OK);
	tables_rollback(r->t);
	assert_tally(r, 1, 1, 1, 2);
}

/* As operators want it; what is held may be delivered all the same, where it was out. */
static void
test_moves_between_states_are_counted(void **state)
{
	struct room *r = *state;
	struct rcpt_row row;
	struct err e;

	room_must_put(r->t, 2, STR("two"));
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_move(r->t, 2, 0, ROW_WAITING, ROW_HELD, NOW, &e), RC_OK);
	assert_int_equal(tables_move(r->t, 2, 0, ROW_WAITING, ROW_HELD, NOW, &e), RC_OK);
	assert_tally(r, 1, 0, 1, 2);
	/* its try failed meanwhile: the reply is known, and it stays held */
	assert_int_equal(tables_hold(r->t, 2, 0, STR("no"), &e), RC_OK);
	assert_tally(r, 1, 0, 1, 2);
	tables_rcpts(r->t, 2);
	assert_int_equal(tables_rcpt_next(r->t, &row, &e), RC_OK);
	assert_true(row.state == ROW_HELD && row.tries == 1 && str_eq(row.reply, STR("no")));
	tables_rcpts_end(r->t);
	assert_int_equal(tables_move(r->t, 2, 0, ROW_HELD, ROW_WAITING, NOW + 9, &e), RC_OK);
	assert_tally(r, 1, 1, 0, 2);
	assert_int_equal(tables_move(r->t, 2, 0, ROW_WAITING, ROW_HELD, NOW, &e), RC_OK);
	assert_int_equal(tables_drop_rcpt(r->t, 2, 0, &e), RC_OK);
	assert_tally(r, 1, 0, 0, 2);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
}

/* ---- no room ---- */

static void
limit_files(rlim_t octets)
{
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
	now.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

/* IO-3: no room is said as such, what was kept stays, and with room again it goes on. */
static void
test_no_room_costs_only_its_batch(void **state)
{
	struct room *r = *state;
	static char big[60000];
	struct err e = {.rc = RC_OK};
	uint64_t id = 1;

	memset(big, 'x', sizeof(big));
	(void)signal(SIGXFSZ, SIG_IGN);
	limit_files(600000);
	while (e.rc == RC_OK && id < 100) {
		enum rc rc = room_put(r->t, id, (struct str){big, sizeof(big)}, &e);

		if (rc == RC_OK)
			rc = tables_commit(r->t, &e);
		e.rc = rc;
		id++;
	}
	assert_int_equal(e.rc, RC_TEMP);
	if (e.sys != ENOSPC)
		fail_msg("%s", e.text);
	tables_rollback(r->t);
	assert_in_range(id, 5, 11);
	assert_false(tables_has_mail(r->t, id - 1));
	assert_true(tables_has_mail(r->t, id - 2));
	limit_files(RLIM_INFINITY);
	room_must_put(r->t, id, (struct str){big, sizeof(big)});
	room_reopen(r);
	assert_true(tables_has_mail(r->t, id));
	assert_true(tables_has_mail(r->t, id - 2));
	assert_false(tables_has_mail(r->t, id - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_start_has_its_own_number),
		TEST(test_envelopes_are_read_as_written),
		TEST(test_due_rows_come_in_order_after_the_cursor),
		TEST(test_deferred_and_held_rows_keep_their_story),
		TEST(test_second_row_of_an_id_is_refused_alone),
		TEST(test_listing_goes_on_after_a_row),
		TEST(test_rolled_back_is_gone),
		TEST(test_rows_are_counted),
		TEST(test_moves_between_states_are_counted),
		TEST(test_no_room_costs_only_its_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
