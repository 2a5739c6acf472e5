/*
 * A role that asks for links and reads none of them costs master nothing.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "master/house.h"
#include "master/link.h"

#define ASKS 5000U /* far more than a socket takes */

static void
got(void *arg, struct channel *c, const struct msg *m)
{
	(void)arg;
	(void)c;
	(void)m;
}

static void
down(void *arg, struct channel *c, const char *why)
{
	(void)arg;
	(void)c;
	(void)why;
}

static unsigned
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

/* Nobody reads at the other end, which is returned. */
static int
settle_in(struct house *h, enum proc p, struct slot **ret)
{
	struct channel_use use = {got, down, NULL};
	struct err e;
	int ends[2];

	assert_int_equal(house_add(h, p, 0, ret, &e), RC_OK);
	assert_int_equal(channel_pair(ends, &e), RC_OK);
	(*ret)->channel = channel_new(h->base, ends[0], MASTER, p, 0, use);
	assert_non_null((*ret)->channel);
	return ends[1];
}

static void
leave(struct slot *s, int end)
{
	s->channel = channel_free(s->channel);
	house_drop(s);
	(void)close(end);
}

static void
test_links_that_nobody_reads_are_not_queued(void **unused)
{
	static struct house house;
	static struct cfg cfg = {
		.hostname = {"mail.example.org", 16}
        };
	struct slot *edge;
	struct slot *vault;
	struct err e;

	(void)unused;
	house = (struct house){.base = event_base_new(), .control = -1};
	assert_int_equal(plan_new(&cfg, 1, &house.plan, &e), RC_OK);
	int ends[] = {settle_in(&house, EDGE, &edge), settle_in(&house, VAULT, &vault)};
	struct msg_relink ask = {.peer = (uint8_t)proc_number(VAULT)};
	unsigned before = descriptors();

	log_set_level(LOG_ERROR);
	for (unsigned i = 0; i < ASKS; i++) {
		memset(house.linked_ms, 0, sizeof(house.linked_ms)); /* a second has passed */
		link_again(edge, &ask);
	}
	assert_in_range(descriptors(), before, before + 8);
	leave(edge, ends[0]);
	leave(vault, ends[1]);
	(void)plan_drop(house.plan);
	event_base_free(house.base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_that_nobody_reads_are_not_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
