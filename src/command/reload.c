/*
 * sekisho reload: the running server reads its configuration again.
 */
#include <stdio.h>
#include <sysexits.h>

#include "command/client.h"
#include "command/command.h"
#include "command/print.h"

/* As check prints it: what is wrong with the file, or warnings. */
static void
print_line(void *unused, json_t *row)
{
	(void)unused;
	print_text(stderr, client_text(row, "text"));
	(void)fputc('\n', stderr);
}

static int
reload(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	bool more;

	(void)call;
	(void)id;
	return client_ask(c, json_pack("{s:s}", "verb", "reload"), print_line, NULL, &more, e);
}

int
command_reload(const struct call *call)
{
	return client_run(call, reload, 0);
}
