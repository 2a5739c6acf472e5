/*
 * sekisho queue hold, release, retry, delete, flush: what an operator does to recipients that
 * wait. Page by page, each durable before the next is asked for.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/id.h"
#include "command/command.h"
#include "command/message_id.h"
#include "command/queue.h"

struct changes {
	uint64_t changed;
	uint64_t same;
	uint64_t out;
};

static void
on_row(void *arg, json_t *row)
{
	struct changes *s = arg;

	s->changed += client_number(row, "changed");
	s->same += client_number(row, "same");
	s->out += client_number(row, "out");
}

/* ---- of which messages ---- */

static int
change_one(struct client *c, const struct call *call, const char *verb, const char *arg,
           struct changes *s, struct err *e)
{
	struct changes one = {0};
	uint64_t id;

	if (!message_id_read(str_of(arg), &id)) {
		(void)err_set(e, RC_PERM, "%s: this is no message id", arg);
		return EX_DATAERR;
	}
	json_t *request = queue_request(call, verb, e);
	if (request == NULL)
		return EX_USAGE;
	(void)json_object_set_new(request, "only", json_string(id_text(id).c));
	int status = queue_pages(c, request, on_row, &one, e);
	if (status == EX_OK && one.changed + one.same + one.out == 0) {
		(void)err_set(e, RC_PERM, "%s is not in the queue%s", id_text(id).c,
		              (call->flags & COMMAND_FILTERS) != 0 ? ", or nothing of it fits"
		                                                   : "");
		return EX_DATAERR;
	}
	s->changed += one.changed;
	s->same += one.same;
	s->out += one.out;
	return status;
}

/* Each that can be changed is; the first failure is what we exit with. */
static int
change_each(struct client *c, const struct call *call, const char *verb, struct changes *s,
            struct err *e)
{
	int first = EX_OK;

	for (int i = 0; i < call->argc; i++) {
		struct err one;
		int status = change_one(c, call, verb, call->argv[i], s, &one);

		if (status == EX_OK)
			continue;
		if (first == EX_OK) {
			first = status;
			*e = one;
		} else {
			(void)command_fail(status, "%s", one.text);
		}
		if (status != EX_DATAERR)
			break;
	}
	return first;
}

static int
change_all(struct client *c, const struct call *call, const char *verb, struct changes *s,
           struct err *e)
{
	json_t *request = queue_request(call, verb, e);

	return request == NULL ? EX_USAGE : queue_pages(c, request, on_row, s, e);
}

/* ---- what became of it ---- */

static void
print_changes(const struct call *call, const struct changes *s, const char *done)
{
	if ((call->flags & COMMAND_JSON) != 0) {
		(void)printf("{\"changed\":%llu,\"same\":%llu,\"out\":%llu}\n",
		             (unsigned long long)s->changed, (unsigned long long)s->same,
		             (unsigned long long)s->out);
		return;
	}
	(void)printf("%llu recipients %s", (unsigned long long)s->changed, done);
	if (s->same > 0)
		(void)printf(", %llu needed no change", (unsigned long long)s->same);
	(void)putchar('\n');
}

static int
change(struct client *c, const struct call *call, const char *verb, const char *done,
       struct changes *s, struct err *e)
{
	int status = call->argc > 0 ? change_each(c, call, verb, s, e)
	                            : change_all(c, call, verb, s, e);

	if (status == EX_OK || s->changed + s->same + s->out > 0)
		print_changes(call, s, done);
	return status;
}

static int
hold(struct client *c, const struct call *call, uint64_t unused, struct err *e)
{
	struct changes s = {0};
	int status = change(c, call, "queue_hold", "held", &s, e);

	(void)unused;
	if (s.out > 0)
		(void)fprintf(
			stderr,
			"sekisho: %llu of them are out for delivery: held if that fails\n",
			(unsigned long long)s.out);
	return status;
}

static int
release(struct client *c, const struct call *call, uint64_t unused, struct err *e)
{
	struct changes s = {0};

	(void)unused;
	return change(c, call, "queue_release", "released", &s, e);
}

static int
retry(struct client *c, const struct call *call, uint64_t unused, struct err *e)
{
	struct changes s = {0};

	(void)unused;
	return change(c, call, "queue_retry", "are tried now", &s, e);
}

/* What was out may be delivered by now: the operator must know that it is not deleted. */
static int
discard(struct client *c, const struct call *call, uint64_t unused, struct err *e)
{
	struct changes s = {0};
	int status = change(c, call, "queue_delete", "deleted", &s, e);

	(void)unused;
	if (status != EX_OK || s.out == 0)
		return status;
	(void)err_set(e, RC_TEMP,
	              "%llu recipients are out for delivery and not deleted: hold them, then "
	              "delete what comes back",
	              (unsigned long long)s.out);
	return EX_TEMPFAIL;
}

/* ---- commands ---- */

/* The whole queue is changed only by those who say so. */
static int
run(const struct call *call, client_work *work)
{
	bool all = (call->flags & COMMAND_ALL) != 0;
	bool some = call->argc > 0 || (call->flags & COMMAND_FILTERS) != 0;

	if (all && some)
		return command_fail(EX_USAGE, "--all has neither ids nor filters beside it");
	if (!all && !some)
		return command_fail(EX_USAGE, "which? ids, filters (--sender, --recipient, "
		                              "--older, ...) or --all");
	return client_run(call, work, 0);
}

int
command_queue_hold(const struct call *call)
{
	return run(call, hold);
}

int
command_queue_release(const struct call *call)
{
	return run(call, release);
}

int
command_queue_retry(const struct call *call)
{
	return run(call, retry);
}

int
command_queue_delete(const struct call *call)
{
	return run(call, discard);
}

int
command_queue_flush(const struct call *call)
{
	return client_run(call, retry, 0);
}
