/*
 * The queue in memory: order, bound, loss.
 */
#include <string.h>

#include "base/buf.h"
#include "base/test.h"
#include "store/waiting.h"

static void
put(struct waiting *w, uint64_t id, const char *text)
{
	waiting_put(w, &(struct record){id, id * 10, str_of(text)});
}

/* The ids in order, one blank behind each. */
static void
ids_of(const struct waiting *w, struct buf *b)
{
	const struct waiting_at *at = NULL;
	struct record r;

	while (waiting_next(w, &at, &r)) {
		assert_int_equal(r.at_us, r.id * 10);
		buf_addf(b, "%llu ", (unsigned long long)r.id);
	}
}

#define assert_ids(w, want) \
	do { \
		char room_[256]; \
		struct buf b_ = BUF_ON(room_); \
		ids_of((w), &b_); \
		assert_string_equal(b_.p, (want)); \
	} while (0)

static void
test_first_in_first_out(void **unused)
{
	struct waiting *w = waiting_new(1000);
	const struct waiting_at *at = NULL;
	struct record r;
	char text[] = "event=a";

	(void)unused;
	assert_ids(w, "");
	put(w, 1, text);
	memset(text, 'x', sizeof(text) - 1); /* it has its own copy */
	put(w, 2, "");
	put(w, 3, "event=c");
	assert_true(waiting_next(w, &at, &r));
	assert_str(r.fields, STR("event=a"));
	waiting_drop(w, 2);
	assert_ids(w, "3 ");
	waiting_drop(w, 5);
	assert_ids(w, "");
	assert_int_equal(waiting_count(w), 0);
	put(w, 4, "event=d");
	assert_ids(w, "4 ");
	assert_int_equal(waiting_take_lost(w), 0);
	assert_null(waiting_free(w));
}

/* Past the bound the oldest give way; one that could never fit is itself lost. */
static void
test_bound(void **unused)
{
	struct waiting *w = waiting_new(1000);
	char large[1001] = "";
	char half[401] = "";

	(void)unused;
	memset(large, 'x', sizeof(large) - 1);
	memset(half, 'y', sizeof(half) - 1);
	put(w, 1, half);
	put(w, 2, half);
	assert_ids(w, "1 2 ");
	put(w, 3, half);
	assert_ids(w, "2 3 ");
	assert_int_equal(waiting_take_lost(w), 1);
	assert_int_equal(waiting_take_lost(w), 0);
	put(w, 4, large);
	assert_int_equal(waiting_count(w), 0);
	assert_int_equal(waiting_take_lost(w), 3);
	put(w, 5, half);
	assert_ids(w, "5 ");
	(void)waiting_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_in_first_out),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
