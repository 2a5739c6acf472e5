/*
 * Calls of sendmail as programs really make them, and those that must not be obeyed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sendmail/args.h"

#define WORDS_MOST 16

/* A command line, its words cut at blanks; `''` is an empty word. */
struct line {
	char room[400];
	char *argv[WORDS_MOST + 1];
	int argc;
};

static void
cut_line(const char *text, struct line *l)
{
	struct str rest = str_of(text);
	struct str word;
	struct buf b = BUF_ON(l->room);

	l->argc = 0;
	while (str_cut(&rest, ' ', &word)) {
		assert_true(l->argc < WORDS_MOST);
		l->argv[l->argc++] = l->room + b.n;
		if (!str_eq(word, STR("''")))
			buf_add(&b, word);
		buf_addc(&b, '\0');
		assert_false(b.cut);
	}
	l->argv[l->argc] = NULL;
}

/* What was understood, as text. */
static void
describe(const struct args *a, struct buf *b)
{
	static const char *const modes[] = {"send", "smtp", "list", "flush", "aliases", "help"};

	buf_add(b, str_of(modes[a->mode]));
	buf_addf(b, "%s%s%s", a->extract ? " t" : "", a->dot_is_text ? " i" : "",
	         a->verbose ? " v" : "");
	if (a->has_sender)
		buf_addf(b, " f=%.*s", STR_FMT(a->sender));
	if (a->full_name.n > 0)
		buf_addf(b, " F=%.*s", STR_FMT(a->full_name));
	if (a->envid.n > 0)
		buf_addf(b, " V=%.*s", STR_FMT(a->envid));
	if (a->body.n > 0)
		buf_addf(b, " B=%.*s", STR_FMT(a->body));
	if (a->ret.n > 0)
		buf_addf(b, " R=%.*s", STR_FMT(a->ret));
	if (a->notify.n > 0)
		buf_addf(b, " N=%.*s", STR_FMT(a->notify));
	for (int i = 0; i < a->rcpt_count; i++)
		buf_addf(b, " <%s>", a->rcpts[i]);
}

/* clang-format off */
static const char *const good[][2] = {
	{"sendmail bob",                             "send <bob>"},
	{"/usr/sbin/sendmail -t -i",                 "send t i"},                  /* PHP */
	{"sendmail -t -i -fweb@example.org",         "send t i f=web@example.org"}, /* PHP's 5th */
	{"sendmail -FCronDaemon -i -B8BITMIME -oem root", "send i F=CronDaemon B=8BITMIME <root>"}, /* cron */
	{"sendmail -i -FCronDaemon -oem root",       "send i F=CronDaemon <root>"},
	{"sendmail -oem -oi -f me@x -- a@y b@z",     "send i f=me@x <a@y> <b@z>"}, /* mutt */
	{"sendmail -oi -oem -t",                     "send t i"},
	{"sendmail -ti",                             "send t i"},
	{"sendmail -it -f '' -- a",                  "send t i f= <a>"},
	{"sendmail -f <> a",                         "send f=<> <a>"},             /* vacation */
	{"sendmail -r me@x a",                       "send f=me@x <a>"},
	{"sendmail -bm -G -U -m -n -c -x a",         "send <a>"},
	{"sendmail -odb -odq -oee -om -o7 a",        "send <a>"},
	{"sendmail -o i a",                          "send i <a>"},
	{"sendmail -A c -Am -h 3 -p ESMTP -L mine a", "send <a>"},
	{"sendmail -O DeliveryMode=b -OMaxHops=3 a", "send <a>"},
	{"sendmail -d0.1 -em a",                     "send <a>"},
	{"sendmail -v a",                            "send v <a>"},
	{"sendmail -N failure,delay -Rhdrs -V id1 a", "send V=id1 R=HDRS N=failure,delay <a>"},
	{"sendmail -N never -R FULL -B 7bit a",      "send B=7BIT R=FULL N=never <a>"},
	{"sendmail -bs",                             "smtp"},
	{"sendmail -bp",                             "list"},
	{"sendmail -q",                              "flush"},
	{"sendmail -bi",                             "aliases"},
	{"sendmail -I",                              "aliases"},
	{"mailq",                                    "list"},
	{"/usr/bin/mailq",                           "list"},
	{"mailq -v",                                 "list v"},
	{"newaliases",                               "aliases"},
	{"/usr/bin/newaliases",                      "aliases"},
	{"sendmail --help",                          "help"},
	{"sendmail -- -oQ/tmp@x",                    "send <-oQ/tmp@x>"},
	{"sendmail -f -oQ/tmp@x a",                  "send f=-oQ/tmp@x <a>"},
	{"sendmail -t -- -C/etc/x",                  "send t <-C/etc/x>"},
};

static const char *const bad[][2] = {
	{"sendmail",                       "no recipient is named"},
	{"sendmail -f me@x",               "no recipient is named"},
	{"sendmail -",                     "an option stands behind a recipient"},
	{"sendmail --",                    "no recipient is named"},
	{"sendmail -f",                    "-f needs a value"},
	{"sendmail -F",                    "-F needs a value"},
	{"sendmail -C/tmp/cf a",           "-C is refused"},
	{"sendmail -t -C /tmp/cf",         "-C is refused"},
	{"sendmail -X/var/www/shell.php a", "-X is refused"},
	{"sendmail -ti -X /var/www/x",     "-X is refused"},
	{"sendmail -tiX/var/www/x",        "-X is refused"},
	{"sendmail -bd",                   "-bd is refused"},
	{"sendmail -bD",                   "-bD is refused"},
	{"sendmail -bd -q30m",             "-bd is refused"},
	{"sendmail -D /tmp/x a",           "-D is refused"},
	{"sendmail -bt",                   "-bt: expected"},
	{"sendmail -bv a",                 "-bv: expected"},
	{"sendmail -b",                    "-b needs a value"},
	{"sendmail -q30m",                 "-q30m: expected -q alone"},
	{"sendmail -qRexample",            "-qRexample: expected -q alone"},
	{"sendmail -bp a",                 "recipients are for sending only"},
	{"mailq a",                        "recipients are for sending only"},
	{"sendmail -Z a",                  "there is no option -Z"},
	{"sendmail --version",             "there is no option --"},
	{"sendmail -\xc3\xa9 a",           "there is no such option"},
	{"sendmail a -f b",                "an option stands behind a recipient"},
	{"sendmail a -X/tmp/x",            "an option stands behind a recipient"},
	{"sendmail -N maybe a",            "-N: expected"},
	{"sendmail -N never,delay a",      "-N: expected"},
	{"sendmail -N delay, a",           "-N: expected"},
	{"sendmail -R some a",             "-R: expected FULL or HDRS"},
	{"sendmail -B binary a",           "-B: expected 7BIT or 8BITMIME"},
};
/* clang-format on */

static void
test_what_programs_say_is_understood(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(good); i++) {
		char room[400];
		struct buf b = BUF_ON(room);
		struct line l;
		struct args a;
		struct err e;

		cut_line(good[i][0], &l);
		if (args_parse(l.argc, l.argv, &a, &e) != RC_OK)
			fail_msg("%s: %s", good[i][0], e.text);
		describe(&a, &b);
		if (strcmp(room, good[i][1]) != 0)
			fail_msg("%s: expected \"%s\", got \"%s\"", good[i][0], good[i][1],
			         room);
	}
}

static void
test_what_is_refused_is_named(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		struct line l;
		struct args a;
		struct err e = {.rc = RC_OK};

		cut_line(bad[i][0], &l);
		if (args_parse(l.argc, l.argv, &a, &e) != RC_PERM)
			fail_msg("%s: understood", bad[i][0]);
		if (strncmp(e.text, bad[i][1], strlen(bad[i][1])) != 0)
			fail_msg("%s: expected \"%s\", got \"%s\"", bad[i][0], bad[i][1],
			         e.text);
	}
}

static void
test_no_words_at_all(void **unused)
{
	(void)unused;
	char *none[] = {NULL};
	struct args a;
	struct err e;

	assert_int_equal(args_parse(0, none, &a, &e), RC_PERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_programs_say_is_understood),
		cmocka_unit_test(test_what_is_refused_is_named),
		cmocka_unit_test(test_no_words_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
