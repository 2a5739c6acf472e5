/*
 * sekisho run: becomes master.
 */
#include <stdio.h>
#include <sysexits.h>

#include "command/command.h"
#include "master/master.h"

int
command_run(const struct call *call)
{
	struct cfg *c = command_cfg(call, true);

	if (c == NULL)
		return EX_CONFIG;
	return master_run(c, call->conf);
}
