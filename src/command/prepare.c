/*
 * sekisho prepare: the folders of data_dir, each with its owner and mode, as run would make
 * them. A service manager runs it first with all rights, so that the server itself needs
 * none to give files away.
 */
#include <errno.h>
#include <sysexits.h>

#include "cfg/cfg.h"
#include "command/command.h"
#include "role/folders.h"

int
command_prepare(const struct call *call)
{
	struct cfg *c = command_cfg(call, false);
	struct err e = {.rc = RC_OK};

	if (c == NULL)
		return EX_CONFIG;
	int code = EX_OK;
	if (folders_make(c, &e) != RC_OK)
		code = command_fail(e.sys == EACCES || e.sys == EPERM ? EX_NOPERM
		                                                      : EX_CANTCREAT,
		                    "%s", e.text);
	(void)cfg_free(c);
	return code;
}
