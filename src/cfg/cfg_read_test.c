/*
 * What a configuration file may say, and which line is blamed for what it may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "cfg/cfg_show.h"

#define TEN "0123456789"
#define LONG_PATH TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456"
#define HEAD "hostname = \"mail.example.org\" listen \"mx\" { address = \"*:25\" }\n"
#define ROOM 8192U

static const char sample[] =
	"hostname = \"mail.example.org\"\n"
	"data_dir = \"/var/lib/sekisho\"          # spool, accounts, mail live below it\n"
	"listen \"mx\" { address = \"*:25\" service = smtp }\n"
	"domain \"example.org\" {\n"
	"    catch_all = \"alice\"\n"
	"    alias \"postmaster\" { to = {\"alice\"} }\n"
	"    alias \"team\" { to = {\"alice\", # the first\n"
	"                         \"bob@EXAMPLE.com\"} }\n"
	"}\n"
	"#\n"
	"domain \"Example.COM\" { same_as = \"example.org\" }\n";

static struct cfg *
read_good(const char *text, struct buf *report)
{
	struct cfg *c = NULL;

	if (cfg_read_text("f", str_of(text), &c, report) != RC_OK)
		fail_msg("%s\n%s", text, report->p);
	return c;
}

static void
test_the_sample_means_what_it_says(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);
	struct cfg *c = read_good(sample, &report);
	const struct cfg_domain *d = cfg_domain_find(c, STR("example.org"));

	assert_string_equal(room, "");
	assert_true(str_eq(c->hostname, STR("mail.example.org")));
	assert_true(str_eq(c->control_socket, STR("/var/lib/sekisho/control.sock")));
	assert_int_equal(c->listen_count, 2); /* and local_socket's */
	assert_true(str_eq(c->listens[1].path, STR("/run/sekisho/submit")));
	assert_true(c->listens[0].v4 && c->listens[0].v6);
	assert_int_equal(c->listens[0].port, 25);
	assert_true(str_eq(d->catch_all, STR("alice@example.org")));
	assert_int_equal(d->alias_count, 2);
	const struct cfg_alias *team = cfg_alias_find(d, STR("TEAM"));
	assert_non_null(team);
	assert_int_equal(team->to_count, 2);
	assert_true(str_eq(team->to[0], STR("alice@example.org")));
	assert_true(str_eq(team->to[1], STR("bob@example.org")));
	static const char *const same[] = {"example.com", "localhost", "mail.example.org"};
	for (size_t i = 0; i < LENGTH(same); i++)
		assert_ptr_equal(cfg_domain_canonical(c, str_of(same[i])), d);
	assert_ptr_equal(cfg_domain_home(c), d);
	assert_int_equal(c->message_size, 52428800);
	(void)cfg_free(c);
}

static void
test_values_have_units(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);
	struct cfg *c =
		read_good(HEAD "message_size = 10MiB smtp_idle = 5m smtp_data_rate = 64KiB/m\n"
	                       "log_level = debug edges = 3 queue_lifetime = \"3d\"",
	                  &report);

	assert_int_equal(c->message_size, 10485760);
	assert_int_equal(c->smtp_idle, 300);
	assert_int_equal(c->smtp_data_rate, 1092);
	assert_int_equal(c->log_level, CFG_LOG_debug);
	assert_int_equal(c->edges, 3);
	assert_int_equal(c->queue_lifetime, 259200);
	(void)cfg_free(c);
}

static void
test_without_a_domain_section_the_host_is_the_domain(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);
	struct cfg *c = read_good(HEAD, &report);

	assert_int_equal(c->domain_count, 2);
	assert_true(str_eq(cfg_domain_home(c)->name, STR("mail.example.org")));
	assert_ptr_equal(cfg_domain_canonical(c, STR("localhost")), cfg_domain_home(c));
	(void)cfg_free(c);
}

static void
test_sections_of_host_name_and_localhost_are_their_own(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);
	struct cfg *c = read_good(HEAD "domain \"a.example\" { catch_all = x }\n"
	                               "domain \"mail.example.org\" { catch_all = x }\n"
	                               "domain \"localhost\" { catch_all = x }",
	                          &report);

	assert_int_equal(c->domain_count, 3);
	assert_true(str_eq(cfg_domain_home(c)->name, STR("a.example")));
	assert_true(str_eq(cfg_domain_canonical(c, STR("localhost"))->catch_all,
	                   STR("x@localhost")));
	(void)cfg_free(c);
}

static void
test_names_become_canonical(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);
	struct cfg *c = read_good(
		HEAD "domain \"b\303\274cher.example\" {\n"
		     "  alias \"PostMaster\" { to = {\"Al\", \"C@b\303\274cher.EXAMPLE\"} }\n"
		     "  alias \"\\\"a b\\\"\" { to = {\"\\\"c d\\\"\"} } }",
		&report);
	const struct cfg_domain *d = cfg_domain_find(c, STR("xn--bcher-kva.example"));

	assert_non_null(d);
	assert_true(str_eq(d->aliases[1].name, STR("postmaster")));
	assert_true(str_eq(d->aliases[1].to[0], STR("al@xn--bcher-kva.example")));
	assert_true(str_eq(d->aliases[1].to[1], STR("c@xn--bcher-kva.example")));
	assert_true(str_eq(d->aliases[0].name, STR("a b")));
	assert_true(str_eq(d->aliases[0].to[0], STR("\"c d\"@xn--bcher-kva.example")));
	(void)cfg_free(c);
}

static void
test_a_domain_without_postmaster_is_warned_of(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);

	(void)cfg_free(read_good(HEAD "domain \"a.example\" { }", &report));
	assert_true(str_starts(buf_str(&report),
	                       STR("f:2: warning: domain: a.example, the first one, has no")));
}

/* clang-format off */
/* What the report's lines start with, in order. */
static const struct {
	const char *text;
	const char *expect;
} wrong[] = {
	/* form */
	{HEAD "smtp_idel = 5m", "f:2: unknown key \"smtp_idel\", perhaps smtp_idle is meant\n"},
	{HEAD "zzzzzzzz = 3\n"
	 "edgse = { 1, 2 }\n"
	 "foo \"x\" { edges = 1 { } }",
	 "f:2: unknown key \"zzzzzzzz\"\n"
	 "f:3: unknown key \"edgse\", perhaps edges\n"
	 "f:4: unknown key \"foo\"\n"},
	{HEAD "listen \"b\" { adress = \"*:26\" address = \"*:27\" }",
	 "f:2: unknown key \"adress\", perhaps address is meant\n"},
	{HEAD "edges = 1\n"
	 "\n"
	 "edges = 1",
	 "f:4: edges: set twice, first in line 2\n"},
	{HEAD "edges = 99\n"
	 "edges = 1",
	 "f:2: edges: expected 1 to 16\n"
	 "f:3: edges: set twice, first in line 2\n"},
	{HEAD "domain \"a.example\" { catch_all = x\n"
	 "alias \"p\" { to = {\"a\"}\n"
	 "to = {} } }",
	 "f:4: to: set twice, first in line 3\n"},
	{HEAD "data_dir = \"${HOME}\"", "f:2: variables are not expanded"},
	{HEAD "data_dir = ${HOME}", "f:2: variables are not expanded"},
	{HEAD "include(\"other.conf\")",
	 "f:2: unknown key \"include\"\n"
	 "f:2: there are no functions, such as include()"},
	{HEAD "alias_files = {\"aliases\"}",
         "f:2: alias_files: expected a path from / without . and .., at most"},
	{HEAD "virtual_files = {\"/a\", \"/a\"}", "f:2: virtual_files: \"/a\" is there twice"},
	{HEAD "edges = 'a'", "f:2: texts stand in double quotes"},
	{HEAD "edges = 2 // two", "f:2: comments start with #"},
	{HEAD "edges = /* two */ 2", "f:2: comments start with #"},
	{HEAD "data_dir = \"/a\n"
	 "edges = 2",
	 "f:2: the string does not end in its line\n"},
	{HEAD "data_dir = \"/a\\",
	 "f:2: a backslash stands only before\n"
	 "f:2: the string does not"},
	{HEAD "data_dir = \"/a\\n\"", "f:2: a backslash stands only before"},
	{HEAD "data_dir = \"/a\001\"", "f:2: a control octet in a string"},
	{HEAD "# caf\351", "f:2: the text is not UTF-8"},
	{HEAD "edges += 2", "f:2: \"+\" must stand"},
	{HEAD "edges = {2}", "f:2: edges: expected one value, not a list"},
	{HEAD "domain \"a.example\" { catch_all = x alias \"p\" { to = a } }",
	 "f:2: to: expected a list, as {\"one\", \"two\"}\n"
	 "f:2: alias: \"p\" leads to 0"},
	/* syntax */
	{HEAD "edges 2", "f:2: missing equal sign after option 'edges'"},
	{HEAD "domain { }", "f:2: missing title for section 'domain'"},
	{HEAD "domain \"a\" \"b\" { }", "f:2: missing opening brace for section 'domain'"},
	{HEAD "domain \"a\" {\n"
	 "#",
	 "f:2: the section that opens here is not closed\n"
	 "f:2: warning"},
	{HEAD "}", "f:2: unexpected closing brace"},
	{HEAD "\"edges\" = 2", "f:2: syntax error"},
	{HEAD "\"\" = 2", "f:2: syntax error"},
	{HEAD "= 2", "f:2: unexpected token '='"},
	{HEAD "domain \"a.example\" { alias \"p\" { to = {\"a\" \"b\"} } }",
	 "f:2: unexpected token 'b'"},
	{HEAD "domain \"a.example\" { alias \"p\" { to = {\"a\",, \"b\"} } }",
	 "f:2: unexpected token ','"},
	/* numbers, words, paths */
	{HEAD "edges =", "f:2: premature end of file"},
	{HEAD "edges = 99\n"
	 "smtp_idle = 5s\n"
	 "message_size = 10MB\n"
	 "log_level = loud",
	 "f:2: edges: expected 1 to 16 processes, got \"99\"\n"
	 "f:3: smtp_idle: expected 10s to 1h seconds (as 90s, 5m, 2h, 3d), got \"5s\"\n"
	 "f:4: message_size: expected 64KiB to 2GiB octets (as 64KiB, 10MiB, 1GiB), got \"10MB\"\n"
	 "f:5: log_level: expected one of error|warn|info|debug, got \"loud\"\n"},
	{HEAD "data_dir = \"var\" control_socket = \"run/x\"",
	 "f:2: data_dir: expected a path from /\n"
	 "f:2: control_socket: expected a path"},
	{HEAD "data_dir = \"/var/../etc\"", "f:2: data_dir: expected a path"},
	{HEAD "control_socket = \"/this/path/is/longer/than/a/socket/may/have/which/is/one/"
	 "hundred/and/seven/octets/so/here/are/some/more/of/them\"",
	 "f:2: control_socket: expected at most 107 octets"},
	{"hostname = mail listen \"mx\" { address = \"*:25\" }",
	 "f:1: hostname: expected a full host name"},
	{"hostname = \"a_b.example\" listen \"mx\" { address = \"*:25\" }",
	 "f:1: hostname: expected a full host name, got \"a_b.example\": "},
	{"hostname = \"[192.0.2.1]\" listen \"mx\" { address = \"*:25\" }",
	 "f:1: hostname: expected a full host name"},
	/* listeners */
	{"hostname = mail.example.org", "f: listen: there is none"},
	{HEAD "listen \"b\" { }", "f:2: listen: \"b\" has no address"},
	{HEAD "listen \"b b\" { address = \"*:26\" }", "f:2: listen: expected a name"},
	{HEAD "listen \"mx\" { address = \"*:26\" }",
	 "f:2: listen: there are two sections named \"mx\""},
	{HEAD "listen \"b\" { address = \"127.0.0.1:25\" }",
	 "f:2: address: \"127.0.0.1:25\" is taken by listen \"mx\" with \"*:25\""},
	{HEAD "listen \"b\" { address = \"[::1]:25\" }", "f:2: address: \"[::1]:25\" is taken"},
	{HEAD "listen \"b\" { address = \"*:26\" service = pop }",
	 "f:2: service: expected one of smtp|"},
	{HEAD "listen \"b\" { address = \"*\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"*:0\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"*:65536\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \":26\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"::1:26\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"[127.0.0.1]:26\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"[]:26\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"[:26\" }", "f:2: address: expected *:PORT"},
	{"hostname = mail.example.org listen \"mx\" { address = \"[::1]:25\" service = lmtp }",
	 "f:1: address: LMTP has no place on port 25"},
	{HEAD "listen \"b\" { address = \"unix:\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"unix:run/s\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"unix:/run/\" }", "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"unix:/" LONG_PATH "\" }",
	 "f:2: address: expected *:PORT"},
	{HEAD "listen \"b\" { address = \"unix:/s\" } listen \"c\" { address = \"unix:/s\" }",
	 "f:2: address: \"unix:/s\" is taken by listen \"b\""},
	{HEAD "listen \"b\" { address = \"*:26\" mode = \"0660\" }",
	 "f:2: mode: is for an address \"unix:/path\" alone"},
	{HEAD "listen \"b\" { address = \"*:26\" owner = mail }",
	 "f:2: owner: is for an address \"unix:/path\" alone"},
	{HEAD "listen \"b\" { address = \"unix:/s\" mode = \"0680\" }",
	 "f:2: mode: expected three octal digits"},
	{HEAD "listen \"b\" { address = \"unix:/s\" mode = \"4660\" }",
	 "f:2: mode: expected three octal digits"},
	{HEAD "listen \"b\" { address = \"unix:/s\" mode = \"66\" }",
	 "f:2: mode: expected three octal digits"},
	{HEAD "listen \"b\" { address = \"unix:/s\" group = \"\" }",
	 "f:2: group: expected a name or a number"},
	{HEAD "listen \"b\" { address = \"localhost:26\" }", "f:2: address: expected *:PORT"},
	/* domains */
	{HEAD "domain \"a..b\" { }", "f:2: domain: expected a domain, got \"a..b\": "},
	{HEAD "domain \"[192.0.2.1]\" { }", "f:2: domain: expected a domain"},
	{HEAD "domain \"a.example\" { catch_all = x }\n"
	 "domain \"A.Example\" { catch_all = x }",
	 "f:3: domain: \"A.Example\" is there twice, first in line 2\n"},
	{HEAD "domain \"b.example\" { same_as = \"c.example\" }",
	 "f:2: same_as: expected the name of another domain section, got \"c.example\""},
	{HEAD "domain \"b.example\" { same_as = localhost }",
	 "f:2: same_as: expected the name"},
	{HEAD "domain \"b.example\" { same_as = b.example }",
	 "f:2: same_as: \"b.example\" has a same_as"},
	{HEAD "domain \"a.example\" { catch_all = x }\n"
	 "domain \"b.example\" { same_as = a.example }\n"
	 "domain \"c.example\" { same_as = b.example }",
	 "f:4: same_as: \"b.example\" has a same_as itself (line 3)"},
	{HEAD "domain \"a.example\" { catch_all = x }\n"
	 "domain \"b.example\" { same_as = a.example alias \"x\" { to = {\"y\"} } }",
	 "f:3: domain: \"b.example\" has a same_as, so it can have no alias"},
	{HEAD "domain \"a.example\" { catch_all = x deliver = \"lmtp:24\" }",
	 "f:2: deliver: expected lmtp:ADDRESS:PORT"},
	{HEAD "domain \"a.example\" { catch_all = x deliver = \"lmtp:mx.example:24\" }",
	 "f:2: deliver: expected lmtp:ADDRESS:PORT"},
	{HEAD "domain \"a.example\" { catch_all = x deliver = \"smtp:[::1]:24\" }",
	 "f:2: deliver: expected lmtp:ADDRESS:PORT"},
	{HEAD "domain \"a.example\" { catch_all = x mailboxes = users }",
	 "f:2: mailboxes: expected one of virtual|system, got \"users\""},
	{HEAD "domain \"a.example\" { catch_all = x mailboxes = system }\n"
	 "domain \"b.example\" { catch_all = x mailboxes = system deliver = \"lmtp:/l\" }",
	 "f:3: deliver: expected the same as that of \"a.example\""},
	{HEAD "domain \"a.example\" { catch_all = x }\n"
	 "domain \"b.example\" { same_as = \"a.example\" mailboxes = system }",
	 "f:3: mailboxes: \"b.example\" has a same_as"},
	{HEAD "system_uid_min = 5000 system_uid_max = 4000",
	 "f: system_uid_min: expected at most system_uid_max"},
	/* aliases */
	{HEAD "domain \"a.example\" { catch_all = \"x@b.example\" }",
	 "f:2: catch_all: \"x@b.example\" is in no domain of ours"},
	{HEAD "domain \"a.example\" { catch_all = x\n"
	 "alias \"p\" { to = {\"q\",\n"
	 "\"r@b.example\", \"s..t\"} } }",
	 "f:4: to: \"r@b.example\" is in no domain of ours\n"
	 "f:4: to: expected a local part"},
	{HEAD "domain \"a.example\" { catch_all = x alias \"p\" { } }",
	 "f:2: alias: \"p\" leads to 0"},
	{HEAD "domain \"a.example\" { catch_all = x alias \"p@a.example\" { to = {\"q\"} }\n"
	 "alias \"p@b.example\" { to = {\"q\"} } alias \"\" { to = {\"q\"} } }",
	 "f:3: alias: expected a local part, got \"p@b.example\"\n"
	 "f:3: alias: expected"},
	{HEAD "domain \"a.example\" { catch_all = x\n"
	 "alias \"p\" { to = {\"q\"} }\n"
	 "alias \"P\" { to = {\"q\"} } }",
	 "f:4: alias: \"P\" is there twice, first in line 3\n"},
	{HEAD "domain \"a.example\" { catch_all = x\n"
	 "alias \"p\" { to = {\"q\"} } alias \"q\" { to = {\"q\", \"p\"} } }",
	 "f:3: alias: leads back to itself: p@a.example -> q@a.example -> p@a.example\n"},
	{HEAD "domain \"a.example\" { catch_all = x\n"
	 "alias \"p\" { to = {\"q\", \"r+x@localhost\"} }\n"
	 "alias \"r\" { to = {\"s\"} }\n"
	 "alias \"s\" { to = {\"p\"} } }",
	 "f:3: alias: leads back to itself: p@a.example -> r@a.example -> s@a.example -> p@a.example\n"},
};

/* clang-format on */

/* Each line of <got> starts as the one of <expect> says, and there is no other. */
static bool
lines_start(struct str got, struct str expect)
{
	struct str line;
	struct str start;

	while (str_cut(&expect, '\n', &start))
		if (!str_cut(&got, '\n', &line) || !str_starts(line, start))
			return false;
	return got.n == 0;
}

static void
test_what_is_wrong_is_named_with_its_line(void **unused)
{
	(void)unused;
	unsigned failed = 0;

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		char room[ROOM];
		struct buf report = BUF_ON(room);
		struct cfg *c;

		if (cfg_read_text("f", str_of(wrong[i].text), &c, &report) == RC_PERM &&
		    lines_start(buf_str(&report), str_of(wrong[i].expect)))
			continue;
		print_error("%s\n  expected: %s\n  got: %s\n", wrong[i].text, wrong[i].expect,
		            room);
		failed++;
	}
	assert_int_equal(failed, 0);
}

static void
test_an_alias_may_name_itself_to_keep_a_copy(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);

	(void)cfg_free(read_good(HEAD "domain \"a.example\" { catch_all = x\n"
	                              "alias alice { to = {\"alice\", \"bob\"} }\n"
	                              "alias team { to = {\"alice\", \"team+x\"} } }",
	                         &report));
	assert_string_equal(room, "");
}

/* A chain of <n> aliases, n0 first, each of which also leads to <width> accounts. */
static void
add_chain(struct buf *b, unsigned n, unsigned width, const char *catch_all)
{
	buf_addf(b, HEAD "domain \"a.example\" { catch_all = %s\n", catch_all);
	for (unsigned i = 0; i < n; i++) {
		buf_addf(b, "alias \"n%u\" { to = {\"n%u\"", i, i + 1);
		for (unsigned j = 1; j < width; j++)
			buf_addf(b, ", \"x%u\"", j);
		buf_add(b, STR("} }\n"));
	}
	buf_addc(b, '}');
}

static void
test_growth_and_depth_have_limits_said_once(void **unused)
{
	(void)unused;
	static const struct {
		unsigned aliases;
		unsigned width;
		const char *catch_all;
		const char *expect;
	} rows[] = {
		{CFG_ALIAS_DEPTH,     2,                                "x",  ""						    },
		{CFG_ALIAS_DEPTH,     CFG_ALIAS_MOST / CFG_ALIAS_DEPTH, "x",  ""                                                    },
		{CFG_ALIAS_DEPTH,     2,                                "n1", ""						    },
		{CFG_ALIAS_DEPTH,     2,                                "n0",
	         "f:2: catch_all: \"n0@a.example\" leads to more than"                                                              },
		{3,                   500,			      "x",  "f:3: alias: \"n0\" leads to more than 1000 addresses"},
		{2,                   500,			      "n0", "f:2: catch_all: \"n0@a.example\" leads to more than" },
		{3 * CFG_ALIAS_DEPTH, 1,                                "x",
	         "f:102: alias: \"n99\" leads over more than 50 aliases"                                                            },
	};
	static char text[1U << 20];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		char room[ROOM];
		struct buf b = BUF_ON(text);
		struct buf report = BUF_ON(room);
		struct cfg *c = NULL;

		add_chain(&b, rows[i].aliases, rows[i].width, rows[i].catch_all);
		enum rc rc = cfg_read_text("f", buf_str(&b), &c, &report);
		if (!lines_start(buf_str(&report), str_of(rows[i].expect)))
			fail_msg("row %zu: %s", i, room);
		assert_int_equal(rc, rows[i].expect[0] == '\0' ? RC_OK : RC_PERM);
		if (rc == RC_OK)
			(void)cfg_free(c);
	}
}

static void
test_a_large_file_is_read_and_found_in(void **unused)
{
	(void)unused;
	const size_t cap = CFG_OCTETS_MAX;
	char *text = malloc(cap);
	char room[ROOM];
	struct buf b = {.p = text, .cap = cap};
	struct buf report = BUF_ON(room);
	struct cfg *c;

	assert_non_null(text);
	buf_add(&b, STR(HEAD));
	for (unsigned i = 0; i < 10000; i++)
		buf_addf(&b, "domain \"d%u.example\" { catch_all = x alias a { to = {b} } }\n",
		         i);
	buf_add(&b, STR("domain \"a.example\" { catch_all = x\n"));
	for (unsigned i = 0; i < 90000; i++)
		buf_addf(&b, "alias \"n%u\" { to = {\"x\", \"y\"} }\n", i);
	buf_addc(&b, '}');
	assert_false(b.cut);
	assert_int_equal(cfg_read_text("f", buf_str(&b), &c, &report), RC_OK);
	assert_int_equal(c->domain_count, 10003);
	assert_non_null(cfg_alias_find(cfg_domain_find(c, STR("a.example")), STR("n89999")));
	(void)cfg_free(c);
	free(text);
}

static void
test_what_is_shown_is_read_back_as_the_same(void **unused)
{
	(void)unused;
	static char text[ROOM * 2];
	static char wire[ROOM];
	static char again[ROOM];
	char room[ROOM];
	struct buf shown = BUF_ON(text);
	struct buf first = BUF_ON(wire);
	struct buf second = BUF_ON(again);
	struct buf report = BUF_ON(room);
	struct err e;
	struct cfg *c =
		read_good("hostname = mail.example.org data_dir = \"/a \\$b\\\\\\\"c\"\n"
	                  "listen b { address = \"[::1]:2525\" } smtp_idle = 61\n"
	                  "listen a { address = \"127.0.0.1:2525\" } log_level = debug\n"
	                  "domain \"z.example\" { catch_all = \"\\\"x y\\\"\" }\n"
	                  "domain \"a.example\" { same_as = z.example }\n"
	                  "domain \"b.example\" { alias \"\\\"p q\\\"\" { to = {x, y} }\n"
	                  "alias postmaster { to = {\"x@localhost\"} } }",
	                  &report);

	cfg_show(c, &shown);
	assert_int_equal(cfg_encode(c, &first, &e), RC_OK);
	(void)cfg_free(c);
	c = read_good(text, &report);
	assert_int_equal(cfg_encode(c, &second, &e), RC_OK);
	(void)cfg_free(c);
	assert_true(str_eq(buf_str(&first), buf_str(&second)));
}

static void
test_a_long_report_is_cut_to_whole_lines_and_says_so(void **unused)
{
	(void)unused;
	static char text[1U << 16];
	static char room[1U << 16];
	char little[100];
	struct buf b = BUF_ON(text);
	struct buf report = BUF_ON(room);
	struct buf small = BUF_ON(little);
	struct cfg *c;

	buf_add(&b, STR(HEAD));
	for (unsigned i = 0; i < 300; i++)
		buf_addf(&b, "zzzzzzz = %u\n", i);
	assert_int_equal(cfg_read_text("f", buf_str(&b), &c, &report), RC_PERM);
	assert_true(str_iends(buf_str(&report), STR("\nf: and 100 more\n")));
	assert_int_equal(cfg_read_text("f", buf_str(&b), &c, &small), RC_PERM);
	assert_true(small.cut);
	assert_true(str_iends(buf_str(&small), STR("\n")));
}

static void
test_a_file_that_is_not_there_is_an_error(void **unused)
{
	(void)unused;
	char room[ROOM];
	struct buf report = BUF_ON(room);
	struct cfg *c;

	assert_int_equal(cfg_read("/nonexistent/sekisho.conf", &c, &report), RC_PERM);
	assert_true(lines_start(buf_str(&report),
	                        STR("/nonexistent/sekisho.conf: cannot be opened")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_sample_means_what_it_says),
		cmocka_unit_test(test_values_have_units),
		cmocka_unit_test(test_without_a_domain_section_the_host_is_the_domain),
		cmocka_unit_test(test_sections_of_host_name_and_localhost_are_their_own),
		cmocka_unit_test(test_names_become_canonical),
		cmocka_unit_test(test_a_domain_without_postmaster_is_warned_of),
		cmocka_unit_test(test_what_is_wrong_is_named_with_its_line),
		cmocka_unit_test(test_an_alias_may_name_itself_to_keep_a_copy),
		cmocka_unit_test(test_growth_and_depth_have_limits_said_once),
		cmocka_unit_test(test_a_large_file_is_read_and_found_in),
		cmocka_unit_test(test_what_is_shown_is_read_back_as_the_same),
		cmocka_unit_test(test_a_long_report_is_cut_to_whole_lines_and_says_so),
		cmocka_unit_test(test_a_file_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
