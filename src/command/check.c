/*
 * sekisho check: what `run` would say of the configuration, problems and warnings, a line
 * each; and what vault would say of the files it reads.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "command/check_maps.h"
#include "command/command.h"

#define REPORT_OCTETS (1U << 20)

static int
print_json(bool good, struct str report)
{
	json_t *lines = json_array();
	struct str line;

	while (str_cut(&report, '\n', &line))
		(void)json_array_append_new(lines, json_stringn(line.p, line.n));
	json_t *all = json_pack("{s:b, s:o}", "ok", good, "report", lines);
	if (all == NULL)
		return command_fail(EX_OSERR, "no memory");
	(void)json_dumpf(all, stdout, JSON_ENSURE_ASCII);
	(void)putchar('\n');
	json_decref(all);
	return good ? EX_OK : EX_CONFIG;
}

int
command_check(const struct call *call)
{
	char *room = malloc(REPORT_OCTETS);
	struct cfg *c = NULL;
	int code;

	if (room == NULL)
		return command_fail(EX_OSERR, "no memory");
	struct buf report = {.p = room, .cap = REPORT_OCTETS};
	buf_clear(&report);
	bool good = cfg_read(call->conf, &c, &report) == RC_OK && check_maps(c, &report);
	if ((call->flags & COMMAND_JSON) != 0) {
		code = print_json(good, buf_str(&report));
	} else {
		(void)fputs(room, stderr);
		if (good)
			(void)printf("%s: ok\n", call->conf);
		code = good ? EX_OK : EX_CONFIG;
	}
	(void)cfg_free(c);
	free(room);
	return code;
}
