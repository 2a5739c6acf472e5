/*
 * Where recipients lead: a table over one configuration, then chains, loops and bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "vault/resolve.h"

/* Domains, aliases and targets in text; each in cfg_name_cmp's order, as the parser has them.
 */
static const struct {
	const char *name;
	const char *same_as;
	const char *catch_all;
} domain_rows[] = {
	{"example.com",      "example.org", ""                  },
	{"example.net",      "",            "team@example.org"  },
	{"example.org",      "",            ""                  },
	{"lost.example",     "",            "nobody@example.org"},
	{"mail.example.org", "example.org", ""                  },
	{"plain.example",    "",            ""                  },
};
static const struct {
	const char *domain;
	const char *name;
	const char *to; /* one blank between two */
} alias_rows[] = {
	{"example.net", "other",     "alice@example.com"                   },
	{"example.net", "staff",     "carol@example.net team@example.org"  },
	{"example.org", "a",         "b@example.org"                       },
	{"example.org", "astray",    "nobody@example.org"                  },
	{"example.org", "b",         "c@example.org"                       },
	{"example.org", "bob",       "bob@example.org alice@example.org"   },
	{"example.org", "c",         "a@example.org"                       },
	{"example.org", "every",     "team@example.org staff@example.net"  },
	{"example.org", "half",      "nobody@example.org alice@example.org"},
	{"example.org", "lists+x",   "bob@example.org"                     },
	{"example.org", "self",      "self@example.org"                    },
	{"example.org", "tag",       "alice+tag@example.org"               },
	{"example.org", "team",      "alice@example.org bob@example.org"   },
	{"example.org", "two words", "o'two@example.org"                   },
};

#define TARGETS_MAX 2 /* in alias_rows */

static struct {
	struct cfg cfg;
	struct cfg_domain domains[LENGTH(domain_rows)];
	struct cfg_alias aliases[LENGTH(alias_rows)];
	struct str to[LENGTH(alias_rows)][TARGETS_MAX];
} town;

static void
build_alias(size_t at, struct cfg_domain *of)
{
	struct cfg_alias *alias = &town.aliases[at];
	struct str rest = str_of(alias_rows[at].to);

	*alias = (struct cfg_alias){.name = str_of(alias_rows[at].name), .to = town.to[at]};
	while (alias->to_count < TARGETS_MAX &&
	       str_cut(&rest, ' ', &alias->to[alias->to_count]))
		alias->to_count++;
	if (of->alias_count++ == 0)
		of->aliases = alias;
}

static int
build_town(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(domain_rows); i++) {
		struct cfg_domain *d = &town.domains[i];

		*d = (struct cfg_domain){.name = str_of(domain_rows[i].name),
		                         .same_as = str_of(domain_rows[i].same_as),
		                         .catch_all = str_of(domain_rows[i].catch_all)};
		for (size_t k = 0; k < LENGTH(alias_rows); k++)
			if (str_eq(d->name, str_of(alias_rows[k].domain)))
				build_alias(k, d);
	}
	town.cfg = (struct cfg){.hostname = STR("mail.example.org"),
	                        .domains = town.domains,
	                        .domain_count = LENGTH(domain_rows),
	                        .home = 2};
	return 0;
}

/* The accounts of a test, one blank between two, and what was told. */
struct house {
	const char *accounts;
	bool broken;
	unsigned told;
};

static const char all_accounts[] =
	"alice@example.org bob@example.org carol@example.net "
	"carol+vip@example.net \"a b\"@example.org o'two@example.org";

static enum rc
house_has(void *arg, struct str mailbox, bool *ret, struct err *e)
{
	const struct house *h = arg;
	struct str rest = str_of(h->accounts);
	size_t at = 0;

	*ret = false;
	if (h->broken)
		return err_set(e, RC_TEMP, "broken");
	for (; at + mailbox.n <= rest.n && !*ret; at++)
		*ret = memcmp(rest.p + at, mailbox.p, mailbox.n) == 0 &&
		       (at == 0 || rest.p[at - 1] == ' ') &&
		       (at + mailbox.n == rest.n || rest.p[at + mailbox.n] == ' ');
	return RC_OK;
}

static void
house_astray(void *arg, struct str domain, struct str alias, struct str target)
{
	struct house *h = arg;

	(void)domain;
	(void)alias;
	(void)target;
	h->told++;
}

static struct resolve *
open_house(const struct cfg *c, struct house *h)
{
	struct resolve *r =
		resolve_new(c, NULL, (struct resolve_use){house_has, house_astray, h});

	assert_non_null(r);
	return r;
}

/* The answer as "VERDICT" or its mailboxes, one blank between two. */
static void
answer_of(struct resolve *r, struct str local, struct str domain, struct buf *b)
{
	static const char *const names[] = {"",     "NO_SUCH", "NOT_OURS",
	                                    "LOOP", "TROUBLE", "DISCARD"};
	struct resolved got;
	struct err e;

	assert_int_equal(resolve_rcpt(r, local, domain, &got, &e), RC_OK);
	buf_add(b, str_of(names[got.verdict]));
	for (unsigned i = 0; i < got.count; i++) {
		buf_add(b, i > 0 ? STR(" ") : STR(""));
		buf_add(b, got.mailboxes[i]);
	}
	assert_false(b->cut);
}

static const struct {
	const char *local;
	const char *domain;
	const char *want;
} rows[] = {
  /* accounts, in any case, in any name of the domain */
	{"alice",             "example.org",       "alice@example.org"                                  },
	{"ALICE",             "example.org",       "alice@example.org"                                  },
	{"alice",             "example.com",       "alice@example.org"                                  },
	{"alice",             "mail.example.org",  "alice@example.org"                                  },
	{"alice",             "[127.0.0.1]",       "alice@example.org"                                  },
	{"two words",         "example.org",       "o\'two@example.org"                                 },
	{"nobody",            "example.org",       "NO_SUCH"					    },
	{"",		  "example.org",       "NO_SUCH"					    },
	{"alice",             "elsewhere.example", "NOT_OURS"                                           },
	{"alice",             "",                  "NOT_OURS"					   },
 /* nothing but the whole local part counts */
	{"alic",              "example.org",       "NO_SUCH"					    },
	{"alice@example.org", "example.org",       "NO_SUCH"                                            },
	{"alice%example.org", "example.org",       "NO_SUCH"                                            },
 /* plus addressing: whole first, then cut at the first plus */
	{"alice+x",           "example.org",       "alice@example.org"                                  },
	{"Alice+X+Y",         "example.com",       "alice@example.org"                                  },
	{"alice+",            "example.org",       "alice@example.org"                                  },
	{"+alice",            "example.org",       "NO_SUCH"					    },
	{"carol+vip",         "example.net",       "carol+vip@example.net"                              },
	{"lists+x",           "example.org",       "alice@example.org bob@example.org"                  },
	{"lists+y",           "example.org",       "NO_SUCH"					    },
	{"team+x",            "example.org",       "alice@example.org bob@example.org"                  },
	{"tag",               "example.org",       "alice@example.org"                                  },
 /* aliases, over domains, each account once; an alias may name itself */
	{"team",              "example.org",       "alice@example.org bob@example.org"                  },
	{"Team",              "example.com",       "alice@example.org bob@example.org"                  },
	{"other",             "example.net",       "alice@example.org"                                  },
	{"every",             "example.org",       "alice@example.org bob@example.org carol@example.net"},
	{"bob",               "example.org",       "alice@example.org bob@example.org"                  },
 /* mistakes of the operator's: later, not never */
	{"a",		 "example.org",       "LOOP"					       },
	{"c+x",               "example.org",       "LOOP"					       },
	{"self",              "example.org",       "LOOP"					       },
	{"astray",            "example.org",       "TROUBLE"					    },
	{"half",              "example.org",       "alice@example.org"                                  },
 /* catch_all, last of all; never for the targets of aliases */
	{"nobody",            "example.net",       "alice@example.org bob@example.org"                  },
	{"",		  "example.net",       "alice@example.org bob@example.org"                  },
	{"carol",             "example.net",       "carol@example.net"                                  },
	{"anybody",           "lost.example",      "TROUBLE"                                            },
};

static void
test_where_recipients_lead(void **unused)
{
	struct house h = {.accounts = all_accounts};
	struct resolve *r = open_house(&town.cfg, &h);

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[512];
		struct buf b = BUF_ON(room);

		answer_of(r, str_of(rows[i].local), str_of(rows[i].domain), &b);
		if (!str_eq(buf_str(&b), str_of(rows[i].want)))
			fail_msg("%s@%s: got %s, want %s", rows[i].local, rows[i].domain, b.p,
			         rows[i].want);
	}
	assert_null(resolve_free(r));
}

/* RFC 5321 §4.5.1: in every domain, and without one, in any case. */
static void
test_postmaster_always_exists(void **unused)
{
	static const struct {
		const char *domain;
		const char *accounts;
		const char *want;
	} cases[] = {
		{"example.org",       "postmaster@example.org",                                   "postmaster@example.org"},
		{"example.com",       "postmaster@example.org",                                   "postmaster@example.org"},
		{"",                  "postmaster@example.org",                                   "postmaster@example.org"},
		{"[::1]",             "postmaster@example.org",                                   "postmaster@example.org"},
		{"plain.example",     "postmaster@example.org",                                   "postmaster@example.org"},
		{"plain.example",     "postmaster@plain.example postmaster@example.org",
	         "postmaster@plain.example"									       },
		{"example.net",       "postmaster@example.org alice@example.org bob@example.org",
	         "alice@example.org bob@example.org"								      },
		{"plain.example",     "alice@example.org",                                        "NO_SUCH"               },
		{"elsewhere.example", "postmaster@example.org",                                   "NOT_OURS"              },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct house h = {.accounts = cases[i].accounts};
		struct resolve *r = open_house(&town.cfg, &h);
		char room[512];
		struct buf b = BUF_ON(room);

		answer_of(r, STR("PostMaster"), str_of(cases[i].domain), &b);
		assert_string_equal(b.p, cases[i].want);
		(void)resolve_free(r);
	}
}

/* An alias that leads to no account is told of once, however much mail comes. */
static void
test_astray_is_told_once(void **unused)
{
	struct house h = {.accounts = all_accounts};
	struct resolve *r = open_house(&town.cfg, &h);

	(void)unused;
	for (int i = 0; i < 5; i++) {
		char room[512];
		struct buf b = BUF_ON(room);

		answer_of(r, STR("half"), STR("example.org"), &b);
		answer_of(r, STR("astray"), STR("example.org"), &b);
	}
	assert_int_equal(h.told, 2);
	(void)resolve_free(r);
}

/* An unreadable database is "later" for every recipient, also for those that do not exist. */
static void
test_broken_accounts(void **unused)
{
	struct house h = {.accounts = all_accounts, .broken = true};
	struct resolve *r = open_house(&town.cfg, &h);
	struct resolved got;
	struct err e;

	(void)unused;
	assert_int_equal(resolve_rcpt(r, STR("team"), STR("example.org"), &got, &e), RC_TEMP);
	assert_int_equal(got.verdict, RCPT_TROUBLE);
	assert_int_equal(resolve_rcpt(r, STR("nobody"), STR("example.net"), &got, &e), RC_TEMP);
	assert_int_equal(got.verdict, RCPT_TROUBLE);
	h.broken = false;
	assert_int_equal(resolve_rcpt(r, STR("team"), STR("example.org"), &got, &e), RC_OK);
	assert_int_equal(got.verdict, RCPT_MAILBOXES);
	(void)resolve_free(r);
}

#define MADE_MAX 2001

/* A domain with aliases made in a loop: n000 to n999, or one with many targets. */
struct made {
	char names[MADE_MAX][16];
	char targets[MADE_MAX][40];
	struct str to[MADE_MAX];
	struct cfg_alias aliases[MADE_MAX];
	struct cfg_domain domain;
	struct cfg cfg;
};

static struct made *
made_new(void)
{
	struct made *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->domain = (struct cfg_domain){.name = STR("example.org"), .aliases = m->aliases};
	m->cfg = (struct cfg){
		.hostname = STR("example.org"), .domains = &m->domain, .domain_count = 1};
	return m;
}

static struct str
made_name(struct made *m, unsigned i)
{
	struct buf b = BUF_ON(m->names[i]);

	buf_addf(&b, "n%04u", i);
	return buf_str(&b);
}

static struct str
made_target(struct made *m, unsigned i, unsigned to)
{
	struct buf b = BUF_ON(m->targets[i]);

	buf_addf(&b, "n%04u@example.org", to);
	return buf_str(&b);
}

/* n0000 -> n0001 -> ... -> the account behind the last */
static enum rcpt_verdict
chain_of(unsigned length)
{
	struct made *m = made_new();
	char account[40];
	struct buf b = BUF_ON(account);
	struct house h = {.accounts = account};
	struct resolved got;
	struct err e;

	for (unsigned i = 0; i < length; i++) {
		m->to[i] = made_target(m, i, i + 1);
		m->aliases[i] = (struct cfg_alias){made_name(m, i), &m->to[i], 1};
	}
	m->domain.alias_count = length;
	buf_addf(&b, "n%04u@example.org", length);
	struct resolve *r = open_house(&m->cfg, &h);
	assert_int_equal(resolve_rcpt(r, STR("n0000"), STR("example.org"), &got, &e), RC_OK);
	(void)resolve_free(r);
	free(m);
	return got.verdict;
}

static void
test_depth_is_bounded(void **unused)
{
	(void)unused;
	assert_int_equal(chain_of(RESOLVE_DEPTH_MAX), RCPT_MAILBOXES);
	assert_int_equal(chain_of(RESOLVE_DEPTH_MAX + 1), RCPT_LOOP);
	assert_int_equal(chain_of(MADE_MAX - 1), RCPT_LOOP);
}

static enum rc
everybody(void *arg, struct str mailbox, bool *ret, struct err *e)
{
	(void)arg;
	(void)mailbox;
	(void)e;
	*ret = true;
	return RC_OK;
}

/* One alias to <count> accounts, half of them named twice. */
static void
wide(unsigned count, enum rcpt_verdict want, unsigned want_count)
{
	struct made *m = made_new();
	struct resolved got;
	struct err e;

	for (unsigned i = 0; i < count; i++)
		m->to[i] = made_target(m, i, i / 2);
	m->aliases[0] = (struct cfg_alias){STR("all"), m->to, count};
	m->domain.alias_count = 1;
	struct resolve *r = resolve_new(
		&m->cfg, NULL, (struct resolve_use){.has = everybody, .astray = house_astray});
	assert_non_null(r);
	assert_int_equal(resolve_rcpt(r, STR("all"), STR("example.org"), &got, &e), RC_OK);
	assert_int_equal(got.verdict, want);
	assert_int_equal(got.count, want_count);
	(void)resolve_free(r);
	free(m);
}

static void
test_targets_are_bounded(void **unused)
{
	(void)unused;
	wide(RESOLVE_TARGETS_MAX, RCPT_MAILBOXES, RESOLVE_TARGETS_MAX / 2);
	wide(RESOLVE_TARGETS_MAX + 1, RCPT_LOOP, 0);
}

/* Each alias leads twice to the next: 2^40 roads, but one is enough. */
static void
test_many_roads_are_walked_once(void **unused)
{
	enum { LEVELS = 40 };
	struct made *m = made_new();
	struct house h = {.accounts = "n0040@example.org"};
	struct resolved got;
	struct err e;

	(void)unused;
	for (unsigned i = 0; i < LEVELS; i++) {
		struct str *to = m->to + (size_t)i * 2;

		to[0] = to[1] = made_target(m, i, i + 1);
		m->aliases[i] = (struct cfg_alias){made_name(m, i), to, 2};
	}
	m->domain.alias_count = LEVELS;
	struct resolve *r = open_house(&m->cfg, &h);
	assert_int_equal(resolve_rcpt(r, STR("n0000"), STR("example.org"), &got, &e), RC_OK);
	assert_int_equal(got.verdict, RCPT_MAILBOXES);
	assert_int_equal(got.count, 1);
	(void)resolve_free(r);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_recipients_lead),
		cmocka_unit_test(test_postmaster_always_exists),
		cmocka_unit_test(test_astray_is_told_once),
		cmocka_unit_test(test_broken_accounts),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_targets_are_bounded),
		cmocka_unit_test(test_many_roads_are_walked_once),
	};

	return cmocka_run_group_tests(tests, build_town, NULL);
}
