/*
 * sekisho status: is it running, and all of it? What control puts together.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "command/client.h"
#include "command/command.h"
#include "command/print.h"

#define SECONDS 19 /* octets of "2003-07-01T10:52:37" */

struct shown {
	bool json;
	struct buf missing; /* roles that do not run or do not answer */
	char room[160];
};

static struct str
seconds(const json_t *o, const char *key)
{
	return str_slice(client_text(o, key), 0, SECONDS);
}

/* Once each, and "..." for those there is no room for. */
static void
note_missing(struct shown *s, struct str role)
{
	struct str rest = buf_str(&s->missing);
	struct str one;

	while (str_cut(&rest, ' ', &one))
		if (str_eq(one, role))
			return;
	if (s->missing.n + 1 + role.n + STR(" ...").n > sizeof(s->room) - 1)
		role = STR("...");
	buf_addf(&s->missing, "%s%.*s", s->missing.n > 0 ? " " : "", STR_FMT(role));
}

static void
look(struct shown *s, const json_t *row)
{
	const json_t *processes = json_object_get(row, "processes");
	const json_t *silent = json_object_get(row, "silent");
	const json_t *value;
	size_t i;

	json_array_foreach(processes, i, value)
	{
		if (!str_eq(client_text(value, "state"), STR("running")) &&
		    !str_eq(client_text(value, "state"), STR("leaving")))
			note_missing(s, client_text(value, "role"));
	}
	json_array_foreach(silent, i, value)
	{
		note_missing(s,
		             (struct str){json_string_value(value), json_string_length(value)});
	}
	if (json_array_size(processes) == 0) /* control has just been replaced */
		note_missing(s, STR("master"));
}

/* ---- for people ---- */

static void
print_up(const json_t *row)
{
	unsigned long long up = client_number(row, "uptime");

	(void)fputs("sekisho ", stdout);
	print_text(stdout, client_text(row, "version"));
	(void)printf(", pid %llu, up %llud %02llu:%02llu:%02llu since %.*sZ\n\n",
	             (unsigned long long)client_number(row, "pid"), up / 86400, up / 3600 % 24,
	             up / 60 % 60, up % 60, STR_FMT(seconds(row, "since")));
}

static void
print_walls(const json_t *process)
{
	const json_t *walls = json_object_get(process, "missing_walls");
	const json_t *value;
	size_t i;

	if (json_array_size(walls) == 0)
		(void)putchar('-');
	json_array_foreach(walls, i, value)
	{
		(void)fputs(i > 0 ? " " : "", stdout);
		print_text(stdout,
		           (struct str){json_string_value(value), json_string_length(value)});
	}
	(void)putchar('\n');
}

static void
print_process(const json_t *process)
{
	char room[64];
	struct buf name = BUF_ON(room);

	buf_addf(&name, "%.*s %llu", STR_FMT(client_text(process, "role")),
	         (unsigned long long)client_number(process, "index"));
	print_column(stdout, buf_str(&name), 10);
	print_column(stdout, client_text(process, "state"), 8);
	(void)printf("%8llu ", (unsigned long long)client_number(process, "pid"));
	print_column(stdout, seconds(process, "since"), 19);
	(void)printf("%8llu %7llu %8.1f ",
	             (unsigned long long)client_number(process, "replaced"),
	             (unsigned long long)client_number(process, "memory") >> 10,
	             (double)client_number(process, "cpu_us") / 1e6);
	print_walls(process);
}

static void
print_processes(const json_t *row)
{
	const json_t *value;
	size_t i;

	(void)printf("%-10s %-8s %8s %-19s %8s %7s %8s %s\n", "ROLE", "STATE", "PID",
	             "SINCE (UTC)", "REPLACED", "KIB", "CPU, S", "MISSING WALLS");
	json_array_foreach(json_object_get(row, "processes"), i, value) print_process(value);
}

static void
print_connections(const json_t *connections)
{
	if (!json_is_object(connections))
		(void)puts("\nconnections  not known: state does not answer");
	else
		(void)printf("\nconnections  %llu of %llu clients\n",
		             (unsigned long long)client_number(connections, "now"),
		             (unsigned long long)client_number(connections, "clients"));
}

static void
print_counts(const json_t *since)
{
	(void)printf("so far       %llu messages kept; recipients: %llu delivered, %llu tries "
	             "failed, %llu stopped, %llu deleted\n",
	             (unsigned long long)client_number(since, "kept"),
	             (unsigned long long)client_number(since, "delivered"),
	             (unsigned long long)client_number(since, "deferred"),
	             (unsigned long long)client_number(since, "stopped"),
	             (unsigned long long)client_number(since, "deleted"));
}

/* "per second, last 60 s", or less where it has not run for so long. */
static void
print_rate(const char *head, const json_t *rate)
{
	double seconds = json_real_value(json_object_get(rate, "seconds"));

	if (seconds <= 0)
		return;
	(void)printf("%-12s %.2f messages accepted; recipients: %.2f delivered, %.2f tries "
	             "failed; %.2f commands refused or put off; a second, over %.0f s\n",
	             head, json_real_value(json_object_get(rate, "accepted")),
	             json_real_value(json_object_get(rate, "delivered")),
	             json_real_value(json_object_get(rate, "deferred")),
	             json_real_value(json_object_get(rate, "refused")), seconds);
}

static void
print_rates(const json_t *rates)
{
	const json_t *minute = json_object_get(rates, "minute");
	const json_t *hour = json_object_get(rates, "hour");

	print_rate("minute", minute);
	if (json_real_value(json_object_get(hour, "seconds")) >
	    json_real_value(json_object_get(minute, "seconds")))
		print_rate("hour", hour);
}

static void
print_ages(const json_t *counted)
{
	const json_t *ages = json_object_get(counted, "ages");

	if (!json_is_object(ages))
		return;
	(void)printf(
		"ages         messages: %llu to 5 min, %llu to 1 h, %llu to 1 d, %llu older",
		(unsigned long long)client_number(ages, "5m"),
		(unsigned long long)client_number(ages, "1h"),
		(unsigned long long)client_number(ages, "1d"),
		(unsigned long long)client_number(ages, "older"));
	if (client_number(counted, "seconds") > 1)
		(void)printf(", %llu s ago",
		             (unsigned long long)client_number(counted, "seconds"));
	(void)putchar('\n');
}

static void
print_routes(const json_t *counted)
{
	static const char *const kinds[] = {"maildir", "user", "lmtp"};

	for (size_t i = 0; i < LENGTH(kinds); i++) {
		unsigned long long waiting =
			client_number(json_object_get(counted, "waiting"), kinds[i]);
		unsigned long long held =
			client_number(json_object_get(counted, "held"), kinds[i]);
		unsigned long long s =
			client_number(json_object_get(counted, "oldest_seconds"), kinds[i]);

		if (waiting + held == 0)
			continue;
		(void)printf("by %-9s recipients: %llu waiting or out, the oldest for "
		             "%llud %02llu:%02llu:%02llu; %llu held\n",
		             kinds[i], waiting, s / 86400, s / 3600 % 24, s / 60 % 60, s % 60,
		             held);
	}
}

static void
print_queue(const json_t *queue)
{
	struct str oldest = seconds(queue, "oldest_arrived");

	if (!json_is_object(queue)) {
		(void)puts("queue        not known: spool does not answer");
		return;
	}
	(void)printf(
		"queue        %llu messages; recipients: %llu waiting, %llu held, %llu out\n",
		(unsigned long long)client_number(queue, "messages"),
		(unsigned long long)client_number(queue, "waiting"),
		(unsigned long long)client_number(queue, "held"),
		(unsigned long long)client_number(queue, "delivering"));
	print_counts(json_object_get(queue, "since_start"));
	if (oldest.n > 0) {
		(void)printf("oldest       %.*sZ, ", STR_FMT(oldest));
		print_text(stdout, client_text(queue, "oldest"));
		(void)putchar('\n');
	}
	(void)printf("free         %llu MiB: %s\n",
	             (unsigned long long)client_number(queue, "free") >> 20,
	             json_is_true(json_object_get(queue, "open"))
	                     ? "new mail is taken"
	                     : "below spool_reserve, new mail is refused");
}

static void
on_row(void *arg, json_t *row)
{
	struct shown *s = arg;

	look(s, row);
	if (s->json) {
		client_print_json(NULL, row);
		return;
	}
	print_up(row);
	print_processes(row);
	print_connections(json_object_get(row, "connections"));
	print_rates(json_object_get(row, "rates"));
	print_ages(json_object_get(row, "counted"));
	print_routes(json_object_get(row, "counted"));
	print_queue(json_object_get(row, "queue"));
}

static int
status(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	struct shown s = {.json = (call->flags & COMMAND_JSON) != 0};
	bool more;

	(void)id; /* the question is about no message */
	s.missing = BUF_ON(s.room);
	int code = client_ask(c, json_pack("{s:s}", "verb", "status"), on_row, &s, &more, e);
	if (code != EX_OK || s.missing.n == 0)
		return code;
	(void)err_set(e, RC_TEMP, "not all of it runs: %s", s.missing.p);
	return EX_TEMPFAIL;
}

int
command_status(const struct call *call)
{
	return client_run(call, status, 0);
}
