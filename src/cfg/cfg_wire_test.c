/*
 * What the wire form promises a role: what master encoded and nothing else.
 */
#include "base/buf.h"
#include "base/test.h"
#include "cfg/cfg.h"

static struct str team_to[] = {
	{"alice@b.example", 15},
        {"bob@b.example",   13}
};
static struct cfg_alias aliases[] = {
	{.name = {"postmaster", 10}, .to = team_to, .to_count = 1},
	{.name = {"team", 4},        .to = team_to, .to_count = 2},
};
static struct str files[] = {
	{"/etc/aliases", 12},
        {"/etc/more",    9 }
};
static struct cfg_endpoint endpoints[] = {
	{.name = {"lmtp:/run/lmtp", 14}, .is_unix = true, .path = {"/run/lmtp", 9}},
};
static struct cfg_domain domains[] = {
	{.name = {"a.example", 9},             .same_as = {"b.example", 9}},
	{ .name = {"b.example", 9},
         .catch_all = {"alice@b.example", 15},
         .aliases = aliases,
         .alias_count = LENGTH(aliases),
         .endpoint = 1,
         .quota = 1ULL << 30,
         .mailboxes = MAILBOXES_SYSTEM},
	{				      .name = {"localhost", 9},                  .same_as = {"b.example", 9},                                     .implied = true},
};
static struct str web[] = {
	{"web@b.example", 13}
};
static struct cfg_local locals[] = {
	{.name = {"alice", 5}, .rate = 7        },
	{ .name = {"www-data", 8},      .senders = web, .sender_count = 1},
};
static struct cfg_listen listens[] = {
	{.name = {"mx", 2},         .address = {"*:25", 4}, .v4 = true, .v6 = true, .port = 25},
	{ .name = {"here", 4},
         .address = {"unix:/s", 7},
         .path = {"/s", 2},
         .mode = 0660,
         .owner = {"mail", 4},
         .group = {"8", 1}},
};

/* Every number at its least, which its row allows. */
static struct cfg
sample(void)
{
	/* clang-format off */
	return (struct cfg){
#define TEXT(name, initial, doc)                   .name = {"text", 4},
#define OPTION(name, initial, min, max, unit, doc) .name = (min),
#define CHOICE(name, initial, choices, doc)        .name = 0,
#include "cfg/cfg.def"
		.listens = listens, .listen_count = LENGTH(listens),
		.domains = domains, .domain_count = LENGTH(domains), .home = 1, .system = 2,
		.locals = locals, .local_count = LENGTH(locals),
		.endpoints = endpoints, .endpoint_count = LENGTH(endpoints),
		.alias_files = {files, LENGTH(files)}, .virtual_files = {files, 1},
	};
	/* clang-format on */
}

static void
test_decoded_is_what_was_encoded(void **unused)
{
	(void)unused;
	char room[4096];
	char again[4096];
	struct buf b = BUF_ON(room);
	struct buf b2 = BUF_ON(again);
	struct cfg was = sample();
	struct cfg *c;
	struct err e;

	assert_int_equal(cfg_encode(&was, &b, &e), RC_OK);
	assert_int_equal(cfg_decode(buf_str(&b), &c, &e), RC_OK);
	assert_int_equal(cfg_encode(c, &b2, &e), RC_OK);
	assert_true(str_eq(buf_str(&b), buf_str(&b2)));
	assert_int_equal(c->listens[0].port, 25);
	assert_str(c->listens[1].path, STR("/s"));
	assert_int_equal(c->listens[1].mode, 0660);
	assert_str(c->listens[1].group, STR("8"));
	assert_int_equal(c->home, 1);
	assert_int_equal(cfg_local_find(c, STR("alice"))->rate, 7);
	assert_str(cfg_local_find(c, STR("www-data"))->senders[0], STR("web@b.example"));
	(void)cfg_free(c);
}

static void
test_no_other_length_is_taken(void **unused)
{
	(void)unused;
	char room[4096];
	struct buf b = BUF_ON(room);
	struct cfg was = sample();
	struct cfg *c;
	struct err e;

	assert_int_equal(cfg_encode(&was, &b, &e), RC_OK);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(cfg_decode(str_slice(buf_str(&b), 0, n), &c, &e), RC_PERM);
	buf_addc(&b, '\0');
	assert_int_equal(cfg_decode(buf_str(&b), &c, &e), RC_PERM);
}

/* Every octet set to each of these: refused, or read as just what it says. */
static void
test_a_changed_octet_is_refused_or_meant(void **unused)
{
	(void)unused;
	static const char values[] = {0, 1, 'b', 0x7f, (char)0x80, (char)0xff};
	char room[4096];
	char again[4096];
	struct buf b = BUF_ON(room);
	struct cfg was = sample();
	struct cfg *c;
	struct err e;

	assert_int_equal(cfg_encode(&was, &b, &e), RC_OK);
	for (size_t i = 0; i < b.n * LENGTH(values); i++) {
		struct buf b2 = BUF_ON(again);
		char kept = room[i / LENGTH(values)];

		room[i / LENGTH(values)] = values[i % LENGTH(values)];
		if (cfg_decode(buf_str(&b), &c, &e) == RC_OK) {
			assert_int_equal(cfg_encode(c, &b2, &e), RC_OK);
			assert_true(str_eq(buf_str(&b), buf_str(&b2)));
			(void)cfg_free(c);
		}
		room[i / LENGTH(values)] = kept;
	}
}

static void
test_too_large_for_its_room_is_an_error(void **unused)
{
	(void)unused;
	char room[40];
	struct buf b = BUF_ON(room);
	struct cfg was = sample();
	struct err e;

	assert_int_equal(cfg_encode(&was, &b, &e), RC_PERM);
}

static void
test_what_lookups_could_not_trust_is_refused(void **unused)
{
	(void)unused;
	struct cfg_domain unsorted[] = {domains[1], domains[0]};
	struct cfg_domain twice[] = {domains[1], domains[1]};
	struct cfg_domain nowhere[] = {domains[0]};
	struct cfg_domain chain[] = {domains[0], domains[1]};
	struct cfg_listen no_family[] = {listens[0]};
	struct cfg_listen no_port[] = {listens[0]};
	struct cfg_listen both[] = {listens[1]};
	struct cfg_listen relative[] = {listens[1]};
	struct cfg bad[] = {sample(), sample(), sample(), sample(), sample(),
	                    sample(), sample(), sample(), sample(), sample()};

	chain[1].same_as = domains[0].name;
	no_family[0].v4 = no_family[0].v6 = false;
	bad[0].domains = unsorted, bad[0].domain_count = 2;
	bad[1].domains = twice, bad[1].domain_count = 2;
	bad[2].domains = nowhere, bad[2].domain_count = 1, bad[2].home = 0;
	bad[3].domains = chain, bad[3].domain_count = 2;
	bad[4].home = 3;
	no_port[0].port = 0;
	both[0].port = 25;
	relative[0].path = STR("s/");
	bad[5].listens = no_family, bad[5].listen_count = 1;
	bad[7].listens = no_port, bad[7].listen_count = 1;
	bad[8].listens = both, bad[8].listen_count = 1;
	bad[9].listens = relative, bad[9].listen_count = 1;
	bad[6].edges = 0; /* under its row's min */
	for (size_t i = 0; i < LENGTH(bad); i++) {
		char room[4096];
		struct buf b = BUF_ON(room);
		struct cfg *c;
		struct err e;

		assert_int_equal(cfg_encode(&bad[i], &b, &e), RC_OK);
		assert_int_equal(cfg_decode(buf_str(&b), &c, &e), RC_PERM);
	}
}

static void
test_domains_and_aliases_are_found_in_any_case(void **unused)
{
	(void)unused;
	struct cfg c = sample();
	const struct cfg_domain *d = cfg_domain_canonical(&c, STR("A.Example"));

	assert_ptr_equal(cfg_domain_find(&c, STR("A.EXAMPLE")), &domains[0]);
	assert_ptr_equal(d, &domains[1]);
	assert_ptr_equal(cfg_domain_canonical(&c, STR("localhost")), &domains[1]);
	assert_ptr_equal(cfg_domain_home(&c), &domains[1]);
	assert_null(cfg_domain_find(&c, STR("c.example")));
	assert_null(cfg_domain_canonical(&c, STR("")));
	assert_ptr_equal(cfg_alias_find(d, STR("Team")), &aliases[1]);
	assert_null(cfg_alias_find(d, STR("tea")));
	assert_null(cfg_alias_find(&domains[0], STR("team")));
}

static void
test_choices_are_words(void **unused)
{
	(void)unused;
	unsigned at = 9;

	assert_true(cfg_choice_find("error|warn|info", STR("info"), &at));
	assert_int_equal(at, 2);
	assert_false(cfg_choice_find("error|warn|info", STR("inf"), &at));
	assert_false(cfg_choice_find("error|warn|info", STR(""), &at));
	assert_true(str_eq(cfg_choice_word("error|warn|info", 1), STR("warn")));
	assert_int_equal(cfg_choice_word("error|warn|info", 3).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decoded_is_what_was_encoded),
		cmocka_unit_test(test_no_other_length_is_taken),
		cmocka_unit_test(test_a_changed_octet_is_refused_or_meant),
		cmocka_unit_test(test_too_large_for_its_room_is_an_error),
		cmocka_unit_test(test_what_lookups_could_not_trust_is_refused),
		cmocka_unit_test(test_domains_and_aliases_are_found_in_any_case),
		cmocka_unit_test(test_choices_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
