/*
 * sekisho user allow, disallow, senders: as whom users of the machine may send.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/clock.h"
#include "command/client.h"
#include "command/command.h"
#include "command/owners.h"
#include "command/print.h"
#include "vault/allowed.h"

/* As vault does it. */
static enum rc
change_file(struct owners *u, bool allow, struct str user, struct str typed, struct err *e)
{
	char room[ADDRESS_ROOM];
	struct buf address = BUF_ON(room);

	if (allowed_read(u->cfg, user, typed, &address, e) != RC_OK)
		return e->rc;
	if (!allow)
		return allowed_drop(u->allowed, user, buf_str(&address), e);
	if (allowed_user(u->users, user, e) != RC_OK)
		return e->rc;
	return allowed_add(u->allowed, user, buf_str(&address), clock_wall_us(), e);
}

static int
change(struct owners *u, bool allow, const char *user, const char *address, struct err *e)
{
	if (u->server == NULL)
		return owners_status(change_file(u, allow, str_of(user), str_of(address), e));
	return owners_ask(u,
	                  json_pack("{s:s, s:s, s:s}", "verb",
	                            allow ? "user_allow" : "user_disallow", "user", user,
	                            "address", address),
	                  e);
}

/* Each that can be changed is; the first failure is what we exit with. */
static int
change_each(struct owners *u, const struct call *call, bool allow)
{
	int first = EX_OK;

	for (int i = 1; i < call->argc; i++) {
		struct err e;
		int status = change(u, allow, call->argv[0], call->argv[i], &e);

		if (status != EX_OK)
			(void)command_fail(status, "%s", e.text);
		if (first == EX_OK)
			first = status;
	}
	return first;
}

static int
allow_each(struct owners *u, const struct call *call)
{
	return change_each(u, call, true);
}

static int
disallow_each(struct owners *u, const struct call *call)
{
	return change_each(u, call, false);
}

static void
print_sender(void *unused, struct str user, struct str address, struct str added)
{
	(void)unused;
	print_column(stdout, user, 20);
	print_column(stdout, address, 40);
	print_text(stdout, added);
	(void)putchar('\n');
}

static void
print_sender_json(void *unused, struct str user, struct str address, struct str added)
{
	json_t *row = json_pack("{s:s%, s:s%, s:s%}", "user", user.p, user.n, "address",
	                        address.p, address.n, "added", added.p, added.n);

	(void)unused;
	if (row != NULL)
		client_print_json(NULL, row);
	json_decref(row);
}

static int
senders(struct owners *u, const struct call *call)
{
	bool json = (call->flags & COMMAND_JSON) != 0;
	struct err e;
	int status = owners_senders(u, json ? print_sender_json : print_sender, NULL, &e);

	return status == EX_OK ? EX_OK : command_fail(status, "%s", e.text);
}

int
command_user_allow(const struct call *call)
{
	return owners_run(call, allow_each);
}

int
command_user_disallow(const struct call *call)
{
	return owners_run(call, disallow_each);
}

int
command_user_senders(const struct call *call)
{
	return owners_run(call, senders);
}
