/*
 * sekisho queue list: what waits for delivery, a line a recipient.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/id.h"
#include "command/command.h"
#include "command/print.h"
#include "command/queue.h"

struct total {
	uint64_t recipients;
	uint64_t messages;
	uint64_t octets;
	char id[ID_TEXT_OCTETS + 1]; /* counted last: rows of a message follow each other */
};

static void
total_add(struct total *t, const json_t *row)
{
	t->recipients++;
	if (str_eq(client_text(row, "id"), str_of(t->id)))
		return;
	struct buf id = BUF_ON(t->id);
	buf_clear(&id);
	buf_add(&id, client_text(row, "id"));
	t->messages++;
	t->octets += client_number(row, "size");
}

static void
list_row(void *arg, json_t *row)
{
	struct total *t = arg;

	if (t->recipients == 0)
		(void)printf("%-13s %9s %-19s %-28s %-28s %-10s %5s %-19s %s\n", "ID", "SIZE",
		             "ARRIVED (UTC)", "SENDER", "RECIPIENT", "STATE", "TRIES",
		             "NEXT TRY", "LAST REPLY");
	total_add(t, row);
	print_column(stdout, client_text(row, "id"), 13);
	(void)printf("%9llu ", (unsigned long long)client_number(row, "size"));
	print_column(stdout, queue_seconds(row, "arrived"), 19);
	print_column(stdout, queue_sender(row), 28);
	print_column(stdout, client_text(row, "rcpt"), 28);
	print_column(stdout, client_text(row, "state"), 10);
	(void)printf("%5llu ", (unsigned long long)client_number(row, "tries"));
	print_column(stdout, queue_next_try(row), 19);
	print_column(stdout, client_text(row, "reply"), 0);
	(void)putchar('\n');
}

static int
list(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	bool json = (call->flags & COMMAND_JSON) != 0;
	struct total t = {.id = ""};
	json_t *request = queue_request(call, "queue_list", e);

	(void)id; /* the question is about no single message */
	if (request == NULL)
		return EX_USAGE;
	int status = queue_pages(c, request, json ? client_print_json : list_row, &t, e);
	if (json || status != EX_OK)
		return status;
	if (t.recipients > 0)
		(void)printf("%llu recipients of %llu messages, %llu octets\n",
		             (unsigned long long)t.recipients, (unsigned long long)t.messages,
		             (unsigned long long)t.octets);
	else
		(void)puts((call->flags & COMMAND_FILTERS) != 0 ? "nothing in the queue fits"
		                                                : "the queue is empty");
	return EX_OK;
}

int
command_queue_list(const struct call *call)
{
	unsigned shapes = call->flags & (COMMAND_JSON | COMMAND_MAILQ | COMMAND_SUMMARY);

	if ((shapes & COMMAND_MAILQ) != 0 && shapes != COMMAND_MAILQ)
		return command_fail(EX_USAGE, "--mailq has neither --json nor --summary");
	if (shapes == COMMAND_MAILQ)
		return client_run(call, mailq_list, 0);
	return client_run(call, (shapes & COMMAND_SUMMARY) != 0 ? summary_list : list, 0);
}
