/*
 * sekisho: finds the row of the words it was called with, takes the options that all
 * commands share, and runs it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/str.h"
#include "command/command.h"

static command_run_fn run_help;

#define ADDRESSES_MAX 1000 /* in one command */

/* clang-format off */
static const struct command commands[] = {
	{"run",        "",   "Be the mail server, until SIGTERM.",                    0,            0, 0, command_run},
	{"check",      "",   "Check the configuration, with the code that run uses.", COMMAND_JSON, 0, 0, command_check},
	{"config",     "",   "Print the values in effect, each with what it does.",
	                                                           COMMAND_JSON | COMMAND_DEFAULTS, 0, 0, command_config},
	{"status",     "",   "Tell whether all of the server runs, and what it holds.", COMMAND_JSON, 0, 0, command_status},
	{"queue list", "",   "List what waits for delivery, a line a recipient.",     COMMAND_JSON, 0, 0, command_queue_list},
	{"queue show", "ID", "Show one waiting message and all its recipients.",      COMMAND_JSON, 1, 1, command_queue_show},
	{"explain",    "ID", "Tell what happened to a message so far.",               COMMAND_JSON, 1, 1, command_explain},
	{"user add",   "ADDRESS...", "Make accounts, each with a mailbox.",           0, 1, ADDRESSES_MAX, command_user_add},
	{"user list",  "",   "List the accounts.",                                    COMMAND_JSON, 0, 0, command_user_list},
	{"version",    "",   "Print the version.",                                    COMMAND_JSON, 0, 0, command_version},
	{"help",       "",   "Print this list.",                                      0,            0, 0, run_help},
};
/* clang-format on */

/* What the command line may ask for beside the command's own arguments. */
enum long_option { OPT_HELP = 256, OPT_JSON, OPT_DEFAULTS };

static const struct option options[] = {
	{"help",     no_argument, NULL, OPT_HELP    },
	{"json",     no_argument, NULL, OPT_JSON    },
	{"defaults", no_argument, NULL, OPT_DEFAULTS},
	{NULL,       0,           NULL, 0           },
};

static const struct {
	int option;
	enum command_flag flag;
	const char *name;
	const char *help;
} flags[] = {
	{OPT_JSON,     COMMAND_JSON,     "--json",     "JSON on stdout, one value a line"   },
	{OPT_DEFAULTS, COMMAND_DEFAULTS, "--defaults", "what a file that sets nothing means"},
};

static int
run_help(const struct call *call)
{
	(void)call;
	(void)puts("usage: sekisho COMMAND [-c FILE] [OPTION]... [ARGUMENT]...\n");
	for (size_t i = 0; i < LENGTH(commands); i++)
		(void)printf("  %-12s %s\n", commands[i].words, commands[i].help);
	(void)puts("\nsekisho COMMAND --help says more. FILE is $SEKISHO_CONF, or else\n"
	           "/etc/sekisho/sekisho.conf, where -c does not name it.");
	return EX_OK;
}

static void
print_usage(const struct command *c, FILE *to)
{
	(void)fprintf(to, "usage: sekisho %s [-c FILE]", c->words);
	for (size_t i = 0; i < LENGTH(flags); i++)
		if ((c->flags & flags[i].flag) != 0)
			(void)fprintf(to, " [%s]", flags[i].name);
	(void)fprintf(to, "%s%s\n", c->args[0] == '\0' ? "" : " ", c->args);
}

static int
print_help(const struct command *c)
{
	print_usage(c, stdout);
	(void)printf("\n%s\n\n  %-12s %s\n", c->help, "-c FILE",
	             "the configuration, not $SEKISHO_CONF or /etc/sekisho/sekisho.conf");
	for (size_t i = 0; i < LENGTH(flags); i++)
		if ((c->flags & flags[i].flag) != 0)
			(void)printf("  %-12s %s\n", flags[i].name, flags[i].help);
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

/* Whether <word> is the first of this command's two. */
static bool
in_group(const struct command *c, const char *word)
{
	size_t n = strlen(word);

	return strncmp(c->words, word, n) == 0 && c->words[n] == ' ';
}

static bool
is_group(const char *word)
{
	for (size_t i = 0; i < LENGTH(commands); i++)
		if (in_group(&commands[i], word))
			return true;
	return false;
}

/* The usage of each command that begins with that word: asked for, or for want of another. */
static int
run_group(const char *word, bool asked)
{
	for (size_t i = 0; i < LENGTH(commands); i++)
		if (in_group(&commands[i], word))
			print_usage(&commands[i], asked ? stdout : stderr);
	return asked ? EX_OK : EX_USAGE;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool
set_flag(const struct command *c, struct call *call, int option)
{
	for (size_t i = 0; i < LENGTH(flags); i++)
		if (flags[i].option == option && (c->flags & flags[i].flag) != 0) {
			call->flags |= flags[i].flag;
			return true;
		}
	return false;
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
		else if (!set_flag(c, &call, option))
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
