/*
 * Counts against a model that is too simple to be wrong: a list of what is open.
 */
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "ipc/proc.h"
#include "state/counts.h"

static const struct table_secret secret = {
	{1, 2}
};

static struct netaddr
addr(const char *text)
{
	struct netaddr a;

	assert_true(netaddr_parse(str_of(text), &a));
	return a;
}

static enum counts_verdict
come(struct counts_edge *edge, uint32_t session, const char *client)
{
	struct netaddr a = addr(client);

	return counts_open(edge, session, &a, false);
}

/* One client is an IPv4 address or an IPv6 /64; the limit per client holds over all edges. */
static void
test_limit_per_client(void **unused)
{
	struct counts *c = counts_new(100, 2, secret);
	struct counts_edge *a = counts_edge_new(c);
	struct counts_edge *b = counts_edge_new(c);

	(void)unused;
	assert_int_equal(come(a, 1, "192.0.2.1"), COUNTS_WELCOME);
	assert_int_equal(come(b, 1, "192.0.2.1"), COUNTS_WELCOME);
	assert_int_equal(come(a, 2, "192.0.2.1"), COUNTS_CLIENT);
	assert_int_equal(come(a, 3, "192.0.2.2"), COUNTS_WELCOME);
	assert_int_equal(come(a, 4, "2001:db8::1"), COUNTS_WELCOME);
	assert_int_equal(come(a, 5, "2001:db8::ffff:1"), COUNTS_WELCOME);
	assert_int_equal(come(b, 6, "2001:db8:0:0:1234::"), COUNTS_CLIENT);
	assert_int_equal(come(b, 7, "2001:db8:0:1::1"), COUNTS_WELCOME);
	/* the refused one is closed too, and counts for nothing */
	assert_true(counts_close(a, 2));
	assert_int_equal(come(a, 2, "192.0.2.1"), COUNTS_CLIENT);
	assert_true(counts_close(b, 1));
	assert_int_equal(come(a, 8, "192.0.2.1"), COUNTS_WELCOME);
	assert_int_equal(counts_all(c), 6);
	(void)counts_edge_free(a);
	(void)counts_edge_free(b);
	assert_int_equal(counts_all(c), 0);
	(void)counts_free(c);
}

static void
test_limit_in_all(void **unused)
{
	struct counts *c = counts_new(3, 3, secret);
	struct counts_edge *a = counts_edge_new(c);

	(void)unused;
	assert_int_equal(come(a, 1, "192.0.2.1"), COUNTS_WELCOME);
	assert_int_equal(come(a, 2, "192.0.2.2"), COUNTS_WELCOME);
	assert_int_equal(come(a, 3, "192.0.2.3"), COUNTS_WELCOME);
	assert_int_equal(come(a, 4, "192.0.2.4"), COUNTS_ALL);
	assert_true(counts_close(a, 1));
	assert_int_equal(come(a, 5, "192.0.2.4"), COUNTS_WELCOME);
	(void)counts_edge_free(a);
	(void)counts_free(c);
}

/* A crowd that is refused and stays for its reply makes no abuser of an edge: cut off, it would
 * have no state until somebody started it anew. */
static void
test_an_edge_full_of_refused_sessions(void **unused)
{
	struct counts *c = counts_new(10, 1, secret);
	struct counts_edge *a = counts_edge_new(c);

	(void)unused;
	assert_int_equal(come(a, 0, "192.0.2.1"), COUNTS_WELCOME);
	for (uint32_t i = 1; i < EDGE_SESSIONS_MAX; i++)
		assert_int_equal(come(a, i, "192.0.2.1"), COUNTS_CLIENT);
	assert_int_equal(counts_all(c), 1);
	(void)counts_edge_free(a);
	(void)counts_free(c);
}

/* What no honest edge says changes no count. */
static void
test_abuse(void **unused)
{
	struct counts *c = counts_new(10, 10, secret);
	struct counts_edge *a = counts_edge_new(c);
	struct counts_edge *b = counts_edge_new(c);

	(void)unused;
	assert_int_equal(come(a, 1, "192.0.2.1"), COUNTS_WELCOME);
	assert_int_equal(come(a, 1, "192.0.2.1"), COUNTS_ABUSE);
	assert_int_equal(come(a, 1, "192.0.2.2"), COUNTS_ABUSE);
	assert_false(counts_close(b, 1)); /* another edge's */
	assert_false(counts_close(a, 2));
	assert_true(counts_close(a, 1));
	assert_false(counts_close(a, 1));
	assert_int_equal(counts_all(c), 0);
	/* sessions opened without end, never closed */
	enum counts_verdict verdict = COUNTS_WELCOME;
	unsigned count = 0;
	while (verdict != COUNTS_ABUSE && count < 100000)
		verdict = come(a, count++, "192.0.2.1");
	assert_int_equal(count - 1, EDGE_SESSIONS_MAX);
	assert_int_equal(counts_all(c), 10);
	(void)counts_edge_free(a);
	(void)counts_edge_free(b);
	(void)counts_free(c);
}

/* After a restart what is held is counted, over the limits too, and judged no more. */
static void
test_again(void **unused)
{
	struct counts *c = counts_new(2, 1, secret);
	struct counts_edge *a = counts_edge_new(c);
	struct netaddr client = addr("192.0.2.1");

	(void)unused;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(counts_open(a, i, &client, true), COUNTS_WELCOME);
	assert_int_equal(counts_client(c, &client), 5);
	assert_int_equal(come(a, 9, "192.0.2.1"), COUNTS_CLIENT);
	assert_int_equal(come(a, 10, "192.0.2.9"), COUNTS_ALL);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(counts_close(a, i));
	assert_int_equal(counts_all(c), 1);
	assert_int_equal(come(a, 11, "192.0.2.9"), COUNTS_WELCOME);
	(void)counts_edge_free(a);
	(void)counts_free(c);
}

/* ---- random operations beside the model ---- */

enum { EDGES = 3, SESSIONS = 40, CLIENTS = 6, MOST_ALL = 30, MOST_CLIENT = 8, STEPS = 200000 };

struct held {
	bool open;
	bool counted;
	unsigned client;
};

struct model {
	struct held held[EDGES][SESSIONS];
};

static const char *const clients[CLIENTS] = {
	"192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::1", "2001:db8:0:1::1", "::1",
};

static unsigned
model_count(const struct model *m, int client)
{
	unsigned count = 0;

	for (unsigned e = 0; e < EDGES; e++)
		for (unsigned s = 0; s < SESSIONS; s++)
			count += m->held[e][s].counted &&
			         (client < 0 || m->held[e][s].client == (unsigned)client);
	return count;
}

static enum counts_verdict
model_open(struct model *m, unsigned edge, unsigned session, unsigned client, bool again)
{
	struct held *h = &m->held[edge][session];
	enum counts_verdict verdict = COUNTS_WELCOME;

	if (h->open)
		return COUNTS_ABUSE;
	if (!again && model_count(m, (int)client) >= MOST_CLIENT)
		verdict = COUNTS_CLIENT;
	else if (!again && model_count(m, -1) >= MOST_ALL)
		verdict = COUNTS_ALL;
	*h = (struct held){true, verdict == COUNTS_WELCOME, client};
	return verdict;
}

static unsigned
draw(uint64_t *seed, unsigned below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*seed >> 33) % below;
}

static void
step(struct model *m, struct counts *c, struct counts_edge **edges, uint64_t *seed)
{
	unsigned what = draw(seed, 1000);
	unsigned edge = draw(seed, EDGES);
	unsigned session = draw(seed, SESSIONS);
	unsigned client = draw(seed, CLIENTS);
	struct netaddr a = addr(clients[client]);

	if (what == 0) { /* the edge dies and is replaced */
		memset(m->held[edge], 0, sizeof(m->held[edge]));
		(void)counts_edge_free(edges[edge]);
		edges[edge] = counts_edge_new(c);
	} else if (what < 500) {
		bool again = what < 20;

		assert_int_equal(counts_open(edges[edge], session, &a, again),
		                 model_open(m, edge, session, client, again));
	} else {
		assert_int_equal(counts_close(edges[edge], session),
		                 m->held[edge][session].open);
		m->held[edge][session] = (struct held){.open = false};
	}
	assert_int_equal(counts_all(c), model_count(m, -1));
	assert_int_equal(counts_client(c, &a), model_count(m, (int)client));
}

static void
test_against_a_model(void **unused)
{
	struct counts *c = counts_new(MOST_ALL, MOST_CLIENT, secret);
	struct counts_edge *edges[EDGES];
	struct model *m = calloc(1, sizeof(*m));
	uint64_t seed = 20261123;

	(void)unused;
	assert_non_null(m);
	for (unsigned i = 0; i < EDGES; i++)
		edges[i] = counts_edge_new(c);
	for (unsigned i = 0; i < STEPS; i++)
		step(m, c, edges, &seed);
	for (unsigned i = 0; i < EDGES; i++)
		(void)counts_edge_free(edges[i]);
	assert_int_equal(counts_all(c), 0);
	(void)counts_free(c);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_per_client),
		cmocka_unit_test(test_limit_in_all),
		cmocka_unit_test(test_an_edge_full_of_refused_sessions),
		cmocka_unit_test(test_abuse),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
