/*
 * As whom users of the machine may send: every kind of user against every kind of address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cfg/cfg.h"
#include "vault/senders.h"

#define NAME(text) STR_INIT(text)

static struct cfg_domain domains[] = {
	{.name = NAME("example.org"),     .mailboxes = MAILBOXES_SYSTEM },
	{.name = NAME("localhost"),       .same_as = NAME("example.org"), .implied = true},
	{.name = NAME("mail.example.org"),                               .same_as = NAME("example.org"),                              .implied = true},
	{.name = NAME("virtual.example"),                .mailboxes = MAILBOXES_VIRTUAL                },
	{.name = NAME("www.example"),.same_as = NAME("virtual.example")},
};
static struct str web[] = {NAME("web@virtual.example"), NAME("<>")};
static struct str books[] = {NAME("books@example.org")};
static struct cfg_local locals[] = {
	{.name = NAME("alice"),    .senders = books, .sender_count = 1},
	{.name = NAME("www-data"), .senders = web,   .sender_count = 2},
};

static struct cfg
config(void)
{
	return (struct cfg){.hostname = NAME("mail.example.org"),
	                    .system_uid_min = 1000,
	                    .system_uid_max = 59999,
	                    .domains = domains,
	                    .domain_count = LENGTH(domains),
	                    .system = 1,
	                    .locals = locals,
	                    .local_count = LENGTH(locals)};
}

/* The operator allowed bob one address. */
static enum rc
allowed(void *arg, struct str user, struct str address, bool *ret, struct err *e)
{
	(void)arg;
	(void)e;
	*ret = str_eq(user, STR("bob")) && str_eq(address, STR("info@virtual.example"));
	return RC_OK;
}

/* clang-format off */
static const struct {
	const char *user;
	uint32_t uid;
	const char *local;
	const char *domain;
	enum sender_verdict want;
} rows[] = {
	/* a user has his own name, in all its forms */
	{"bob", 1001, "bob", "example.org", SENDER_MAY},
	{"bob", 1001, "Bob", "example.org", SENDER_MAY},
	{"bob", 1001, "bob+x", "example.org", SENDER_MAY},
	{"bob", 1001, "bob+x+y", "localhost", SENDER_MAY},
	{"bob", 1001, "bob", "mail.example.org", SENDER_MAY},
	{"bob", 1001, "bob+", "example.org", SENDER_MAY},
	{"bob", 1001, "+bob", "example.org", SENDER_MAY_NOT},
	{"bob", 1001, "bo", "example.org", SENDER_MAY_NOT},
	{"bob", 1001, "bobby", "example.org", SENDER_MAY_NOT},
	{"bob", 1001, "alice", "example.org", SENDER_MAY_NOT},
	{"bob", 1001, "root", "localhost", SENDER_MAY_NOT},
	/* bob of a virtual domain is an account, not this user */
	{"bob", 1001, "bob", "virtual.example", SENDER_MAY_NOT},
	{"bob", 1001, "bob", "www.example", SENDER_MAY_NOT},
	{"bob", 1001, "bob", "elsewhere.example", SENDER_MAY_NOT},
	{"bob", 1001, "bob", "[127.0.0.1]", SENDER_MAY_NOT},
	/* what the operator allowed, by each name of the domain */
	{"bob", 1001, "info", "virtual.example", SENDER_MAY},
	{"bob", 1001, "INFO", "www.example", SENDER_MAY},
	{"bob", 1001, "info+1", "virtual.example", SENDER_MAY},
	{"alice", 1000, "info", "virtual.example", SENDER_MAY_NOT},
	/* a section adds to what a user has */
	{"alice", 1000, "books", "example.org", SENDER_MAY},
	{"alice", 1000, "books", "localhost", SENDER_MAY},
	{"alice", 1000, "alice", "example.org", SENDER_MAY},
	{"bob", 1001, "books", "example.org", SENDER_MAY_NOT},
	/* and is all that a daemon has */
	{"www-data", 33, "web", "virtual.example", SENDER_MAY},
	{"www-data", 33, "web", "www.example", SENDER_MAY},
	{"www-data", 33, "web+n1", "virtual.example", SENDER_MAY},
	{"www-data", 33, "www-data", "example.org", SENDER_MAY_NOT},
	{"www-data", 33, "root", "example.org", SENDER_MAY_NOT},
	{"www-data", 33, "web", "example.org", SENDER_MAY_NOT},
	/* without one it speaks for itself */
	{"daemon", 1, "daemon", "example.org", SENDER_MAY},
	{"daemon", 1, "daemon", "mail.example.org", SENDER_MAY},
	{"daemon", 1, "root", "example.org", SENDER_MAY_NOT},
	{"nobody", 65534, "nobody", "localhost", SENDER_MAY},
	/* root is everybody, of ours */
	{"root", 0, "bob", "example.org", SENDER_MAY},
	{"root", 0, "anything", "www.example", SENDER_MAY},
	{"root", 0, "root", "elsewhere.example", SENDER_MAY_NOT},
	/* a uid that is named root is not root */
	{"root", 1000, "bob", "example.org", SENDER_MAY_NOT},
	/* the null sender */
	{"root", 0, "", "", SENDER_MAY},
	{"www-data", 33, "", "", SENDER_MAY},
	{"alice", 1000, "", "", SENDER_MAY_NOT},
	{"daemon", 1, "", "", SENDER_MAY_NOT},
};
/* clang-format on */

static void
test_who_may_send_as_whom(void **unused)
{
	(void)unused;
	struct cfg c = config();

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct sender s = {.user = str_of(rows[i].user),
		                   .uid = rows[i].uid,
		                   .local = str_of(rows[i].local),
		                   .domain = str_of(rows[i].domain)};
		struct err e;

		if (senders_judge(&c, &s, allowed, NULL, &e) != rows[i].want)
			fail_msg("%s %u as %s@%s: expected %d", rows[i].user, rows[i].uid,
			         rows[i].local, rows[i].domain, (int)rows[i].want);
	}
}

/* alice@host is the account of a stranger to the machine's alice where the host's name, or
 * localhost, is a domain with accounts; where it only stands for one, nobody else has it. */
static void
test_accounts_of_a_domain_named_like_the_host(void **unused)
{
	static struct cfg_domain accounts[] = {
		{.name = NAME("localhost"),        .mailboxes = MAILBOXES_VIRTUAL},
		{.name = NAME("mail.example.org"), .mailboxes = MAILBOXES_VIRTUAL},
	};
	struct cfg c = config();
	struct err e;

	(void)unused;
	c.domains = accounts;
	c.domain_count = LENGTH(accounts);
	c.system = 0;
	for (size_t i = 0; i < LENGTH(accounts); i++) {
		struct sender s = {.user = STR("alice"),
		                   .uid = 1000,
		                   .local = STR("alice"),
		                   .domain = accounts[i].name};

		assert_int_equal(senders_judge(&c, &s, allowed, NULL, &e), SENDER_MAY_NOT);
		s.uid = 0;
		assert_int_equal(senders_judge(&c, &s, allowed, NULL, &e), SENDER_MAY);
	}
	accounts[0].same_as = accounts[1].name;
	struct sender s = {.user = STR("alice"),
	                   .uid = 1000,
	                   .local = STR("alice"),
	                   .domain = STR("localhost")};
	assert_int_equal(senders_judge(&c, &s, allowed, NULL, &e), SENDER_MAY);
}

/* Bob beside bob: what is listed for him he may, but his name is bob's address. */
static void
test_a_name_that_is_anothers_address(void **unused)
{
	struct cfg c = config();
	struct sender s = {.user = STR("Bob"),
	                   .uid = 1005,
	                   .local = STR("Bob"),
	                   .domain = STR("example.org")};
	struct err e;

	(void)unused;
	assert_int_equal(senders_judge(&c, &s, allowed, NULL, &e), SENDER_MAY);
	s.anothers = true;
	assert_int_equal(senders_judge(&c, &s, allowed, NULL, &e), SENDER_MAY_NOT);
	s.user = STR("bob");
	s.local = STR("info");
	s.domain = STR("virtual.example");
	assert_int_equal(senders_judge(&c, &s, allowed, NULL, &e), SENDER_MAY);
}

static enum rc
broken(void *arg, struct str user, struct str address, bool *ret, struct err *e)
{
	(void)arg;
	(void)user;
	(void)address;
	(void)ret;
	return err_set(e, RC_TEMP, "the disk");
}

/* Nobody is refused for good because a file could not be read. */
static void
test_trouble_is_told_where_it_matters(void **unused)
{
	(void)unused;
	struct cfg c = config();
	struct sender s = {.user = STR("bob"),
	                   .uid = 1001,
	                   .local = STR("info"),
	                   .domain = STR("virtual.example")};
	struct err e;

	assert_int_equal(senders_judge(&c, &s, broken, NULL, &e), SENDER_TROUBLE);
	assert_string_equal(e.text, "the disk");
	s.local = STR("bob");
	s.domain = STR("example.org");
	assert_int_equal(senders_judge(&c, &s, broken, NULL, &e), SENDER_MAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_may_send_as_whom),
		cmocka_unit_test(test_accounts_of_a_domain_named_like_the_host),
		cmocka_unit_test(test_a_name_that_is_anothers_address),
		cmocka_unit_test(test_trouble_is_told_where_it_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
