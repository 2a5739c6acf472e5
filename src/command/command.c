/*
 * What the commands share. See command.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "command/command.h"

#define REPORT_OCTETS 65536U

struct cfg *
command_cfg(const struct call *call, bool warn)
{
	char *room = malloc(REPORT_OCTETS);
	struct cfg *c = NULL;

	if (room == NULL) {
		(void)command_fail(0, "no memory");
		return NULL;
	}
	struct buf report = {.p = room, .cap = REPORT_OCTETS};
	buf_clear(&report);
	bool good = cfg_read(call->conf, &c, &report) == RC_OK;
	if (!good || warn)
		(void)fputs(report.p, stderr);
	free(room);
	return good ? c : NULL;
}

int
command_fail(int code, const char *fmt, ...)
{
	va_list ap;

	(void)fputs("sekisho: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return code;
}
