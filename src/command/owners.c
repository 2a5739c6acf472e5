/*
 * The two ways to vault's files. See owners.h.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/fd.h"
#include "cfg/cfg.h"
#include "command/client.h"
#include "command/command.h"
#include "command/owners.h"
#include "command/room.h"
#include "vault/accounts.h"
#include "vault/allowed.h"
#include "vault/mapfile.h"
#include "vault/users.h"

#define USER_ROOM 65 /* octets of msg.def, and the NUL */
#define TIME_ROOM 40
#define SENDERS_PAGE 64U

int
owners_status(enum rc rc)
{
	return rc == RC_OK ? EX_OK : rc == RC_PERM ? EX_DATAERR : EX_TEMPFAIL;
}

/* Before room_enter: behind it there is no /etc. */
static enum rc
read_passwd(struct owners *u, struct err *e)
{
	char *p = NULL;
	size_t n = 0;

	if (!cfg_needs_users(u->cfg))
		return RC_OK;
	CLEANUP(fd_closep) int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open /etc/passwd");
	if (mapfile_read(fd, USERS_OCTETS_MAX, &p, &n, e) != RC_OK)
		return err_in(e, "/etc/passwd");
	enum rc rc = users_read((struct str){p, n}, u->cfg->system_uid_min,
	                        u->cfg->system_uid_max, &u->users, e);
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
	if (accounts_open(ACCOUNTS_FILE, &u->file, e) != RC_OK ||
	    allowed_open(u->file, &u->allowed, e) != RC_OK)
		return EX_CANTCREAT;
	return EX_OK;
}

static struct owners *
owners_close(struct owners *u)
{
	if (u == NULL)
		return NULL;
	(void)client_close(u->server);
	(void)allowed_close(u->allowed);
	(void)accounts_close(u->file);
	(void)users_free(u->users);
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

int
owners_run(const struct call *call, owners_work *work)
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

static void
no_row(void *unused, json_t *row)
{
	(void)unused;
	(void)row;
}

int
owners_ask(struct owners *u, json_t *request, struct err *e)
{
	bool more;

	return client_ask(u->server, request, no_row, NULL, &more, e);
}

/* ---- senders ---- */

/* Where the next page begins, and who is told. */
struct walk {
	owners_sender *each;
	void *arg;
	char user_room[USER_ROOM];
	char address_room[ADDRESS_ROOM];
	struct buf user;
	struct buf address;
	bool moved; /* this page had one */
};

static void
tell(struct walk *w, struct str user, struct str address, struct str added)
{
	buf_clear(&w->user);
	buf_clear(&w->address);
	buf_add(&w->user, user);
	buf_add(&w->address, address);
	w->moved = true;
	w->each(w->arg, user, address, added);
}

static void
on_row(void *arg, json_t *row)
{
	tell(arg, client_text(row, "user"), client_text(row, "address"),
	     client_text(row, "added"));
}

static void
on_allowed(void *arg, struct str user, struct str address, uint64_t added_us)
{
	char room[TIME_ROOM];
	struct buf added = BUF_ON(room);

	date_add_rfc3339(&added, added_us);
	tell(arg, user, address, buf_str(&added));
}

static int
senders_page(struct owners *u, struct walk *w, bool *ret_more, struct err *e)
{
	/* of its own: the walk's moves while rows come */
	char user[USER_ROOM];
	char address[ADDRESS_ROOM];
	struct buf after_user = BUF_ON(user);
	struct buf after_address = BUF_ON(address);

	buf_add(&after_user, buf_str(&w->user));
	buf_add(&after_address, buf_str(&w->address));
	if (u->server != NULL)
		return client_ask(u->server,
		                  json_pack("{s:s, s:s, s:s}", "verb", "user_senders", "user",
		                            user, "address", address),
		                  on_row, w, ret_more, e);
	return owners_status(allowed_list(u->allowed, buf_str(&after_user),
	                                  buf_str(&after_address), SENDERS_PAGE, on_allowed, w,
	                                  ret_more, e));
}

int
owners_senders(struct owners *u, owners_sender *each, void *arg, struct err *e)
{
	struct walk w = {.each = each, .arg = arg};
	bool more = true;
	int status = EX_OK;

	w.user = BUF_ON(w.user_room);
	w.address = BUF_ON(w.address_room);
	while (more && status == EX_OK) {
		w.moved = false;
		status = senders_page(u, &w, &more, e);
		more = more && w.moved;
	}
	return status;
}
