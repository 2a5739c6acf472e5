/*
 * sekisho queue: what waits for delivery, as spool tells it.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/id.h"
#include "command/command.h"
#include "command/print.h"
#include "command/queue.h"

#define SECONDS 19 /* octets of "2003-07-01T10:52:37" */

/* ---- all pages ---- */

struct walk {
	client_row *row;
	void *arg;
	char id[ID_TEXT_OCTETS + 1]; /* of the newest row: where the next page begins */
	uint64_t n;
	bool moved; /* this page had a row */
};

static void
walk_from(struct walk *w, struct str id)
{
	struct buf b = BUF_ON(w->id);

	buf_clear(&b);
	buf_add(&b, id);
}

static void
walk_row(void *arg, json_t *row)
{
	struct walk *w = arg;

	walk_from(w, client_text(row, "id"));
	w->n = client_number(row, "n");
	w->moved = true;
	w->row(w->arg, row);
}

static json_t *
walk_request(const struct walk *w, bool one)
{
	char n[24];
	struct buf b = BUF_ON(n);
	const char *verb = one ? "queue_show" : "queue_list";

	if (w->id[0] == '\0')
		return json_pack("{s:s}", "verb", verb);
	if (!w->moved)
		return json_pack("{s:s, s:s}", "verb", verb, "id", w->id);
	buf_addf(&b, "%llu", (unsigned long long)w->n);
	return json_pack("{s:s, s:s, s:s}", "verb", verb, "id", w->id, "n", n);
}

int
queue_walk(struct client *c, uint64_t id, client_row *row, void *arg, struct err *e)
{
	struct walk w = {.row = row, .arg = arg};
	bool more = true;
	int status = EX_OK;

	if (id != 0)
		walk_from(&w, str_of(id_text(id).c));
	while (more && status == EX_OK) {
		json_t *request = walk_request(&w, id != 0);

		w.moved = false;
		status = client_ask(c, request, walk_row, &w, &more, e);
		more = more && w.moved;
	}
	return status;
}

/* ---- list ---- */

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

static struct str
seconds(const json_t *row, const char *key)
{
	return str_slice(client_text(row, key), 0, SECONDS);
}

/* When it is tried again; what is held or on its way has no such time. */
static struct str
next_try(const json_t *row)
{
	bool waits = str_eq(client_text(row, "state"), STR("waiting"));

	return waits ? seconds(row, "next") : STR_NONE;
}

static struct str
sender(const json_t *row)
{
	struct str s = client_text(row, "sender");

	return s.n == 0 ? STR("<>") : s;
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
	print_column(stdout, seconds(row, "arrived"), 19);
	print_column(stdout, sender(row), 28);
	print_column(stdout, client_text(row, "rcpt"), 28);
	print_column(stdout, client_text(row, "state"), 10);
	(void)printf("%5llu ", (unsigned long long)client_number(row, "tries"));
	print_column(stdout, next_try(row), 19);
	print_column(stdout, client_text(row, "reply"), 0);
	(void)putchar('\n');
}

static int
list(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	bool json = (call->flags & COMMAND_JSON) != 0;
	struct total t = {.id = ""};
	int status = queue_walk(c, id, json ? client_print_json : list_row, &t, e);

	if (json || status != EX_OK)
		return status;
	if (t.recipients == 0)
		(void)puts("the queue is empty");
	else
		(void)printf("%llu recipients of %llu messages, %llu octets\n",
		             (unsigned long long)t.recipients, (unsigned long long)t.messages,
		             (unsigned long long)t.octets);
	return EX_OK;
}

int
command_queue_list(const struct call *call)
{
	return client_run(call, list, 0);
}

/* ---- show ---- */

void
queue_print_row(const json_t *row)
{
	struct str next = next_try(row);
	struct str reply = client_text(row, "reply");
	struct str mailbox = client_text(row, "mailbox");

	print_text(stdout, client_text(row, "rcpt"));
	if (!str_eq(mailbox, client_text(row, "rcpt"))) {
		(void)fputs(" (mailbox ", stdout);
		print_text(stdout, mailbox);
		(void)putchar(')');
	}
	(void)fputs(": ", stdout);
	print_text(stdout, client_text(row, "state"));
	(void)printf(", %llu tries", (unsigned long long)client_number(row, "tries"));
	if (next.n > 0)
		(void)printf(", next %.*sZ", STR_FMT(next));
	if (reply.n > 0) {
		(void)fputs(", last reply: ", stdout);
		print_text(stdout, reply);
	}
	(void)putchar('\n');
}

static void
show_envelope(const json_t *row)
{
	(void)fputs("id          ", stdout);
	print_text(stdout, client_text(row, "id"));
	(void)fputs("\narrived     ", stdout);
	print_text(stdout, client_text(row, "arrived"));
	(void)printf("\nsize        %llu octets\nsender      ",
	             (unsigned long long)client_number(row, "size"));
	print_text(stdout, sender(row));
	(void)printf("\nrecipients  %llu, of which wait:\n",
	             (unsigned long long)client_number(row, "rcpts"));
}

struct shown {
	bool json;
	uint64_t rows;
};

static void
show_row(void *arg, json_t *row)
{
	struct shown *s = arg;

	if (s->json) {
		client_print_json(NULL, row);
	} else {
		if (s->rows == 0)
			show_envelope(row);
		(void)fputs("  ", stdout);
		queue_print_row(row);
	}
	s->rows++;
}

static int
show(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	struct shown shown = {.json = (call->flags & COMMAND_JSON) != 0};
	int status = queue_walk(c, id, show_row, &shown, e);

	if (status != EX_OK || shown.rows > 0)
		return status;
	(void)err_set(e, RC_PERM, "%s is not in the queue", id_text(id).c);
	return EX_DATAERR;
}

int
command_queue_show(const struct call *call)
{
	return client_run_id(call, show);
}
