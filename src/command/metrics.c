/*
 * sekisho metrics: the server's counters in Prometheus' text format, for a collector that reads
 * files or runs programs (node_exporter's textfile, telegraf's exec).
 */
#include <stdio.h>
#include <sysexits.h>

#include "command/client.h"
#include "command/command.h"

static void
on_row(void *unused, json_t *row)
{
	struct str text = client_text(row, "text");

	(void)unused;
	(void)fwrite(text.p, 1, text.n, stdout); /* the dispatcher looks at stdout's error */
	(void)putchar('\n');
}

static int
metrics(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	bool more;

	(void)call;
	(void)id; /* the question is about no message */
	return client_ask(c, json_pack("{s:s}", "verb", "metrics"), on_row, NULL, &more, e);
}

int
command_metrics(const struct call *call)
{
	return client_run(call, metrics, 0);
}
