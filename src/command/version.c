/*
 * sekisho version.
 */
#include <stdio.h>
#include <sysexits.h>

#include "command/command.h"

int
command_version(const struct call *call)
{
	bool json = (call->flags & COMMAND_JSON) != 0;

	(void)printf(json ? "{\"version\": \"%s\"}\n" : "sekisho %s\n", SEKISHO_VERSION);
	return EX_OK;
}
