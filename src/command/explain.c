/*
 * sekisho explain: every record of the journal about one message, then what of it still waits
 * in the queue.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/id.h"
#include "command/command.h"
#include "command/print.h"
#include "command/queue.h"

/* What has a column of its own; the id is the same in all. */
static const char *const columns[] = {"event", "id", "stage", "verdict", "reason"};

struct told {
	bool json;
	uint64_t records;
	uint64_t queued;
};

static bool
has_column(const char *key)
{
	for (size_t i = 0; i < LENGTH(columns); i++)
		if (strcmp(key, columns[i]) == 0)
			return true;
	return false;
}

/* A value that has blanks stands between quotes; it is for reading, not for parsing. */
static void
print_field(const char *key, struct str value)
{
	bool quotes = value.n == 0 || str_find(value, ' ') < value.n;

	(void)putchar(' ');
	print_text(stdout, str_of(key));
	(void)fputs(quotes ? "=\"" : "=", stdout);
	print_text(stdout, value);
	if (quotes)
		(void)putchar('"');
}

/* Of a decision its stage; of anything else what it is. */
static struct str
what(const json_t *fields)
{
	struct str stage = client_text(fields, "stage");

	return stage.n > 0 ? stage : client_text(fields, "event");
}

static void
print_record(json_t *row)
{
	json_t *fields = json_object_get(row, "fields");
	const char *key;
	json_t *value;

	print_text(stdout, client_text(row, "time"));
	(void)putchar(' ');
	print_column(stdout, what(fields), 9);
	print_column(stdout, client_text(fields, "verdict"), 8);
	print_column(stdout, client_text(fields, "reason"), 0);
	json_object_foreach(fields, key, value) if (!has_column(key))
		print_field(key, client_text(fields, key));
	(void)putchar('\n');
}

/* In JSON each line says which of the two it is. */
static void
print_wrapped(const char *kind, json_t *row)
{
	json_t *o = json_pack("{s:O}", kind, row);

	client_print_json(NULL, o);
	json_decref(o);
}

static void
on_record(void *arg, json_t *row)
{
	struct told *t = arg;

	t->records++;
	if (t->json)
		print_wrapped("record", row);
	else
		print_record(row);
}

static void
on_queued(void *arg, json_t *row)
{
	struct told *t = arg;

	if (!t->json && t->queued == 0)
		(void)puts("still in the queue:");
	t->queued++;
	if (t->json) {
		print_wrapped("queued", row);
		return;
	}
	(void)fputs("  ", stdout);
	queue_print_row(row);
}

static json_t *
journal_request(uint64_t id, uint64_t skip)
{
	char text[24];
	struct buf b = BUF_ON(text);

	buf_addf(&b, "%llu", (unsigned long long)skip);
	return json_pack("{s:s, s:s, s:s}", "verb", "explain", "id", id_text(id).c, "skip",
	                 text);
}

static int
walk_journal(struct client *c, uint64_t id, struct told *t, struct err *e)
{
	bool more = true;
	int status = EX_OK;

	while (more && status == EX_OK) {
		uint64_t before = t->records;

		status = client_ask(c, journal_request(id, before), on_record, t, &more, e);
		more = more && t->records > before;
	}
	return status;
}

static int
tell(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	struct told t = {.json = (call->flags & COMMAND_JSON) != 0};
	int status = walk_journal(c, id, &t, e);

	if (status == EX_OK)
		status = queue_walk(c, id, on_queued, &t, e);
	if (status != EX_OK)
		return status;
	if (t.records + t.queued == 0) {
		(void)err_set(e, RC_PERM,
		              "nothing is known of %s: it was never given, or the journal has "
		              "forgotten it",
		              id_text(id).c);
		return EX_DATAERR;
	}
	if (!t.json && t.queued == 0)
		(void)puts("not in the queue any more");
	return EX_OK;
}

int
command_explain(const struct call *call)
{
	return client_run_id(call, tell);
}
