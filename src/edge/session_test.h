/*
 * What the tests of sessions share: one rig, made anew for each. Only session_*_test.c include
 * it.
 */
#ifndef EDGE_SESSION_TEST_H
#define EDGE_SESSION_TEST_H

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/test.h"
#include "edge/session_rig.h"

#define HELLO "EHLO client.example\r\n"
#define ENVELOPE "MAIL FROM:<u@r.example>\r\nRCPT TO:<alice@ours.example>\r\n"

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct rig rig;

static inline int
setup(void **unused)
{
	(void)unused;
	rig_start(&rig);
	return 0;
}

static inline int
teardown(void **unused)
{
	(void)unused;
	rig_stop(&rig);
	return 0;
}

/* Greeted, and the greeting forgotten. */
static inline void
greeted(void)
{
	rig_go(&rig);
	rig_say(&rig, HELLO);
	assert_string_equal(rig_codes(&rig), "220 250");
}

static inline void
expect(const char *say, const char *codes)
{
	rig_say(&rig, say);
	assert_string_equal(rig_codes(&rig), codes);
}

/* The content behind our own Received field. */
static inline const char *
content(void)
{
	const char *p = rig.mail.body.p;

	assert_memory_equal(p, "Received: from client.example (unknown [203.0.113.9])", 53);
	do
		p = strchr(p, '\n') + 1;
	while (*p == '\t' || *p == ' ');
	return p;
}

#endif
