/*
 * Files come, change, break and go: what is known then. And where addresses lead over all
 * tables, one after the other.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/test.h"
#include "vault/maps.h"
#include "vault/resolve.h"

static struct str team_to[] = {STR_INIT("alice@sys.example"), STR_INIT("www-data@sys.example")};
static struct cfg_alias team = {STR_INIT("team"), team_to, LENGTH(team_to)};
static struct str files[] = {STR_INIT("/t/one"), STR_INIT("/t/two")};
static struct cfg_domain domains[] = {
	{.name = STR_INIT("extra.example"),   .mailboxes = MAILBOXES_SYSTEM},
	{.name = STR_INIT("host.example"),
         .same_as = STR_INIT("virt.example"),
         .implied = true},
	{.name = STR_INIT("sys.example"),
         .mailboxes = MAILBOXES_SYSTEM,
         .aliases = &team,
         .alias_count = 1},
	{.name = STR_INIT("virt.example")                                  },
};
static struct cfg cfg = {
	.hostname = STR_INIT("host.example"),
	.domains = domains,
	.domain_count = LENGTH(domains),
	.home = 3,
	.system = 3,
	.system_uid_min = 1000,
	.system_uid_max = 59999,
	.alias_files = {files, 1},
	.virtual_files = {files, 2},
};

static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
			     "www-data:x:33:33::/:/bin/sh\n"
			     "alice:x:1000:1000::/home/alice:/bin/sh\n"
			     "bob:x:1001:1001::/home/bob:/bin/sh\n"
			     "carol+x:x:1002:1002::/:/bin/sh\n";

struct town {
	struct maps *maps;
	struct resolve *resolve;
	unsigned told;
};

static enum rc
has(void *arg, struct str mailbox, bool *ret, struct err *e)
{
	(void)arg;
	(void)e;
	*ret = str_eq(mailbox, STR("vera@virt.example"));
	return RC_OK;
}

static void
astray(void *arg, struct str domain, struct str alias, struct str target)
{
	struct town *t = arg;

	(void)domain;
	(void)alias;
	(void)target;
	t->told++;
}

static void
give(struct town *t, enum cfg_map kind, unsigned number, const char *text)
{
	int fd = memfd_create("file", 0);
	struct err e;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, str_of(text), &e), RC_OK);
	assert_true(maps_take(t->maps, kind, number, fd));
}

static int
setup(void **state)
{
	struct town *t = calloc(1, sizeof(*t));

	log_open(-1, "test", LOG_ERROR);
	cfg.system_accounts = SYSTEM_ACCOUNTS_refuse;
	t->maps = maps_new(&cfg);
	t->resolve = resolve_new(&cfg, t->maps, (struct resolve_use){has, astray, t});
	assert_non_null(t->resolve);
	*state = t;
	return 0;
}

static int
setup_with_files(void **state)
{
	(void)setup(state);
	struct town *t = *state;

	give(t, MAP_PASSWD, 0, passwd);
	give(t, MAP_ALIASES, 0,
	     "postmaster: root\nadmin: bob, alice\nboth: alice, root\nnull: /dev/null\n"
	     "cmd: |x, /dev/null\nbob: bob, alice\nloop: loop2\nloop2: loop\nwww: www-data\n"
	     "list: |x, bob\nmixed: /dev/null, bob\n");
	give(t, MAP_VIRTUAL, 0,
	     "info@virt.example vera@virt.example, alice\nbob@extra.example alice\nsales bob\n"
	     "info+x@virt.example vera@virt.example\n@extra.example @sys.example\n"
	     "self@virt.example self@virt.example\n");
	give(t, MAP_VIRTUAL, 1,
	     "info@virt.example bob\n@virt.example vera@virt.example\nroot@virt.example root\n"
	     "here@host.example vera@virt.example\n");
	return 0;
}

static int
teardown(void **state)
{
	struct town *t = *state;

	(void)resolve_free(t->resolve);
	(void)maps_free(t->maps);
	free(t);
	return 0;
}

static void
assert_leads(struct town *t, const char *address, const char *want)
{
	static const char *const names[] = {"",     "NO_SUCH", "NOT_OURS",
	                                    "LOOP", "TROUBLE", "DISCARD"};
	char room[512];
	struct buf b = BUF_ON(room);
	struct str domain = str_of(address);
	struct str local;
	struct resolved got;
	struct err e;

	assert_true(str_cut(&domain, '@', &local));
	assert_int_equal(resolve_rcpt(t->resolve, local, domain, &got, &e), RC_OK);
	buf_add(&b, str_of(names[got.verdict]));
	for (unsigned i = 0; i < got.count; i++)
		buf_addf(&b, "%s%.*s", i > 0 ? " " : "", STR_FMT(got.mailboxes[i]));
	if (strcmp(room, want) != 0)
		fail_msg("%s leads to \"%s\", want \"%s\"", address, room, want);
}

/* Users are the same ones in all system domains, under one name; system accounts are nobody,
 * however they are written. */
static void
test_users(void **state)
{
	static const char *const bobs[] = {"alice@sys.example", "ALICE@extra.example",
	                                   "alice+x@sys.example", "Alice+@extra.example"};
	static const char *const nobody[] = {"www-data@sys.example", "WWW-Data+x@extra.example",
	                                     "root@sys.example",     "www@sys.example",
	                                     "nobody@sys.example",   "alice@virt.example+"};

	for (size_t i = 0; i < LENGTH(bobs); i++)
		assert_leads(*state, bobs[i], "alice@sys.example");
	for (size_t i = 0; i + 1 < LENGTH(nobody); i++)
		assert_leads(*state, nobody[i], "NO_SUCH");
	assert_leads(*state, "carol+x@sys.example", "carol+x@sys.example");
	assert_leads(*state, "x@elsewhere.example", "NOT_OURS");
}

static void
test_system_accounts_are_discarded(void **state)
{
	cfg.system_accounts = SYSTEM_ACCOUNTS_discard;
	assert_leads(*state, "www-data@sys.example", "DISCARD");
	assert_leads(*state, "Root+x@extra.example", "DISCARD");
	assert_leads(*state, "www@extra.example", "DISCARD");
	assert_leads(*state, "both@sys.example", "alice@sys.example");
	assert_leads(*state, "team@sys.example", "alice@sys.example");
	assert_leads(*state, "nobody@sys.example", "NO_SUCH");
	/* RFC 5321 §4.5.1: nobody discards what is for postmaster */
	assert_leads(*state, "postmaster@sys.example", "TROUBLE");
	assert_leads(*state, "postmaster+x@sys.example", "DISCARD");
}

static void
test_order_of_tables(void **state)
{
	static const struct {
		const char *address;
		const char *want;
	} rows[] = {
		{"info@virt.example",
	         "alice@sys.example vera@virt.example"                           }, /* the first file's */
		{"info+x@virt.example",     "vera@virt.example"                  },
		{"info+y@virt.example",     "alice@sys.example vera@virt.example"},
		{"bob@extra.example",       "alice@sys.example"                  },
		{"bob+x@extra.example",     "alice@sys.example"                  },
		{"bob@sys.example",         "alice@sys.example bob@sys.example"  }, /* names itself */
		{"sales@sys.example",       "alice@sys.example bob@sys.example"  },
		{"sales+x@extra.example",   "alice@sys.example bob@sys.example"  },
		{"sales@virt.example",      "vera@virt.example"                  }, /* no own domain */
		{"admin@virt.example",      "vera@virt.example"                  },
		{"admin@sys.example",       "alice@sys.example bob@sys.example"  },
		{"vera@virt.example",       "vera@virt.example"                  },
		{"vera@host.example",       "vera@virt.example"                  },
		{"here@host.example",       "vera@virt.example"                  },
		{"here@[192.0.2.1]",        "vera@virt.example"                  }, /* catches all */
		{"root@virt.example",       "NO_SUCH"                            },
		{"self@virt.example",       "LOOP"                               },
		{"loop@sys.example",        "LOOP"                               },
		{"null@sys.example",        "DISCARD"                            },
		{"mixed@sys.example",       "alice@sys.example bob@sys.example"  },
		{"cmd@sys.example",         "TROUBLE"                            },
		{"list@sys.example",        "alice@sys.example bob@sys.example"  },
		{"postmaster@sys.example",  "TROUBLE"                            },
		{"postmaster@virt.example", "vera@virt.example"                  },
 /* @extra.example forwards whom nothing else of it takes: admin it has itself */
		{"team@extra.example",      "alice@sys.example"                  },
		{"nobody@extra.example",    "NO_SUCH"                            },
		{"www-data@extra.example",  "NO_SUCH"                            },
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_leads(*state, rows[i].address, rows[i].want);
}

/* Before a file has come nobody is refused whom it could know. */
static void
test_what_is_missing_makes_mail_wait(void **state)
{
	struct town *t = *state;

	assert_leads(t, "vera@virt.example",
	             "TROUBLE"); /* a virtual table might redirect her */
	give(t, MAP_VIRTUAL, 0, "");
	give(t, MAP_VIRTUAL, 1, "");
	assert_leads(t, "vera@virt.example", "vera@virt.example");
	assert_leads(t, "nobody@virt.example", "NO_SUCH");
	assert_leads(t, "team@sys.example", "TROUBLE");
	give(t, MAP_ALIASES, 0, "x: alice\n");
	assert_leads(t, "alice@sys.example", "TROUBLE");
	give(t, MAP_PASSWD, 0, passwd);
	assert_leads(t, "x@sys.example", "alice@sys.example");
	assert_leads(t, "nobody@sys.example", "NO_SUCH");
	assert_true(maps_lose(t->maps, MAP_ALIASES, 0, false, STR("for a moment")));
	assert_leads(t, "x@sys.example", "alice@sys.example");
	assert_true(maps_lose(t->maps, MAP_ALIASES, 0, true, STR("removed")));
	assert_leads(t, "x@sys.example", "TROUBLE");
	assert_leads(t, "vera@virt.example", "vera@virt.example");
	give(t, MAP_ALIASES, 0, "x: bob\n");
	assert_leads(t, "x@sys.example", "bob@sys.example");
}

/* What was good is kept; what never was good is used as far as it goes. */
static void
test_bad_files(void **state)
{
	struct town *t = *state;

	give(t, MAP_VIRTUAL, 0, "");
	give(t, MAP_VIRTUAL, 1, "");
	give(t, MAP_PASSWD, 0, passwd);
	give(t, MAP_ALIASES, 0, "x: alice\nbroken\n");
	assert_leads(t, "x@sys.example", "alice@sys.example");
	assert_leads(t, "alice@sys.example", "alice@sys.example");
	assert_leads(t, "y@sys.example", "TROUBLE");
	assert_leads(t, "root@sys.example", "TROUBLE"); /* perhaps the line was for root */
	give(t, MAP_ALIASES, 0, "x: bob\n");
	assert_leads(t, "x@sys.example", "bob@sys.example");
	assert_leads(t, "y@sys.example", "NO_SUCH");
	give(t, MAP_ALIASES, 0, "x: alice\nbroken\n");
	assert_leads(t, "x@sys.example", "bob@sys.example");
	give(t, MAP_PASSWD, 0, "alice:x:1000:");
	assert_leads(t, "bob@sys.example", "bob@sys.example");
	give(t, MAP_PASSWD, 0, "root:x:0:0:::\nalice:x:1000:1000:::\n");
	assert_leads(t, "bob@sys.example", "NO_SUCH");
	give(t, MAP_PASSWD, 0, passwd);
	assert_false(maps_take(t->maps, MAP_ALIASES, 1, -1));
	int dir = open("/", O_RDONLY | O_DIRECTORY);
	assert_true(maps_take(t->maps, MAP_ALIASES, 0, dir));
	assert_leads(t, "x@sys.example", "bob@sys.example");
}

/* Another configuration: the same files are known, others are not. */
static void
test_reconfigure(void **state)
{
	static struct str other[] = {STR_INIT("/t/two"), STR_INIT("/t/three")};
	struct cfg next = cfg;
	struct town *t = *state;

	next.virtual_files = (struct cfg_files){other, 1};
	assert_true(maps_reconfigure(t->maps, &next));
	assert_int_equal(maps_known(t->maps, MAP_VIRTUAL), MAPS_ALL);
	assert_non_null(maps_find(t->maps, MAP_VIRTUAL, STR(""), STR("virt.example")));
	assert_null(maps_find(t->maps, MAP_VIRTUAL, STR("sales"), STR("")));
	assert_int_equal(maps_user(t->maps, STR("bob")), USER_MAILBOX);
	next.virtual_files.count = 2;
	assert_true(maps_reconfigure(t->maps, &next));
	assert_int_equal(maps_known(t->maps, MAP_VIRTUAL), MAPS_MISSING);
	next.virtual_files.count = 0;
	next.system = 0;
	assert_true(maps_reconfigure(t->maps, &next));
	assert_int_equal(maps_known(t->maps, MAP_VIRTUAL), MAPS_ALL);
	assert_null(maps_users(t->maps));
}

/* A chain of whole domains ends, where it is a ring too. */
static void
test_forwarded_domains(void **state)
{
	struct town *t = *state;

	give(t, MAP_VIRTUAL, 1, "@virt.example @extra.example\n");
	assert_leads(t, "alice@virt.example", "alice@sys.example");
	assert_leads(t, "admin@virt.example", "alice@sys.example bob@sys.example");
	assert_leads(t, "nobody@virt.example", "NO_SUCH");
	assert_int_equal(t->told, 0);
	give(t, MAP_VIRTUAL, 1, "@virt.example @extra.example\n@sys.example @virt.example\n");
	assert_leads(t, "nobody@virt.example", "LOOP");
	assert_leads(t, "vera@sys.example", "vera@virt.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_users, setup_with_files, teardown),
		cmocka_unit_test_setup_teardown(test_system_accounts_are_discarded,
	                                        setup_with_files, teardown),
		cmocka_unit_test_setup_teardown(test_order_of_tables, setup_with_files,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_what_is_missing_makes_mail_wait, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_bad_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reconfigure, setup_with_files, teardown),
		cmocka_unit_test_setup_teardown(test_forwarded_domains, setup_with_files,
	                                        teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
