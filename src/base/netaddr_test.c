/*
 * Client addresses. See netaddr.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/netaddr.h"
#include "base/test.h"

static struct netaddr
addr(const char *text)
{
	struct netaddr a = {{0}};

	if (!netaddr_parse(str_of(text), &a))
		fail_msg("no address: %s", text);
	return a;
}

/* A ban, a count and a log line mean the same client, however its address was written. */
static void
test_one_client_one_form(void **unused)
{
	static const struct {
		const char *in;
		const char *out;
		bool v4;
	} rows[] = {
		{"192.0.2.1",			       "192.0.2.1",         true },
		{"::ffff:192.0.2.1",                        "192.0.2.1",         true },
		{"::FFFF:c000:201",                         "192.0.2.1",         true },
		{"0.0.0.0",				 "0.0.0.0",           true },
		{"255.255.255.255",                         "255.255.255.255",   true },
		{"2001:DB8:0:0:0:0:0:1",                    "2001:db8::1",       false},
		{"2001:db8::1",                             "2001:db8::1",       false},
		{"::",				      "::",                false},
		{"::1",				     "::1",               false},
		{"::ffff:0:192.0.2.1",                      "::ffff:0:c000:201", false},
		{"1111:2222:3333:4444:5555:6666:7777:8888",
	         "1111:2222:3333:4444:5555:6666:7777:8888",                      false},
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct netaddr a = addr(rows[i].in);
		struct netaddr back = addr(netaddr_text(&a).c);

		assert_string_equal(netaddr_text(&a).c, rows[i].out);
		assert_int_equal(netaddr_is_v4(&a), rows[i].v4);
		assert_true(netaddr_eq(&a, &back));
	}
}

static void
test_parse_takes_nothing_else(void **unused)
{
	static const char *const bad[] = {
		"",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1.1",
		"0192.0.2.1",
		"0x7f.0.0.1",
		" 192.0.2.1",
		"192.0.2.1 ",
		"[::1]",
		"fe80::1%lo",
		":::",
		"1::2::3",
		"12345::",
		"localhost",
		"192.0.2.1/24",
		"11111111111111111111111111111111111111111111111111111111",
	};
	struct netaddr a;

	(void)unused;
	memset(&a, 7, sizeof(a));
	struct netaddr untouched = a;

	for (size_t i = 0; i < LENGTH(bad); i++)
		if (netaddr_parse(str_of(bad[i]), &a))
			fail_msg("taken: %s", bad[i]);
	assert_false(netaddr_parse(STR("192.0.2.1\0.evil.example"), &a));
	assert_true(netaddr_eq(&a, &untouched));
}

static void
test_of_sockaddr(void **unused)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(0xc0000201)}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct netaddr a;

	(void)unused;
	assert_true(netaddr_of((const struct sockaddr *)&in, &a));
	assert_string_equal(netaddr_text(&a).c, "192.0.2.1");
	assert_true(netaddr_of((const struct sockaddr *)&in6, &a));
	assert_string_equal(netaddr_text(&a).c, "::1");
	assert_false(netaddr_of((const struct sockaddr *)&un, &a));
}

/* A process of ours is one client by its uid, and no network's address reads as one. */
static void
test_a_local_process_is_its_uid(void **unused)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct netaddr a = netaddr_local(4294967294U);
	struct netaddr b = netaddr_local(1000);
	struct netaddr client = netaddr_client(&b);
	struct netaddr v4 = addr("192.0.2.1");
	struct netaddr any = addr("::");
	uint32_t uid = 7;

	(void)unused;
	assert_string_equal(netaddr_text(&a).c, "uid:4294967294");
	assert_string_equal(netaddr_text(&client).c, "uid:1000");
	assert_false(netaddr_eq(&a, &b));
	assert_false(netaddr_is_v4(&b));
	assert_false(netaddr_is_local(&v4, &uid) || netaddr_is_local(&any, &uid));
	assert_int_equal(uid, 7);
	assert_true(netaddr_is_local(&b, &uid));
	assert_int_equal(uid, 1000);
	memcpy(&in6.sin6_addr, b.octets, sizeof(b.octets));
	assert_false(netaddr_of((const struct sockaddr *)&in6, &a));
	assert_false(netaddr_parse(STR("1::"), &a)); /* nor one that somebody writes down */
}

static void
test_a_client_is_an_ipv4_address_or_an_ipv6_network(void **unused)
{
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} rows[] = {
		{"192.0.2.1",       "::ffff:192.0.2.1",     true },
		{"192.0.2.1",       "192.0.2.2",            false},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true },
		{"2001:db8:0:1::1", "2001:db8:0:2::1",      false},
		{"::1",             "::2",                  true },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct netaddr a = addr(rows[i].a);
		struct netaddr b = addr(rows[i].b);
		struct netaddr client_a = netaddr_client(&a);
		struct netaddr client_b = netaddr_client(&b);

		assert_int_equal(netaddr_eq(&client_a, &client_b), rows[i].same);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_client_one_form),
		cmocka_unit_test(test_parse_takes_nothing_else),
		cmocka_unit_test(test_of_sockaddr),
		cmocka_unit_test(test_a_local_process_is_its_uid),
		cmocka_unit_test(test_a_client_is_an_ipv4_address_or_an_ipv6_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
