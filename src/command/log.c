/*
 * sekisho log: how much each role writes to the log; sekisho log LEVEL [ROLE]: from now on,
 * until the next reload or restart.
 */
#include <stdio.h>
#include <sysexits.h>

#include "cfg/cfg.h"
#include "command/client.h"
#include "command/command.h"
#include "command/print.h"
#include "ipc/proc.h"

#define LEVELS "error|warn|info|debug" /* enum log_level */

/* All of a role have one level: one line a role, in the order of the list. */
static void
print_levels(void *unused, json_t *row)
{
	const json_t *value;
	struct str last = STR_NONE;
	size_t i;

	(void)unused;
	json_array_foreach(json_object_get(row, "processes"), i, value)
	{
		struct str role = client_text(value, "role");

		if (str_eq(role, last))
			continue;
		last = role;
		(void)printf("%-8.*s %.*s\n", STR_FMT(role),
		             STR_FMT(client_text(value, "log")));
	}
}

static int
show(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	bool more;

	(void)call;
	(void)id;
	return client_ask(c, json_pack("{s:s}", "verb", "status"), print_levels, NULL, &more,
	                  e);
}

static bool
roles_of(const char *name, unsigned *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < PROC_COUNT; i++)
		if (name == NULL || str_eq(str_of(name), str_of(proc_name(proc_of(i)))))
			*ret |= (unsigned)proc_of(i);
	return *ret != 0;
}

static void
no_row(void *unused, json_t *row)
{
	(void)unused;
	(void)row;
}

static int
set(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	const char *role = call->argc > 1 ? call->argv[1] : NULL;
	unsigned level;
	unsigned roles;
	char number[2][16];
	bool more;

	(void)id;
	if (!cfg_choice_find(LEVELS, str_of(call->argv[0]), &level)) {
		(void)err_set(e, RC_PERM, "%s: a level is one of " LEVELS, call->argv[0]);
		return EX_USAGE;
	}
	if (!roles_of(role, &roles)) {
		(void)err_set(e, RC_PERM, "%s: no such role; sekisho log lists them", role);
		return EX_USAGE;
	}
	(void)snprintf(number[0], sizeof(number[0]), "%u", level);
	(void)snprintf(number[1], sizeof(number[1]), "%u", roles);
	return client_ask(c,
	                  json_pack("{s:s, s:s, s:s}", "verb", "log", "level", number[0],
	                            "roles", number[1]),
	                  no_row, NULL, &more, e);
}

int
command_log(const struct call *call)
{
	return client_run(call, call->argc == 0 ? show : set, 0);
}
