/*
 * sekisho queue: what waits for delivery, as spool tells it.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/id.h"
#include "cfg/cfg_units.h"
#include "command/command.h"
#include "command/print.h"
#include "command/queue.h"

#define SECONDS 19 /* octets of "2003-07-01T10:52:37" */

/* ---- which rows ---- */

/* Options that choose rows, and the parameters they become. */
static const struct {
	enum command_option option;
	const char *param;
	bool is_age;
} filters[] = {
	{OPTION_SENDER,    "sender", false},
        {OPTION_RECIPIENT, "rcpt",   false},
	{OPTION_OLDER,     "older",  true },
        {OPTION_NEWER,     "newer",  true },
	{OPTION_REPLY,     "reply",  false},
        {OPTION_STATE,     "state",  false},
};

static bool
add_text(json_t *request, const char *param, const char *value)
{
	return json_object_set_new(request, param, json_string(value)) == 0;
}

static bool
add_age(json_t *request, const char *param, const char *value)
{
	char text[24];
	struct buf b = BUF_ON(text);
	uint64_t seconds;

	if (!cfg_units_parse("seconds", str_of(value), &seconds))
		return false;
	buf_addf(&b, "%llu", (unsigned long long)seconds);
	return add_text(request, param, text);
}

/* What asks for nothing is no filter to the server: it would choose the whole queue. */
static bool
is_nothing(enum command_option o, const char *value)
{
	uint64_t seconds;

	return value[0] == '\0' ||
	       (o == OPTION_NEWER && cfg_units_parse("seconds", str_of(value), &seconds) &&
	        seconds == 0);
}

static bool
add_filter(json_t *request, size_t i, const char *value, struct err *e)
{
	bool is_age = filters[i].is_age;

	if (is_nothing(filters[i].option, value)) {
		(void)err_set(e, RC_PERM, "%s \"%s\" asks for nothing", filters[i].param,
		              value);
		return false;
	}
	if (is_age ? add_age(request, filters[i].param, value)
	           : add_text(request, filters[i].param, value))
		return true;
	(void)err_set(e, RC_PERM, "%s: this is no %s", value,
	              is_age ? "age (as 90s, 5m, 2h, 3d)" : "text in UTF-8");
	return false;
}

json_t *
queue_request(const struct call *call, const char *verb, struct err *e)
{
	json_t *request = json_pack("{s:s}", "verb", verb);

	for (size_t i = 0; i < LENGTH(filters); i++) {
		const char *value = call == NULL ? NULL : call->value[filters[i].option];

		if (value == NULL || add_filter(request, i, value, e))
			continue;
		json_decref(request);
		return NULL;
	}
	return request;
}

/* ---- all pages ---- */

/* False: there is no more, or nobody knows where it begins. */
static bool
next_page(json_t *request, const json_t *end)
{
	char n[24];
	struct buf b = BUF_ON(n);
	const json_t *id = json_object_get(end, "id");

	if (!json_is_true(json_object_get(end, "more")) || !json_is_string(id))
		return false;
	buf_addf(&b, "%llu", (unsigned long long)client_number(end, "n"));
	return add_text(request, "id", json_string_value(id)) && add_text(request, "n", n);
}

int
queue_pages(struct client *c, json_t *request, client_row *row, void *arg, struct err *e)
{
	bool more = true;
	int status = EX_OK;

	while (more && status == EX_OK) {
		status = client_ask(c, json_copy(request), row, arg, &more, e);
		more = more && status == EX_OK && next_page(request, client_end(c));
	}
	json_decref(request);
	return status;
}

int
queue_walk(struct client *c, uint64_t id, client_row *row, void *arg, struct err *e)
{
	json_t *request = json_pack("{s:s, s:s}", "verb", "queue_list", "only", id_text(id).c);

	return queue_pages(c, request, row, arg, e);
}

/* ---- a row ---- */

struct str
queue_seconds(const json_t *row, const char *key)
{
	return str_slice(client_text(row, key), 0, SECONDS);
}

uint64_t
queue_born_us(const json_t *row)
{
	uint64_t id;

	return id_parse(client_text(row, "id"), &id) ? id_wall_us(id) : 0;
}

/* When it is tried again; what is held or on its way has no such time. */
struct str
queue_next_try(const json_t *row)
{
	bool waits = str_eq(client_text(row, "state"), STR("waiting"));

	return waits ? queue_seconds(row, "next") : STR_NONE;
}

struct str
queue_sender(const json_t *row)
{
	struct str s = client_text(row, "sender");

	return s.n == 0 ? STR("<>") : s;
}

/* ---- show ---- */

void
queue_print_row(const json_t *row)
{
	struct str next = queue_next_try(row);
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
	print_text(stdout, queue_sender(row));
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
