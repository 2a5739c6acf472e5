/*
 * sekisho user: who has a mailbox, through the running server or, where none runs, from the
 * files themselves.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/fd.h"
#include "cfg/cfg.h"
#include "command/client.h"
#include "command/command.h"
#include "command/print.h"
#include "command/room.h"
#include "deliver/mailbox.h"
#include "vault/accounts.h"
#include "vault/list.h"
#include "vault/mapfile.h"
#include "vault/users.h"

#define ADDRESS_ROOM 321 /* octets of an address in msg.def, and the NUL */
#define TIME_ROOM 40

/* One of the two ways is there. */
struct owners {
	const struct cfg *cfg;
	struct client *server;
	struct accounts *file;
	struct users *system; /* with <file>, where domains of ours have them */
};

static int
status_of(enum rc rc)
{
	return rc == RC_OK ? EX_OK : rc == RC_PERM ? EX_DATAERR : EX_TEMPFAIL;
}

/* Before room_enter: behind it there is no /etc. */
static enum rc
read_passwd(struct owners *u, struct err *e)
{
	char *p = NULL;
	size_t n = 0;

	if (cfg_domain_system(u->cfg) == NULL)
		return RC_OK;
	CLEANUP(fd_closep) int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open /etc/passwd");
	if (mapfile_read(fd, USERS_OCTETS_MAX, &p, &n, e) != RC_OK)
		return err_in(e, "/etc/passwd");
	enum rc rc = users_read((struct str){p, n}, u->cfg->system_uid_min,
	                        u->cfg->system_uid_max, &u->system, e);
	free(p);
	return rc == RC_OK ? rc : err_in(e, "/etc/passwd");
}

static int
open_file(struct owners *u, struct err *e)
{
	if (read_passwd(u, e) != RC_OK)
		return EX_OSFILE;
	if (room_enter(u->cfg, VAULT, e) != RC_OK)
		return e->rc == RC_PERM ? EX_NOPERM : EX_OSERR;
	return accounts_open(ACCOUNTS_FILE, &u->file, e) == RC_OK ? EX_OK : EX_CANTCREAT;
}

static struct owners *
owners_close(struct owners *u)
{
	if (u == NULL)
		return NULL;
	(void)client_close(u->server);
	(void)accounts_close(u->file);
	(void)users_free(u->system);
	free(u);
	return NULL;
}

static int
owners_open(const struct cfg *cfg, struct owners **ret, struct err *e)
{
	struct owners *u = calloc(1, sizeof(*u));
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
		(void)owners_close(u);
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
change_by_server(struct owners *u, const char *verb, const char *address, struct err *e)
{
	bool more;

	return client_ask(u->server, json_pack("{s:s, s:s}", "verb", verb, "address", address),
	                  no_row, NULL, &more, e);
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
	return status_of(rc);
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
		status = status_of(accounts_remove(u->file, buf_str(&name), e));
	if (status == EX_OK)
		say_where(u, buf_str(&name));
	return status;
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
	if (json_is_true(json_object_get(row, "system")))
		print_text(stdout, STR("user of this machine"));
	else
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
	struct list_from all = {u->file, u->system, cfg_domain_system(u->cfg)};

	return status_of(list_page(&all, buf_str(&w->after), on_account, w, ret_more, e));
}

static int
owners_list(struct owners *u, bool json, struct err *e)
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

/* What one of them does; returns what to exit with, having said what failed. */
typedef int owners_work(struct owners *u, const struct call *call);

static int
run(const struct call *call, owners_work *work)
{
	struct cfg *cfg = command_cfg(call, false);
	struct owners *u = NULL;
	struct err e;
	int status = EX_CONFIG;

	if (cfg == NULL)
		return status;
	status = owners_open(cfg, &u, &e);
	if (status == EX_OK)
		status = work(u, call);
	else
		(void)command_fail(status, "%s", e.text);
	(void)owners_close(u);
	(void)cfg_free(cfg);
	return status;
}

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
	struct err e;
	int status = owners_list(u, (call->flags & COMMAND_JSON) != 0, &e);

	return status == EX_OK ? EX_OK : command_fail(status, "%s", e.text);
}

int
command_user_add(const struct call *call)
{
	return run(call, add_each);
}

int
command_user_remove(const struct call *call)
{
	return run(call, remove_each);
}

int
command_user_list(const struct call *call)
{
	return run(call, list);
}
