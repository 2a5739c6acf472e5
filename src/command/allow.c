/*
 * sekisho user allow, disallow, senders: as whom users of the machine may send, through the
 * running server.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "command/client.h"
#include "command/command.h"
#include "command/print.h"

#define USER_ROOM 65 /* octets of msg.def, and the NUL */
#define ADDRESS_ROOM 321

static void
no_row(void *unused, json_t *row)
{
	(void)unused;
	(void)row;
}

/* Each that can be changed is; the first failure is what we exit with. */
static int
change_each(struct client *c, const struct call *call, const char *verb, struct err *e)
{
	int first = EX_OK;

	for (int i = 1; i < call->argc; i++) {
		struct err one;
		bool more;
		int status = client_ask(c,
		                        json_pack("{s:s, s:s, s:s}", "verb", verb, "user",
		                                  call->argv[0], "address", call->argv[i]),
		                        no_row, NULL, &more, &one);

		if (status == EX_OK || first != EX_OK)
			continue;
		first = status;
		*e = one;
	}
	return first;
}

static int
allow(struct client *c, const struct call *call, uint64_t unused, struct err *e)
{
	(void)unused;
	return change_each(c, call, "user_allow", e);
}

static int
disallow(struct client *c, const struct call *call, uint64_t unused, struct err *e)
{
	(void)unused;
	return change_each(c, call, "user_disallow", e);
}

/* Where the next page begins. */
struct walk {
	bool json;
	char user_room[USER_ROOM];
	char address_room[ADDRESS_ROOM];
	struct buf user;
	struct buf address;
	bool moved;
};

static void
on_row(void *arg, json_t *row)
{
	struct walk *w = arg;

	buf_clear(&w->user);
	buf_clear(&w->address);
	buf_add(&w->user, client_text(row, "user"));
	buf_add(&w->address, client_text(row, "address"));
	w->moved = true;
	if (w->json) {
		client_print_json(NULL, row);
		return;
	}
	print_column(stdout, client_text(row, "user"), 20);
	print_column(stdout, client_text(row, "address"), 40);
	print_text(stdout, client_text(row, "added"));
	(void)putchar('\n');
}

static int
senders(struct client *c, const struct call *call, uint64_t unused, struct err *e)
{
	struct walk w = {.json = (call->flags & COMMAND_JSON) != 0};
	bool more = true;
	int status = EX_OK;

	(void)unused;
	w.user = BUF_ON(w.user_room);
	w.address = BUF_ON(w.address_room);
	while (more && status == EX_OK) {
		w.moved = false;
		status = client_ask(c,
		                    json_pack("{s:s, s:s, s:s}", "verb", "user_senders", "user",
		                              w.user.p, "address", w.address.p),
		                    on_row, &w, &more, e);
		more = more && w.moved;
	}
	return status;
}

int
command_user_allow(const struct call *call)
{
	return client_run(call, allow, 0);
}

int
command_user_disallow(const struct call *call)
{
	return client_run(call, disallow, 0);
}

int
command_user_senders(const struct call *call)
{
	return client_run(call, senders, 0);
}
