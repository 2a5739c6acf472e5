/*
 * sekisho queue list --mailq: the columns of Postfix's mailq(1) with long queue ids, as the
 * scripts that read it expect them: `*` behind the id of what is out for delivery, `!` behind
 * that of what is held, the reason in parentheses before the recipients that it concerns.
 */
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/id.h"
#include "command/command.h"
#include "command/print.h"
#include "command/queue.h"

#define REASON_COLUMNS 76
#define REPLY_ROOM 1024

/* One message's lines are printed once all its rows are known: its mark is of all of them. */
struct mailq {
	uint64_t messages;
	uint64_t octets;
	json_t *rows; /* of the message that is under way */
};

static struct str
text_of(const json_t *rows, size_t at, const char *key)
{
	return client_text(json_array_get(rows, at), key);
}

/* `*`: some of it is out; `!`: nothing is done about it any more. */
static char
mark_of(const json_t *rows)
{
	bool held = true;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		if (str_eq(text_of(rows, i, "state"), STR("delivering")))
			return '*';
		held = held && str_eq(text_of(rows, i, "state"), STR("held"));
	}
	return held ? '!' : ' ';
}

/* "Sat Nov 28 04:22:01": local time, as asctime prints it. */
static void
print_arrival(const json_t *row)
{
	struct tm tm;
	char text[32] = "";
	time_t at = (time_t)(queue_born_us(row) / 1000000);

	if (localtime_r(&at, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%a %b %e %H:%M:%S", &tm);
	(void)printf("%19.19s ", text);
}

static void
print_reason(struct str reason)
{
	int padding = reason.n < REASON_COLUMNS ? (int)(REASON_COLUMNS - reason.n) : 0;

	(void)printf("%*s(", padding, "");
	print_text(stdout, reason);
	(void)puts(")");
}

static void
print_head(const struct mailq *q)
{
	const json_t *row = json_array_get(q->rows, 0);
	struct str sender = client_text(row, "sender");
	char id[ID_TEXT_OCTETS + 2];
	struct buf b = BUF_ON(id);

	if (q->messages == 0)
		(void)puts("----Queue ID----- --Size-- ---Arrival Time---- "
		           "--Sender/Recipient------");
	else
		(void)putchar('\n');
	buf_add(&b, client_text(row, "id"));
	if (mark_of(q->rows) != ' ')
		buf_addc(&b, mark_of(q->rows));
	(void)printf("%-17s %8llu ", id, (unsigned long long)client_number(row, "size"));
	print_arrival(row);
	print_text(stdout, sender.n == 0 ? STR("MAILER-DAEMON") : sender);
	(void)putchar('\n');
}

/* A reason stands before the first recipient that it is not the reason of the one before. */
static void
print_recipients(const struct mailq *q)
{
	struct str before = STR_NONE;

	for (size_t i = 0; i < json_array_size(q->rows); i++) {
		struct str reply = text_of(q->rows, i, "reply");

		if (!str_eq(reply, before))
			print_reason(reply.n == 0 ? STR("reason unavailable") : reply);
		before = reply;
		(void)printf("%-17s %8s %-19s ", "", "", "");
		print_text(stdout, text_of(q->rows, i, "rcpt"));
		(void)putchar('\n');
	}
}

static void
flush(struct mailq *q)
{
	if (json_array_size(q->rows) == 0)
		return;
	print_head(q);
	print_recipients(q);
	q->messages++;
	q->octets += client_number(json_array_get(q->rows, 0), "size");
	(void)json_array_clear(q->rows); /* cannot fail for an array */
}

static void
on_row(void *arg, json_t *row)
{
	struct mailq *q = arg;

	if (!str_eq(text_of(q->rows, 0, "id"), client_text(row, "id")))
		flush(q);
	(void)json_array_append(q->rows, row); /* without memory it is shown without */
}

int
mailq_list(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	struct mailq q = {.rows = json_array()};
	json_t *request = queue_request(call, "queue_list", e);

	(void)id; /* the question is about no single message */
	int status = request == NULL ? EX_USAGE : queue_pages(c, request, on_row, &q, e);
	if (status == EX_OK)
		flush(&q);
	json_decref(q.rows);
	if (status != EX_OK)
		return status;
	if (q.messages == 0)
		(void)puts("Mail queue is empty");
	else
		(void)printf("\n-- %llu Kbytes in %llu Request%s.\n",
		             (unsigned long long)q.octets / 1024,
		             (unsigned long long)q.messages, q.messages == 1 ? "" : "s");
	return EX_OK;
}
