#include "base/test.h"
#include "edge/journal.h"

/* A store that takes records in order, or is away. */
struct store {
	bool away;
	unsigned messages;
	unsigned records;
	uint64_t next; /* id of the record that must come now */
};

static bool
store_send(void *arg, const struct msg *m)
{
	struct store *s = arg;
	struct list records = m->journal_put.records;
	struct item_record record;

	if (s->away)
		return false;
	assert_in_range(records.count, 1, 256);
	while (item_next_record(&records, &record)) {
		assert_int_equal(record.id, s->next++);
		s->records++;
	}
	s->messages++;
	return true;
}

static void
test_records_leave_in_order_and_in_batches(void **unused)
{
	(void)unused;
	struct store s = {.next = 1};
	struct journal j = {.send = store_send, .arg = &s};

	assert_true(journal_add(&j, 1, 5, STR("event=decision")));
	assert_false(journal_add(&j, 2, 5, STR("event=decision")));
	journal_turn(&j); /* too few to hurry */
	assert_int_equal(s.records, 0);
	for (uint64_t id = 3; id <= JOURNAL_EAGER; id++)
		assert_false(journal_add(&j, id, 5, STR("event=decision")));
	journal_turn(&j);
	assert_int_equal(s.messages, 1);
	assert_int_equal(s.records, JOURNAL_EAGER);
	assert_true(journal_add(&j, JOURNAL_EAGER + 1, 5, STR("event=decision")));
	journal_flush(&j);
	assert_int_equal(s.records, JOURNAL_EAGER + 1);
	assert_int_equal(journal_dropped(&j), 0);
}

/* While the store is away they wait, up to a limit; the newest are dropped, and counted. */
static void
test_a_store_that_is_away_costs_a_bounded_room(void **unused)
{
	(void)unused;
	struct store s = {.next = 1, .away = true};
	struct journal j = {.send = store_send, .arg = &s};
	char text[1000];
	uint64_t added = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'x';
	while (j.dropped < 10) {
		(void)journal_add(&j, ++added, 5, (struct str){text, sizeof(text)});
		journal_turn(&j);
	}
	assert_in_range(added, 900, 1000); /* 16 batches of 60 KiB */
	s.away = false;
	journal_flush(&j);
	assert_int_equal(s.records, added - 10);
	assert_int_equal(journal_dropped(&j), 10);
	assert_int_equal(journal_dropped(&j), 0);
	journal_free(&j);
}

static void
test_a_record_over_its_bounds_is_dropped(void **unused)
{
	(void)unused;
	struct store s = {.next = 1};
	struct journal j = {.send = store_send, .arg = &s};
	char text[1801] = "";

	(void)journal_add(&j, 1, 5, (struct str){text, sizeof(text)});
	(void)journal_add(&j, 1, 5, STR("a\nb"));
	assert_int_equal(journal_dropped(&j), 2);
	(void)journal_add(&j, 1, 5, STR("event=decision"));
	journal_flush(&j);
	assert_int_equal(s.records, 1);
	assert_int_equal(j.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_leave_in_order_and_in_batches),
		cmocka_unit_test(test_a_store_that_is_away_costs_a_bounded_room),
		cmocka_unit_test(test_a_record_over_its_bounds_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
