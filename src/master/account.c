/*
 * Users of the machine. See account.h.
 *
 * The file is read as vault reads it, which decides who has a mailbox, and without the name
 * service: a directory that does not answer would stall master, and with it everybody.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "cfg/cfg.h"
#include "master/account.h"
#include "master/spawn.h"
#include "proto/passwd.h"
#include "role/ids.h"

static bool
find_row(struct str passwd, struct str user, struct passwd_row *ret)
{
	while (passwd_next(&passwd, ret))
		if (str_eq(ret->name, user))
			return true;
	return false;
}

/* What such a user's processes may do to ours, their owner may: files, signals. */
static bool
is_a_roles(const struct cfg *c, uint32_t uid)
{
	for (unsigned i = 0; i < PROC_COUNT; i++) {
		uid_t theirs;
		gid_t gid;

		proc_ids(c, proc_of(i), &theirs, &gid);
		if (theirs == uid)
			return true;
	}
	return false;
}

static enum rc
check(const struct cfg *c, const struct passwd_row *row, struct err *e)
{
	if (row->uid == 0 || row->uid < c->system_uid_min || row->uid > c->system_uid_max)
		return err_set(e, RC_PERM,
		               "%.*s has uid %u, which is not in system_uid_min to "
		               "system_uid_max",
		               STR_FMT(row->name), row->uid);
	if (row->gid == 0)
		return err_set(e, RC_PERM, "%.*s has root's group", STR_FMT(row->name));
	if (is_a_roles(c, row->uid))
		return err_set(e, RC_PERM, "%.*s has the uid of a role of sekisho",
		               STR_FMT(row->name));
	if (row->home.n < 2 || row->home.p[0] != '/')
		return err_set(e, RC_PERM, "%.*s has no home folder", STR_FMT(row->name));
	return RC_OK;
}

/* Where we are not root, the one whom we run as is the only one we can deliver to. */
static enum rc
as_we_are(const struct passwd_row *row, struct lodging *ret, struct err *e)
{
	if (geteuid() == 0)
		return RC_OK;
	if (row->uid != geteuid())
		return err_set(e, RC_TEMP,
		               "sekisho was not started as root and cannot "
		               "deliver as %.*s",
		               STR_FMT(row->name));
	ret->uid = 0; /* "stay who I am": sandbox.h */
	ret->gid = 0;
	return RC_OK;
}

enum rc
account_find(const struct cfg *c, struct str passwd, struct str user, struct lodging *ret,
             struct err *e)
{
	struct buf home = BUF_ON(ret->folder);
	struct buf name = BUF_ON(ret->user);
	struct passwd_row row;

	if (!find_row(passwd, user, &row))
		return err_set(e, RC_PERM, "the machine has no user %.*s", STR_FMT(user));
	if (check(c, &row, e) != RC_OK)
		return e->rc;
	buf_clear(&home);
	buf_clear(&name);
	buf_add(&home, row.home);
	buf_add(&name, row.name);
	if (home.cut || name.cut)
		return err_set(e, RC_PERM, "the user's name or home is too long");
	ret->uid = row.uid;
	ret->gid = row.gid;
	return as_we_are(&row, ret, e);
}

enum rc
account_read(const struct cfg *c, const char *path, struct str user, struct lodging *ret,
             struct err *e)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *room;
	size_t n;

	if (fd < 0) {
		(void)err_sys(e, "open %s", path);
		return e->rc = RC_TEMP;
	}
	room = malloc(ACCOUNT_OCTETS_MAX);
	if (room == NULL)
		return err_set(e, RC_TEMP, "no memory for %s", path);
	enum rc rc = RC_TEMP;
	if (fd_read_all(fd, room, ACCOUNT_OCTETS_MAX, &n, e) == RC_OK)
		rc = account_find(c, (struct str){room, n}, user, ret, e);
	free(room);
	return e->rc = rc;
}
