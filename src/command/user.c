/*
 * sekisho user: accounts, through the running server or, where none runs, in the file itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/date.h"
#include "cfg/cfg.h"
#include "command/client.h"
#include "command/command.h"
#include "command/print.h"
#include "command/room.h"
#include "vault/accounts.h"

#define ADDRESS_ROOM 321 /* octets of an address in msg.def, and the NUL */
#define PAGE 64
#define TIME_ROOM 40

/* One of the two ways is there. */
struct users {
	const struct cfg *cfg;
	struct client *server;
	struct accounts *file;
};

static int
status_of(enum rc rc)
{
	return rc == RC_OK ? EX_OK : rc == RC_PERM ? EX_DATAERR : EX_TEMPFAIL;
}

static int
open_file(struct users *u, struct err *e)
{
	if (room_enter(u->cfg, VAULT, e) != RC_OK)
		return e->rc == RC_PERM ? EX_NOPERM : EX_OSERR;
	return accounts_open(ACCOUNTS_FILE, &u->file, e) == RC_OK ? EX_OK : EX_CANTCREAT;
}

static struct users *
users_close(struct users *u)
{
	if (u == NULL)
		return NULL;
	(void)client_close(u->server);
	(void)accounts_close(u->file);
	free(u);
	return NULL;
}

static int
users_open(const struct cfg *cfg, struct users **ret, struct err *e)
{
	struct users *u = calloc(1, sizeof(*u));
	int status;

	if (u == NULL) {
		(void)err_sys(e, "accounts");
		return EX_OSERR;
	}
	u->cfg = cfg;
	status = client_open(cfg, &u->server, e);
	if (status == EX_UNAVAILABLE)
		status = open_file(u, e);
	if (status == EX_OK)
		*ret = u;
	else
		(void)users_close(u);
	return status;
}

/* ---- add ---- */

static void
no_row(void *unused, json_t *row)
{
	(void)unused;
	(void)row;
}

static int
add_by_server(struct users *u, const char *address, struct err *e)
{
	bool more;

	return client_ask(u->server,
	                  json_pack("{s:s, s:s}", "verb", "user_add", "address", address),
	                  no_row, NULL, &more, e);
}

static int
add_to_file(struct users *u, const char *address, struct err *e)
{
	char room[ADDRESS_ROOM];
	struct buf name = BUF_ON(room);
	enum rc rc = accounts_name(u->cfg, str_of(address), &name, e);

	if (rc == RC_OK)
		rc = accounts_add(u->file, buf_str(&name), clock_wall_us(), e);
	return status_of(rc);
}

static int
users_add(struct users *u, const char *address, struct err *e)
{
	struct str s = str_of(address);

	if (s.n >= ADDRESS_ROOM || !str_is_utf8(s) || !str_is_printable(s)) {
		(void)err_set(e, RC_PERM, "%.*s: this is no address",
		              (int)(s.n < 100 ? s.n : 100), s.p);
		return EX_DATAERR;
	}
	return u->server != NULL ? add_by_server(u, address, e) : add_to_file(u, address, e);
}

/* ---- list ---- */

/* Where the next page begins, and who prints. */
struct walk {
	client_row *row;
	char room[ADDRESS_ROOM];
	struct buf after;
	bool moved; /* this page had an account */
};

static void
list_row(void *unused, json_t *row)
{
	(void)unused;
	print_column(stdout, client_text(row, "address"), 40);
	print_text(stdout, client_text(row, "added"));
	(void)putchar('\n');
}

static void
walk_row(void *arg, json_t *row)
{
	struct walk *w = arg;

	buf_clear(&w->after);
	buf_add(&w->after, client_text(row, "address"));
	w->moved = true;
	w->row(NULL, row);
}

/* What the server would say of this account. */
static void
on_account(void *arg, struct str address, uint64_t added_us)
{
	char room[TIME_ROOM];
	struct buf added = BUF_ON(room);

	date_add_rfc3339(&added, added_us);
	json_t *row =
		json_pack("{s:s%, s:s}", "address", address.p, address.n, "added", added.p);
	if (row != NULL)
		walk_row(arg, row);
	json_decref(row);
}

static int
page(struct users *u, struct walk *w, bool *ret_more, struct err *e)
{
	if (u->server != NULL)
		return client_ask(
			u->server,
			json_pack("{s:s, s:s}", "verb", "user_list", "address", w->after.p),
			walk_row, w, ret_more, e);
	return status_of(
		accounts_list(u->file, buf_str(&w->after), PAGE, on_account, w, ret_more, e));
}

static int
users_list(struct users *u, bool json, struct err *e)
{
	struct walk w = {.row = json ? client_print_json : list_row};
	bool more = true;
	int status = EX_OK;

	w.after = BUF_ON(w.room);
	while (more && status == EX_OK) {
		w.moved = false;
		status = page(u, &w, &more, e);
		more = more && w.moved;
	}
	return status;
}

/* ---- commands ---- */

/* What one of the two does; returns what to exit with, having said what failed. */
typedef int users_work(struct users *u, const struct call *call);

static int
run(const struct call *call, users_work *work)
{
	struct cfg *cfg = command_cfg(call, false);
	struct users *u = NULL;
	struct err e;
	int status = EX_CONFIG;

	if (cfg == NULL)
		return status;
	status = users_open(cfg, &u, &e);
	if (status == EX_OK)
		status = work(u, call);
	else
		(void)command_fail(status, "%s", e.text);
	(void)users_close(u);
	(void)cfg_free(cfg);
	return status;
}

/* Each that can be added is; the first failure is what we exit with. */
static int
add_each(struct users *u, const struct call *call)
{
	int first = EX_OK;

	for (int i = 0; i < call->argc; i++) {
		struct err e;
		int status = users_add(u, call->argv[i], &e);

		if (status != EX_OK)
			(void)command_fail(status, "%s", e.text); /* names it */
		if (first == EX_OK)
			first = status;
	}
	return first;
}

static int
list(struct users *u, const struct call *call)
{
	struct err e;
	int status = users_list(u, (call->flags & COMMAND_JSON) != 0, &e);

	return status == EX_OK ? EX_OK : command_fail(status, "%s", e.text);
}

int
command_user_add(const struct call *call)
{
	return run(call, add_each);
}

int
command_user_list(const struct call *call)
{
	return run(call, list);
}
