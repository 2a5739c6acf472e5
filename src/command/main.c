/*
 * sekisho: finds the row of the words it was called with, takes the options that all
 * commands share, and runs it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "base/buf.h"
#include "command/client.h"
#include "command/command.h"

static command_run_fn run_help;

#define ADDRESSES_MAX 1000 /* in one command */
#define IDS_MAX 10000
#define CHANGE (COMMAND_JSON | COMMAND_ALL | COMMAND_FILTERS) /* of recipients in the queue */

/* clang-format off */
static const struct command commands[] = {
	{"run",        "",   "Be the mail server, until SIGTERM.",                    0,            0, 0, command_run},
	{"prepare",    "",   "Make the folders of data_dir; run does so too.",        0,            0, 0, command_prepare},
	{"check",      "",   "Check the configuration, with the code that run uses.", COMMAND_JSON, 0, 0, command_check},
	{"config",     "",   "Print the values in effect, each with what it does.",
	                                                           COMMAND_JSON | COMMAND_DEFAULTS, 0, 0, command_config},
	{"status",     "",   "Tell whether all of the server runs, and what it holds.", COMMAND_JSON, 0, 0, command_status},
	{"reload",     "",   "Have the running server read its configuration again.", 0,            0, 0, command_reload},
	{"log",        "[LEVEL [ROLE]]", "Show or set how much is logged, until a reload.", 0,      0, 2, command_log},
	{"queue list", "",   "List what waits for delivery, a line a recipient.",
	                      COMMAND_JSON | COMMAND_MAILQ | COMMAND_SUMMARY | COMMAND_FILTERS, 0, 0, command_queue_list},
	{"queue show", "ID", "Show one waiting message and all its recipients.",      COMMAND_JSON, 1, 1, command_queue_show},
	{"queue cat",  "ID", "Print a waiting message as it was kept.",               0,            1, 1, command_queue_cat},
	{"queue hold",    "[ID...]", "Keep from delivery until released.",            CHANGE, 0, IDS_MAX, command_queue_hold},
	{"queue release", "[ID...]", "Try again what is held, and now.",              CHANGE, 0, IDS_MAX, command_queue_release},
	{"queue retry",   "[ID...]", "Try now what waits; what is held stays so.",    CHANGE, 0, IDS_MAX, command_queue_retry},
	{"queue delete",  "[ID...]", "Discard, each recipient with a record.",        CHANGE, 0, IDS_MAX, command_queue_delete},
	{"queue flush",   "",        "Try now all that waits: queue retry --all.",    COMMAND_JSON, 0, 0, command_queue_flush},
	{"explain",    "ID", "Tell what happened to a message so far.",               COMMAND_JSON, 1, 1, command_explain},
	{"user add",   "ADDRESS...", "Make accounts, each with a mailbox.",           0, 1, ADDRESSES_MAX, command_user_add},
	{"user remove", "ADDRESS...", "Remove accounts; their mail stays where it is.", 0, 1, ADDRESSES_MAX, command_user_remove},
	{"user list",  "",   "List who has a mailbox: accounts, and users of the machine.", COMMAND_JSON, 0, 0, command_user_list},
	{"user allow", "USER ADDRESS...", "Let a user of this machine send as these; <> is the null sender.", 0, 2, ADDRESSES_MAX, command_user_allow},
	{"user disallow", "USER ADDRESS...", "Take that back.",                       0, 2, ADDRESSES_MAX, command_user_disallow},
	{"user senders", "", "List what users of this machine were allowed to send as.", COMMAND_JSON, 0, 0, command_user_senders},
	{"metrics",    "",   "Print what status tells in Prometheus' text format.",   0,            0, 0, command_metrics},
	{"backup",     "DIR", "Copy queue, accounts, journal and configuration, while it runs.", COMMAND_JSON, 1, 1, command_backup},
	{"restore",    "DIR", "Fill an empty data_dir from a backup.",                COMMAND_JSON, 1, 1, command_restore},
	{"version",    "",   "Print the version.",                                    COMMAND_JSON, 0, 0, command_version},
	{"help",       "",   "Print this list.",                                      COMMAND_JSON,            0, 0, run_help},
};
/* clang-format on */

/* clang-format off */
#define OPTION_FIRST 256 /* getopt's values: above all characters */
#define OPT_HELP (OPTION_FIRST + OPTION_COUNT)

static const struct option options[] = {
#define OPT(NAME, name, arg, what) \
	{name, sizeof(arg) > 1 ? required_argument : no_argument, NULL, \
	 OPTION_FIRST + OPTION_##NAME},
#include "command/options.def"
	{"help", no_argument, NULL, OPT_HELP},
	{NULL,   0,           NULL, 0       },
};

static const struct {
	const char *name;
	const char *arg;
	const char *what;
} flags[OPTION_COUNT] = {
#define OPT(NAME, name, arg, what) {name, arg, what},
#include "command/options.def"
};
/* clang-format on */

/* Whether <word> is the first of this command's two. */
static bool
in_group(const struct command *c, const char *word)
{
	size_t n = strlen(word);

	return strncmp(c->words, word, n) == 0 && c->words[n] == ' ';
}

static bool
takes(const struct command *c, unsigned option)
{
	return (c->flags & BIT(option)) != 0;
}

/* ---- help ---- */

static json_t *
json_options(const struct command *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (takes(c, i))
			(void)json_array_append_new(
				list, json_pack("{s:s, s:s, s:s}", "name", flags[i].name, "arg",
			                        flags[i].arg, "help", flags[i].what));
	return list;
}

/* A line a command, for programs: shell completion is made from it. */
static int
help_json(void)
{
	for (size_t i = 0; i < LENGTH(commands); i++) {
		const struct command *c = &commands[i];
		json_t *row = json_pack("{s:s, s:s, s:s, s:o}", "words", c->words, "args",
		                        c->args, "help", c->help, "options", json_options(c));

		if (row == NULL)
			return command_fail(EX_OSERR, "no memory");
		client_print_json(NULL, row);
		json_decref(row);
	}
	return EX_OK;
}

static void
print_commands(const char *group)
{
	for (size_t i = 0; i < LENGTH(commands); i++)
		if (group == NULL || in_group(&commands[i], group))
			(void)printf("  %-14s %s\n", commands[i].words, commands[i].help);
}

static int
run_help(const struct call *call)
{
	if (call != NULL && (call->flags & COMMAND_JSON) != 0)
		return help_json();
	(void)puts("usage: sekisho COMMAND [-c FILE] [OPTION]... [ARGUMENT]...\n");
	print_commands(NULL);
	(void)puts("\nsekisho COMMAND --help says more. FILE is $SEKISHO_CONF, or else\n"
	           "/etc/sekisho/sekisho.conf, where -c does not name it.");
	return EX_OK;
}

/* "--older AGE" */
static void
add_option(struct buf *b, unsigned option)
{
	const char *arg = flags[option].arg;

	buf_addf(b, "--%s%s%s", flags[option].name, arg[0] == '\0' ? "" : " ", arg);
}

static void
print_usage(const struct command *c, FILE *to)
{
	(void)fprintf(to, "usage: sekisho %s [-c FILE]", c->words);
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		char text[64];
		struct buf b = BUF_ON(text);

		if (!takes(c, i))
			continue;
		add_option(&b, i);
		(void)fprintf(to, " [%s]", b.p);
	}
	(void)fprintf(to, "%s%s\n", c->args[0] == '\0' ? "" : " ", c->args);
}

static int
print_help(const struct command *c)
{
	print_usage(c, stdout);
	(void)printf("\n%s\n\n  %-19s %s\n", c->help, "-c FILE",
	             "the configuration, not $SEKISHO_CONF or /etc/sekisho/sekisho.conf");
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		char text[64];
		struct buf b = BUF_ON(text);

		if (!takes(c, i))
			continue;
		add_option(&b, i);
		(void)printf("  %-19s %s\n", b.p, flags[i].what);
	}
	return EX_OK;
}

/* How many words of <argv> are those of <c>, or 0. */
static int
words_of(const struct command *c, int argc, char **argv)
{
	struct str rest = str_of(c->words);
	struct str word;
	int n = 0;

	while (str_cut(&rest, ' ', &word)) {
		if (n == argc || !str_eq(word, str_of(argv[n])))
			return 0;
		n++;
	}
	return n;
}

static const struct command *
find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < LENGTH(commands); i++) {
		*ret_words = words_of(&commands[i], argc, argv);
		if (*ret_words > 0)
			return &commands[i];
	}
	return NULL;
}

static bool
is_group(const char *word)
{
	for (size_t i = 0; i < LENGTH(commands); i++)
		if (in_group(&commands[i], word))
			return true;
	return false;
}

/* The commands that begin with that word: asked for, or for want of another. */
static int
run_group(const char *word, bool asked)
{
	if (asked) {
		(void)printf(
			"usage: sekisho %s COMMAND [-c FILE] [OPTION]... [ARGUMENT]...\n\n",
			word);
		print_commands(word);
		(void)printf("\nsekisho %s COMMAND --help says more.\n", word);
		return EX_OK;
	}
	for (size_t i = 0; i < LENGTH(commands); i++)
		if (in_group(&commands[i], word))
			print_usage(&commands[i], stderr);
	return EX_USAGE;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool
set_option(const struct command *c, struct call *call, int got)
{
	unsigned option = (unsigned)got - OPTION_FIRST;

	if (got < OPTION_FIRST || option >= OPTION_COUNT || !takes(c, option))
		return false;
	call->flags |= BIT(option);
	call->value[option] = optarg; /* NULL of a switch */
	return true;
}

static const char *
conf_default(void)
{
	const char *conf = getenv("SEKISHO_CONF");

	return conf != NULL && conf[0] != '\0' ? conf : "/etc/sekisho/sekisho.conf";
}

static int
bad_usage(const struct command *c)
{
	print_usage(c, stderr);
	return EX_USAGE;
}

/* <argv> starts with the last word of the command, as getopt wants a name there. */
static int
call_command(const struct command *c, int argc, char **argv)
{
	struct call call = {.conf = conf_default()};
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'c')
			call.conf = optarg;
		else if (option == OPT_HELP)
			return print_help(c);
		else if (!set_option(c, &call, option))
			return bad_usage(c);
	}
	call.argc = argc - optind;
	call.argv = argv + optind;
	if (call.argc < c->argc_min || call.argc > c->argc_max)
		return bad_usage(c);
	return c->run(&call);
}

/* A command whose words did not reach stdout has failed, whatever else it did. */
static int
finish(int code)
{
	if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == EX_OK)
		return command_fail(EX_IOERR, "cannot write to standard output");
	return code;
}

int
main(int argc, char **argv)
{
	int words;

	if (argc < 2) {
		(void)run_help(NULL);
		return finish(EX_USAGE);
	}
	if (is_help(argv[1]))
		return finish(run_help(NULL));
	const struct command *c = find(argc - 1, argv + 1, &words);
	if (c == NULL && is_group(argv[1]))
		return finish(run_group(argv[1], argc > 2 && is_help(argv[2])));
	if (c == NULL)
		return command_fail(EX_USAGE, "no command %s; sekisho help lists them",
		                    argv[1]);
	return finish(call_command(c, argc - words, argv + words));
}
