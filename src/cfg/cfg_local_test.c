/*
 * What the configuration says of the machine's users: sections local, local_socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "cfg/cfg_show.h"

#define HEAD "hostname = \"mail.example.org\" listen \"mx\" { address = \"*:25\" }\n"
#define OURS \
	HEAD "domain \"example.org\" { catch_all = x }\n" \
	     "domain \"example.net\" { same_as = \"example.org\" }\n"

static char report_room[4096];

static struct cfg *
read_text(const char *text)
{
	struct buf report = BUF_ON(report_room);
	struct cfg *c = NULL;

	return cfg_read_text("f", str_of(text), &c, &report) == RC_OK ? c : NULL;
}

static void
test_senders_are_canonical_and_rates_an_hour(void **unused)
{
	(void)unused;
	struct cfg *c =
		read_text(OURS "local \"www-data\" { senders = {\"Web@Example.NET\", shop, "
	                       "\"<>\"} rate = \"240/d\" }\n"
	                       "local \"alice\" { }");

	assert_non_null(c);
	const struct cfg_local *l = cfg_local_find(c, STR("www-data"));
	assert_non_null(l);
	assert_int_equal(l->rate, 10);
	assert_int_equal(l->sender_count, 3);
	assert_true(str_eq(l->senders[0], STR("web@example.org")));
	assert_true(str_eq(l->senders[1], STR("shop@example.org")));
	assert_true(str_eq(l->senders[2], STR("<>")));
	assert_int_equal(cfg_local_find(c, STR("alice"))->rate, 0);
	assert_null(cfg_local_find(c, STR("WWW-data")));
	assert_null(cfg_local_find(c, STR("bob")));
	(void)cfg_free(c);
}

static void
test_what_is_shown_reads_the_same(void **unused)
{
	(void)unused;
	static char room[65536];
	static char again[65536];
	struct buf b = BUF_ON(room);
	struct buf b2 = BUF_ON(again);
	struct cfg *c = read_text(OURS "local \"w\" { senders = {\"<>\", web} rate = 100/h }\n"
	                               "local \"a\" { rate = 5 }\nlocal_rate = 1000/d");

	assert_non_null(c);
	assert_int_equal(c->local_rate, 41);
	cfg_show(c, &b);
	(void)cfg_free(c);
	c = read_text(room);
	if (c == NULL)
		fail_msg("%s", report_room);
	assert_int_equal(c->local_count, 2);
	assert_int_equal(cfg_local_find(c, STR("a"))->rate, 5);
	cfg_show(c, &b2);
	(void)cfg_free(c);
	assert_string_equal(room, again);
}

static void
test_the_local_socket_is_a_listener(void **unused)
{
	static const struct {
		const char *text;
		const char *path; /* NULL: no listener */
	} rows[] = {
		{"",				       "/run/sekisho/submit"},
		{"data_dir = \"/srv/mail\"",               "/srv/mail/submit"   },
		{"local_socket = \"/run/s\"",              "/run/s"             },
		{"local_socket = off",                     NULL                 },
		{"local_socket = off data_dir = \"/srv\"", NULL                 },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char text[400];
		struct buf b = BUF_ON(text);

		buf_addf(&b, "%s%s", OURS, rows[i].text);
		struct cfg *c = read_text(text);
		assert_non_null(c);
		assert_int_equal(c->listen_count, rows[i].path == NULL ? 1 : 2);
		if (rows[i].path != NULL) {
			const struct cfg_listen *l = &c->listens[1];

			assert_true(str_eq(l->path, str_of(rows[i].path)));
			assert_int_equal(l->mode, 0666);
			assert_int_equal(l->service, SERVICE_LOCAL);
		}
		(void)cfg_free(c);
	}
}

/* alice@first is an account of `sekisho user`, perhaps another Alice's. */
static void
test_names_without_a_domain_are_the_users_own(void **unused)
{
	(void)unused;
	struct cfg *c = read_text(OURS);

	assert_non_null(c);
	assert_true(str_eq(cfg_origin(c), STR("mail.example.org")));
	(void)cfg_free(c);
	c = read_text(HEAD "domain \"example.org\" { mailboxes = system }");
	assert_non_null(c);
	assert_true(str_eq(cfg_origin(c), STR("example.org")));
	(void)cfg_free(c);
}

static void
test_what_is_wrong_is_named(void **unused)
{
	static const char *const rows[][2] = {
		{"local \"www data\" { }",                                  "f:4: local: expected the name of a user"   },
		{"local \"\" { }",					  "f:4: local: expected the name of a user"   },
		{"local \"a\" { }\nlocal \"a\" { }",                        "f:5: local: \"a\" is there twice"          },
		{"local \"a\" { senders = {\"x@y\"} }",
	         "f:4: senders: \"x@y\" is in no domain"								},
		{"local \"a\" { senders = {\"\"} }",                        "f:4: senders: expected a local part"       },
		{"local \"a\" { rate = 0 }",                                "f:4: rate: expected 1/h to 1000000/h"      },
		{"local \"a\" { rate = 10/y }",                             "f:4: rate: expected 1/h"                   },
		{"local \"a\" { rate = 2000000/h }",                        "f:4: rate: expected 1/h"                   },
		{"local_rate = 0",					  "f:4: local_rate: expected 1/h to 1000000/h"},
		{"local_socket = \"submit\"",                               "f:4: local_socket: expected a path from /" },
		{"listen \"l\" { address = \"*:26\" service = local }",
	         "f:4: address: service = local needs a unix:/path"                                                     },
		{"listen \"l\" { address = \"unix:/run/sekisho/submit\" }",
	         "f: local_socket: \"/run/sekisho/submit\" is taken by listen \"l\""                                    },
	};

	(void)unused;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char text[400];
		struct buf b = BUF_ON(text);

		buf_addf(&b, "%s%s", OURS, rows[i][0]);
		assert_null(read_text(text));
		if (strncmp(report_room, rows[i][1], strlen(rows[i][1])) != 0)
			fail_msg("%s: expected %s, got %s", rows[i][0], rows[i][1],
			         report_room);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_senders_are_canonical_and_rates_an_hour),
		cmocka_unit_test(test_what_is_shown_reads_the_same),
		cmocka_unit_test(test_the_local_socket_is_a_listener),
		cmocka_unit_test(test_names_without_a_domain_are_the_users_own),
		cmocka_unit_test(test_what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
