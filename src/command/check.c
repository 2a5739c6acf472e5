/*
 * sekisho check: what `run` would say of the configuration, problems and warnings, a line
 * each; what vault would say of the files it reads; what of it the running server does not
 * have.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "command/check_maps.h"
#include "command/check_running.h"
#include "command/command.h"

#define REPORT_OCTETS (1U << 20)

static int
print_json(bool good, struct str report, const struct changes *changes)
{
	json_t *lines = json_array();
	struct str line;

	while (str_cut(&report, '\n', &line))
		(void)json_array_append_new(lines, json_stringn(line.p, line.n));
	json_t *all = json_pack("{s:b, s:o, s:b, s:O, s:O}", "ok", good, "report", lines,
	                        "running", changes->running, "reload", changes->reload,
	                        "restart", changes->restart);
	if (all == NULL)
		return command_fail(EX_OSERR, "no memory");
	(void)json_dumpf(all, stdout, JSON_ENSURE_ASCII);
	(void)putchar('\n');
	json_decref(all);
	return good ? EX_OK : EX_CONFIG;
}

static void
print_changes(const char *how, const json_t *names)
{
	const char *lead = "";
	const json_t *name;
	size_t i;

	if (json_array_size(names) == 0)
		return;
	(void)printf("the running server needs a %s for: ", how);
	json_array_foreach(names, i, name)
	{
		(void)printf("%s%s", lead, json_string_value(name));
		lead = ", ";
	}
	(void)putchar('\n');
}

static int
print_lines(const struct call *call, bool good, const char *report,
            const struct changes *changes)
{
	(void)fputs(report, stderr);
	if (!good)
		return EX_CONFIG;
	(void)printf("%s: ok\n", call->conf);
	print_changes("reload", changes->reload);
	print_changes("restart", changes->restart);
	return EX_OK;
}

int
command_check(const struct call *call)
{
	char *room = malloc(REPORT_OCTETS);
	struct changes changes = {.reload = NULL};
	struct cfg *c = NULL;
	int code;

	if (room == NULL)
		return command_fail(EX_OSERR, "no memory");
	struct buf report = {.p = room, .cap = REPORT_OCTETS};
	buf_clear(&report);
	bool good = cfg_read(call->conf, &c, &report) == RC_OK && check_maps(c, &report);
	check_running(good ? c : NULL, &changes);
	if ((call->flags & COMMAND_JSON) != 0)
		code = print_json(good, buf_str(&report), &changes);
	else
		code = print_lines(call, good, room, &changes);
	changes_free(&changes);
	(void)cfg_free(c);
	free(room);
	return code;
}
