/*
 * sekisho user add, remove, list: who has a mailbox.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/date.h"
#include "cfg/cfg.h"
#include "command/client.h"
#include "command/command.h"
#include "command/owners.h"
#include "command/print.h"
#include "deliver/mailbox.h"
#include "vault/accounts.h"
#include "vault/list.h"

#define TIME_ROOM 40

/* ---- add ---- */

static int
change_by_server(struct owners *u, const char *verb, const char *address, struct err *e)
{
	return owners_ask(u, json_pack("{s:s, s:s}", "verb", verb, "address", address), e);
}

static int
check_text(const char *address, struct err *e)
{
	struct str s = str_of(address);

	if (s.n < ADDRESS_ROOM && str_is_utf8(s) && str_is_printable(s))
		return EX_OK;
	(void)err_set(e, RC_PERM, "%.*s: this is no address", (int)(s.n < 100 ? s.n : 100),
	              s.p);
	return EX_DATAERR;
}

static int
add_one(struct owners *u, const char *address, struct err *e)
{
	char room[ADDRESS_ROOM];
	struct buf name = BUF_ON(room);

	if (u->server != NULL)
		return change_by_server(u, "user_add", address, e);
	enum rc rc = accounts_name(u->cfg, str_of(address), &name, e);
	if (rc == RC_OK)
		rc = accounts_add(u->file, buf_str(&name), clock_wall_us(), e);
	return owners_status(rc);
}

/* An account may come again: what it was sent so far is not ours to throw away. */
static void
say_where(const struct owners *u, struct str name)
{
	struct mailbox_path path;
	struct err e;

	if (mailbox_path_of(name, &path, &e) == RC_OK)
		(void)printf("%.*s: removed; its mail stays in %.*s/mail/%s/%s\n",
		             STR_FMT(name), STR_FMT(u->cfg->data_dir), path.domain, path.user);
}

static int
remove_one(struct owners *u, const char *address, struct err *e)
{
	char room[ADDRESS_ROOM];
	struct buf name = BUF_ON(room);
	int status;

	if (accounts_name(u->cfg, str_of(address), &name, e) != RC_OK)
		return EX_DATAERR;
	if (u->server != NULL)
		status = change_by_server(u, "user_remove", address, e);
	else
		status = owners_status(accounts_remove(u->file, buf_str(&name), e));
	if (status == EX_OK)
		say_where(u, buf_str(&name));
	return status;
}

/* ---- list ---- */

/* Where the next page begins, and who prints. */
struct walk {
	client_row *row;
	json_t *senders; /* what each user of the machine was allowed; NULL: is not told */
	char room[ADDRESS_ROOM];
	struct buf after;
	bool moved; /* this page had an account */
};

static void
list_row(void *unused, json_t *row)
{
	(void)unused;
	print_column(stdout, client_text(row, "address"), 40);
	if (json_is_true(json_object_get(row, "system")))
		print_text(stdout, STR("user of this machine"));
	else
		print_text(stdout, client_text(row, "added"));
	(void)putchar('\n');
}

/* alice@example.org, a user of the machine, is alice; so is what she was allowed. */
static void
add_senders(const struct walk *w, json_t *row)
{
	struct str address = client_text(row, "address");
	struct str user = str_slice(address, 0, str_rfind(address, '@'));
	json_t *list;

	if (w->senders == NULL || !json_is_true(json_object_get(row, "system")))
		return;
	list = json_object_getn(w->senders, user.p, user.n);
	(void)json_object_set_new(row, "senders",
	                          list == NULL ? json_array() : json_deep_copy(list));
}

static void
on_sender(void *arg, struct str user, struct str address, struct str unused)
{
	json_t *senders = arg;
	json_t *list = json_object_getn(senders, user.p, user.n);

	(void)unused;
	if (list == NULL) {
		list = json_array();
		(void)json_object_setn_new(senders, user.p, user.n, list);
	}
	(void)json_array_append_new(list, json_stringn(address.p, address.n));
}

static void
walk_row(void *arg, json_t *row)
{
	struct walk *w = arg;

	buf_clear(&w->after);
	buf_add(&w->after, client_text(row, "address"));
	w->moved = true;
	add_senders(w, row);
	w->row(NULL, row);
}

/* What the server would say of this account. */
static void
on_account(void *arg, const struct list_row *account)
{
	char room[TIME_ROOM];
	struct buf added = BUF_ON(room);

	date_add_rfc3339(&added, account->added_us);
	json_t *row = json_pack("{s:s%, s:b, s:o*}", "address", account->address.p,
	                        account->address.n, "system", (int)account->system, "added",
	                        account->system ? NULL : json_string(added.p));
	if (row != NULL)
		walk_row(arg, row);
	json_decref(row);
}

static int
page(struct owners *u, struct walk *w, bool *ret_more, struct err *e)
{
	if (u->server != NULL)
		return client_ask(
			u->server,
			json_pack("{s:s, s:s}", "verb", "user_list", "address", w->after.p),
			walk_row, w, ret_more, e);
	struct list_from all = {u->file, u->users, cfg_domain_system(u->cfg)};

	return owners_status(list_page(&all, buf_str(&w->after), on_account, w, ret_more, e));
}

static int
list_all(struct owners *u, struct walk *w, struct err *e)
{
	bool more = true;
	int status = EX_OK;

	if (w->senders != NULL)
		status = owners_senders(u, on_sender, w->senders, e);
	while (more && status == EX_OK) {
		w->moved = false;
		status = page(u, w, &more, e);
		more = more && w->moved;
	}
	return status;
}

/* ---- commands ---- */

typedef int owners_change(struct owners *u, const char *address, struct err *e);

/* Each that can be changed is; the first failure is what we exit with. */
static int
change_each(struct owners *u, const struct call *call, owners_change *change)
{
	int first = EX_OK;

	for (int i = 0; i < call->argc; i++) {
		struct err e;
		int status = check_text(call->argv[i], &e);

		if (status == EX_OK)
			status = change(u, call->argv[i], &e);
		if (status != EX_OK)
			(void)command_fail(status, "%s", e.text); /* names it */
		if (first == EX_OK)
			first = status;
	}
	return first;
}

static int
add_each(struct owners *u, const struct call *call)
{
	return change_each(u, call, add_one);
}

static int
remove_each(struct owners *u, const struct call *call)
{
	return change_each(u, call, remove_one);
}

static int
list(struct owners *u, const struct call *call)
{
	bool json = (call->flags & COMMAND_JSON) != 0;
	struct walk w = {.row = json ? client_print_json : list_row};
	struct err e;

	w.after = BUF_ON(w.room);
	w.senders = json ? json_object() : NULL;
	int status = list_all(u, &w, &e);
	json_decref(w.senders);
	return status == EX_OK ? EX_OK : command_fail(status, "%s", e.text);
}

int
command_user_add(const struct call *call)
{
	return owners_run(call, add_each);
}

int
command_user_remove(const struct call *call)
{
	return owners_run(call, remove_each);
}

int
command_user_list(const struct call *call)
{
	return owners_run(call, list);
}
