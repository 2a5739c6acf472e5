/*
 * What the commands share. See command.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "command/command.h"
#include "command/print.h"

#define REPORT_OCTETS 65536U
#define FAIL_OCTETS 2048 /* what is longer is cut: an operator's argument, at most */

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
	char text[FAIL_OCTETS];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fputs("sekisho: ", stderr);
	print_text(stderr, str_slice(str_of(text), 0, n < 0 ? 0 : sizeof(text)));
	(void)fputc('\n', stderr);
	return code;
}
