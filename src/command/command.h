/*
 * The operator's commands: `sekisho WORDS [-c FILE] [--json] ARGS`. One row of main.c's
 * table and one file each.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "base/defs.h"

struct cfg;

/* Numbers of options.def's rows, and the bits of them. */
#define OPT(NAME, name, arg, what) OPTION_##NAME,
enum command_option {
#include "command/options.def"
	OPTION_COUNT
};
#define OPT(NAME, name, arg, what) COMMAND_##NAME = 1 << OPTION_##NAME,
enum command_flag {
#include "command/options.def"
};

/* One command as it was called. */
struct call {
	const char *conf; /* the configuration file that applies, whether it is there or not */
	unsigned flags;   /* the COMMAND_... that were given; only those of its row */
	const char *value[OPTION_COUNT]; /* of options that have one; NULL where not given */
	int argc;                        /* what stands behind its words, options taken out */
	char **argv;
};

#define COMMAND_FILTERS \
	(COMMAND_SENDER | COMMAND_RECIPIENT | COMMAND_OLDER | COMMAND_NEWER | COMMAND_REPLY | \
	 COMMAND_STATE)

/* Returns a sysexits code; has said on stderr why it is not 0. */
typedef int command_run_fn(const struct call *call);

struct command {
	const char *words; /* "queue list" */
	const char *args;  /* "ADDRESS", for the usage line; "" where there are none */
	const char *help;  /* one line */
	unsigned flags;    /* the COMMAND_... it takes */
	int argc_min;
	int argc_max;
	command_run_fn *run;
};

/*
 * The configuration of this call. NULL: the problems have been printed, and the command
 * exits with EX_CONFIG. Warnings are printed where <warn>.
 */
struct cfg *command_cfg(const struct call *call, bool warn);

/* "sekisho: ..." on stderr, one line, fit for a terminal (print.h); returns <code>. */
int command_fail(int code, const char *fmt, ...) PRINTF(2, 3);

command_run_fn command_run, command_check, command_config, command_prepare, command_version;
command_run_fn command_queue_list, command_queue_show, command_queue_cat;
command_run_fn command_queue_hold, command_queue_release, command_queue_retry;
command_run_fn command_queue_delete, command_queue_flush, command_explain;
command_run_fn command_reload, command_log;
command_run_fn command_metrics;
command_run_fn command_backup, command_restore;
command_run_fn command_user_allow, command_user_disallow, command_user_senders;
command_run_fn command_status, command_user_add, command_user_remove, command_user_list;

#endif
