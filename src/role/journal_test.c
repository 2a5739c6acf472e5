/*
 * The way to the journal: records leave in order and in batches, and a store that is away
 * costs a bounded room.
 */
#include <event2/event.h>
#include <string.h>

#include "base/test.h"
#include "ipc/channel.h"
#include "role/journal.h"

/* A store, and the role that sends to it. */
struct scene {
	struct event_base *base;
	struct channel *to_store;
	struct channel *store;
	unsigned messages;
	unsigned records;
	uint64_t last; /* id of the latest record */
	uint64_t gaps; /* ids that never came */
};

static void
store_got(void *arg, struct channel *c, const struct msg *m)
{
	struct scene *s = arg;
	struct list records = m->journal_put.records;
	struct item_record record;

	(void)c;
	assert_in_range(records.count, 1, 256);
	while (item_next_record(&records, &record)) {
		assert_true(record.id > s->last);
		s->gaps += record.id - s->last - 1;
		s->last = record.id;
		s->records++;
	}
	s->messages++;
}

static void
nothing_got(void *arg, struct channel *c, const struct msg *m)
{
	(void)arg;
	(void)c;
	(void)m;
}

static void
never_down(void *arg, struct channel *c, const char *why)
{
	(void)arg;
	(void)c;
	fail_msg("%s", why);
}

static int
setup(void **state)
{
	static struct scene s;
	int ends[2];
	struct err e;

	s = (struct scene){.base = event_base_new()};
	assert_non_null(s.base);
	assert_int_equal(channel_pair(ends, &e), RC_OK);
	s.to_store = channel_new(s.base, ends[0], EDGE, STORE, 0,
	                         (struct channel_use){nothing_got, never_down, &s});
	s.store = channel_new(s.base, ends[1], STORE, EDGE, 0,
	                      (struct channel_use){store_got, never_down, &s});
	assert_non_null(s.to_store);
	assert_non_null(s.store);
	*state = &s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	s->to_store = channel_free(s->to_store);
	s->store = channel_free(s->store);
	event_base_free(s->base);
	return 0;
}

/* All that was sent is read. */
static void
run(struct scene *s)
{
	for (unsigned i = 0; i < 1000; i++)
		(void)event_base_loop(s->base, EVLOOP_NONBLOCK);
}

static void
test_records_leave_in_order_and_in_batches(void **state)
{
	struct scene *s = *state;
	struct journal *j = journal_new();

	assert_true(journal_is_empty(j));
	for (uint64_t id = 1; id <= JOURNAL_EAGER; id++) {
		assert_false(journal_is_eager(j)); /* too few to hurry */
		journal_put(j, id, 5, STR("event=decision"));
		assert_false(journal_is_empty(j));
	}
	assert_true(journal_is_eager(j));
	journal_flush(j, s->to_store);
	assert_true(journal_is_empty(j));
	run(s);
	assert_int_equal(s->messages, 1);
	assert_int_equal(s->records, JOURNAL_EAGER);
	journal_add(j, JOURNAL_EAGER + 1, 5, "decision", KVS(kv_num("code", 250)));
	journal_flush(j, s->to_store);
	run(s);
	assert_int_equal(s->records, JOURNAL_EAGER + 1);
	assert_int_equal(s->gaps, 0);
	(void)journal_free(j);
}

/* While the store is away they wait, up to a limit; then the oldest go. */
static void
test_a_store_that_is_away_costs_a_bounded_room(void **state)
{
	struct scene *s = *state;
	struct journal *j = journal_new();
	char text[1000];
	uint64_t added = 0;

	memset(text, 'x', sizeof(text));
	while (added < 3000) {
		journal_put(j, ++added, 5, (struct str){text, sizeof(text)});
		journal_flush(j, NULL);
	}
	journal_flush(j, s->to_store);
	assert_true(journal_is_empty(j));
	run(s);
	assert_int_equal(s->last, added);
	assert_int_equal(s->records + s->gaps, added);
	assert_in_range(s->records, 60 * (JOURNAL_BLOCKS - 1), 61 * JOURNAL_BLOCKS);
	(void)journal_free(j);
}

static void
test_a_record_over_its_bounds_is_left_out(void **state)
{
	struct scene *s = *state;
	struct journal *j = journal_new();
	char text[1801];

	memset(text, 'x', sizeof(text));
	journal_put(j, 1, 5, (struct str){text, sizeof(text)});
	journal_put(j, 2, 5, STR("a\nb"));
	journal_put(j, 3, 5, STR("event=decision"));
	journal_flush(j, s->to_store);
	run(s);
	assert_int_equal(s->records, 1);
	assert_int_equal(s->last, 3);
	(void)journal_free(j);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_records_leave_in_order_and_in_batches),
		TEST(test_a_store_that_is_away_costs_a_bounded_room),
		TEST(test_a_record_over_its_bounds_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
