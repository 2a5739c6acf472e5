/* What `sekisho status` is answered: what is known, and who did not say. */
#include <jansson.h>

#include "base/test.h"
#include "control/answer.h"
#include "control/status.h"
#include "ipc/sandbox.h"

#define BORN UINT64_C(1057056757000001)

static char answer_room[ANSWER_OCTETS_MAX];

static struct msg_process
process_of(enum proc role, unsigned index, uint32_t pid, bool ready)
{
	return (struct msg_process){.role = (uint8_t)proc_number(role),
	                            .index = (uint16_t)index,
	                            .pid = pid,
	                            .ready = ready,
	                            .walls = WALL_ALL,
	                            .since_us = BORN};
}

static const struct known *
known_of(const struct processes *ps)
{
	static struct known k;

	k.processes = *ps;
	return &k;
}

/* The row, the caller's; behind it nothing but the end. */
static json_t *
row_of(const struct processes *ps, const struct gathering *g)
{
	struct buf b = BUF_ON(answer_room);
	struct str line;

	buf_clear(&b);
	answer_status(&b, known_of(ps), g, 0, BORN + 61000000);
	assert_false(b.cut);
	struct str in = buf_str(&b);
	assert_true(str_cut(&in, '\n', &line));
	assert_true(str_is_ascii(line) && str_is_printable(line));
	assert_true(str_eq(in, STR("{\"end\":true,\"more\":false}\n")));
	json_t *o = json_loadb(line.p, line.n, 0, NULL);
	json_t *row = json_incref(json_object_get(o, "row"));
	json_decref(o);
	assert_true(json_is_object(row));
	return row;
}

static void
check_text(const json_t *o, const char *key, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(o, key)), text);
}

static void
check_number(const json_t *o, const char *key, json_int_t number)
{
	assert_int_equal(json_integer_value(json_object_get(o, key)), number);
}

static void
test_what_changed_takes_the_place_of_what_was(void **unused)
{
	(void)unused;
	struct processes ps = {.count = 0};
	struct msg_process p = process_of(EDGE, 0, 17, false);

	assert_true(processes_note(&ps, &p));
	p = process_of(EDGE, 1, 18, true);
	assert_true(processes_note(&ps, &p));
	p = process_of(EDGE, 0, 19, true);
	assert_true(processes_note(&ps, &p));
	assert_int_equal(ps.count, 2);
	assert_int_equal(ps.all[0].pid, 19);
}

static void
test_more_processes_than_a_house_has_are_refused(void **unused)
{
	(void)unused;
	struct processes ps = {.count = 0};

	for (unsigned i = 0; i <= PROCESSES_MAX; i++) {
		struct msg_process p = process_of(EDGE, i, i + 1, true);

		assert_int_equal(processes_note(&ps, &p), i < PROCESSES_MAX);
	}
}

/* Those of one role stand together, in the order in which they came. */
static void
test_one_that_is_gone_is_forgotten(void **unused)
{
	(void)unused;
	struct processes ps = {.count = 0};
	struct msg_process some[] = {
		process_of(EDGE, 0, 17, true), process_of(EDGE, 1, 18, true),
		process_of(CONTROL, 0, 19, true), process_of(EDGE, 2, 20, true)};

	for (size_t i = 0; i < LENGTH(some); i++)
		assert_true(processes_note(&ps, &some[i]));
	assert_int_equal(ps.all[2].pid, 20);
	assert_int_equal(ps.all[3].pid, 19);
	some[0].gone = 1;
	for (unsigned i = 0; i < 2; i++) { /* the second time there is nothing to forget */
		assert_true(processes_note(&ps, &some[0]));
		assert_int_equal(ps.count, 3);
		assert_int_equal(ps.all[0].pid, 18);
		assert_int_equal(ps.all[1].pid, 20);
		assert_int_equal(ps.all[2].pid, 19);
	}
}

static void
check_process(const json_t *row, size_t at, const char *role, const char *state, size_t walls)
{
	const json_t *p = json_array_get(json_object_get(row, "processes"), at);

	check_text(p, "role", role);
	check_text(p, "state", state);
	check_text(p, "since", "2003-07-01T10:52:37.000001Z");
	assert_int_equal(json_array_size(json_object_get(p, "missing_walls")), walls);
}

/* Master is no process of the list, and the walls of one that starts are not known. */
static void
test_processes_are_told(void **unused)
{
	(void)unused;
	struct processes ps = {.count = 0};
	struct gathering g = {.ask = 1};
	struct msg_process some[] = {
		process_of(MASTER, 0, 16, true), process_of(SPOOL, 0, 17, true),
		process_of(STATE, 0, 18, false), process_of(STORE, 0, 0, false)};

	some[1].walls = WALL_ALL & ~(WALL_UID | WALL_CHROOT);
	some[2].walls = 0;
	for (size_t i = 0; i < LENGTH(some); i++)
		assert_true(processes_note(&ps, &some[i]));
	json_t *row = row_of(&ps, &g);
	check_text(row, "version", SEKISHO_VERSION);
	check_number(row, "pid", 16);
	check_number(row, "uptime", 61);
	assert_int_equal(json_array_size(json_object_get(row, "processes")), 3);
	check_process(row, 0, "spool", "running", 2);
	check_process(row, 1, "state", "starting", 0);
	check_process(row, 2, "store", "down", 0);
	json_decref(row);
}

static void
test_parts_are_gathered(void **unused)
{
	(void)unused;
	struct processes ps = {.count = 0};
	struct gathering g;
	struct msg state = {
		.no = MSG_state_status, .state_status = {1, 5, 3}
        };
	struct msg spool = {
		.no = MSG_spool_status,
		.spool_status = {
				 .ask = 1, .messages = 2, .held = 4, .oldest = 1024, .open = 1}
        };

	gathering_begin(&g, 1, STATE | SPOOL);
	assert_true(gathering_take(&g, STATE, &state));
	assert_false(gathering_take(&g, STATE, &state)); /* it has said so already */
	assert_int_equal(g.awaited, SPOOL);
	gathering_miss(&g, STATE); /* it dies after its answer */
	assert_true(gathering_take(&g, SPOOL, &spool));
	assert_int_equal(g.awaited, 0);
	json_t *row = row_of(&ps, &g);
	check_number(json_object_get(row, "connections"), "now", 5);
	check_number(json_object_get(row, "connections"), "clients", 3);
	check_number(json_object_get(row, "queue"), "held", 4);
	check_text(json_object_get(row, "queue"), "oldest", "0000000000100");
	assert_true(json_is_true(json_object_get(json_object_get(row, "queue"), "open")));
	assert_int_equal(json_array_size(json_object_get(row, "silent")), 0);
	json_decref(row);
}

/* One is gone, the other cannot read its file: both are named, and nothing is made up. */
static void
test_who_does_not_say_is_named(void **unused)
{
	(void)unused;
	struct processes ps = {.count = 0};
	struct gathering g;
	struct msg spool = {
		.no = MSG_spool_status,
		.spool_status = {.ask = 1, .rc = RC_TEMP, .messages = 2}
        };

	gathering_begin(&g, 1, STATE | SPOOL);
	gathering_miss(&g, STATE);
	assert_true(gathering_take(&g, SPOOL, &spool));
	json_t *row = row_of(&ps, &g);
	assert_true(json_is_null(json_object_get(row, "connections")));
	assert_true(json_is_null(json_object_get(row, "queue")));
	const json_t *silent = json_object_get(row, "silent");
	assert_string_equal(json_string_value(json_array_get(silent, 0)), "state");
	assert_string_equal(json_string_value(json_array_get(silent, 1)), "spool");
	json_decref(row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_changed_takes_the_place_of_what_was),
		cmocka_unit_test(test_one_that_is_gone_is_forgotten),
		cmocka_unit_test(test_more_processes_than_a_house_has_are_refused),
		cmocka_unit_test(test_processes_are_told),
		cmocka_unit_test(test_parts_are_gathered),
		cmocka_unit_test(test_who_does_not_say_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
