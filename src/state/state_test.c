/*
 * The real state behind its walls, between two edges.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"
#include "cfg/cfg.h"
#include "role/try.h"

struct house {
	char dir[64];
	struct try state;
	int edges[2];
	int control;
};

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct buf b = BUF_ON(h->dir);
	struct cfg cfg;

	try_config(&cfg);
	cfg.hostname = STR("mail.example.org");
	cfg.max_connections_client = 2;
	buf_add(&b, STR("/tmp/sekisho-state-XXXXXX"));
	assert_non_null(mkdtemp(h->dir));
	h->state = try_start(STATE, &cfg, h->dir);
	for (unsigned i = 0; i < LENGTH(h->edges); i++)
		h->edges[i] = try_link(&h->state, EDGE, i);
	h->control = try_link(&h->state, CONTROL, 0);
	try_begin(&h->state);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;

	assert_int_equal(try_stop(&h->state), 0);
	for (unsigned i = 0; i < LENGTH(h->edges); i++)
		(void)close(h->edges[i]);
	(void)close(h->control);
	assert_int_equal(rmdir(h->dir), 0);
	free(h);
	return 0;
}

static void
say(struct house *h, int edge, enum msg_no no, uint32_t session, bool again)
{
	struct msg m = {.no = no};

	if (no == MSG_conn_close)
		m.conn_close.session = session;
	else
		m.conn_open = (struct msg_conn_open){.session = session, .again = again};
	try_send(&h->state, edge, EDGE, &m);
}

static unsigned
verdict_on(struct house *h, int edge, uint32_t session)
{
	struct msg m;

	say(h, edge, MSG_conn_open, session, false);
	assert_true(try_take(&h->state, edge, EDGE, &m));
	assert_int_equal(m.no, MSG_conn_verdict);
	assert_int_equal(m.conn_verdict.session, session);
	return m.conn_verdict.verdict;
}

/* The connections of an edge that died are free again; those said again count unjudged. */
static void
test_edges_share_and_die(void **state)
{
	struct house *h = *state;
	struct msg m;

	assert_int_equal(verdict_on(h, h->edges[0], 1), 0);
	assert_int_equal(verdict_on(h, h->edges[0], 2), 0);
	assert_int_equal(verdict_on(h, h->edges[1], 1), 1);
	say(h, h->edges[1], MSG_conn_close, 1, false);
	(void)close(h->edges[0]);
	h->edges[0] = try_link(&h->state, EDGE, 0);
	say(h, h->edges[0], MSG_conn_open, 7, true);
	say(h, h->edges[0], MSG_conn_open, 8, true);
	assert_int_equal(verdict_on(h, h->edges[0], 9), 1);
	say(h, h->edges[0], MSG_conn_close, 7, false);
	say(h, h->edges[0], MSG_conn_close, 9, false);
	assert_int_equal(verdict_on(h, h->edges[0], 10), 0);
	/* a session nobody opened: this edge is cut off, what it held is free */
	say(h, h->edges[0], MSG_conn_close, 99, false);
	assert_false(try_take(&h->state, h->edges[0], EDGE, &m));
	assert_int_equal(verdict_on(h, h->edges[1], 11), 0);
	assert_int_equal(verdict_on(h, h->edges[1], 12), 0);
	assert_int_equal(verdict_on(h, h->edges[1], 13), 1);
}

static void
assert_status(struct house *h, unsigned connections, unsigned clients)
{
	struct msg m = {.no = MSG_status_ask, .status_ask.ask = 4};

	try_send(&h->state, h->control, CONTROL, &m);
	assert_true(try_take(&h->state, h->control, CONTROL, &m));
	assert_int_equal(m.no, MSG_state_status);
	assert_int_equal(m.state_status.ask, 4);
	assert_int_equal(m.state_status.connections, connections);
	assert_int_equal(m.state_status.clients, clients);
}

/* What was refused is nobody's connection. */
static void
test_the_operator_is_told(void **state)
{
	struct house *h = *state;

	assert_status(h, 0, 0);
	assert_int_equal(verdict_on(h, h->edges[0], 1), 0);
	assert_int_equal(verdict_on(h, h->edges[1], 1), 0);
	assert_int_equal(verdict_on(h, h->edges[1], 2), 1);
	assert_status(h, 2, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_edges_share_and_die, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_operator_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
