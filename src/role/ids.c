/*
 * Uids of roles. See ids.h.
 */
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "role/ids.h"

void
proc_ids(const struct cfg *c, enum proc p, uid_t *ret_uid, gid_t *ret_gid)
{
	char name[32];
	char room[1024];
	struct buf b = BUF_ON(name);
	struct passwd entry;
	struct passwd *found = NULL;

	*ret_uid = 0;
	*ret_gid = 0;
	if (geteuid() != 0)
		return;
	buf_addf(&b, "_sekisho-%s", proc_name(p));
	/* an error of the database is as if the user did not exist: the number is always there
	 */
	(void)getpwnam_r(name, &entry, room, sizeof(room), &found);
	*ret_uid = found != NULL ? entry.pw_uid : (uid_t)c->uid_base + proc_number(p);
	*ret_gid = found != NULL ? entry.pw_gid : (gid_t)c->uid_base + proc_number(p);
}

#define NAME_ROOM 64 /* octets of a name of ours to look up, with the NUL */
#define ENTRY_ROOM \
	4096 /* octets of one row of the user database; a group's has its members \
	      */

static enum rc
user_of(struct str user, uid_t *ret, struct err *e)
{
	char name[NAME_ROOM];
	char room[ENTRY_ROOM];
	struct buf b = BUF_ON(name);
	struct passwd entry;
	struct passwd *found = NULL;
	uint64_t number;

	*ret = (uid_t)-1;
	if (user.n == 0)
		return RC_OK;
	if (str_u64(user, UINT32_MAX - 1, &number)) {
		*ret = (uid_t)number;
		return RC_OK;
	}
	buf_add(&b, user);
	if (b.cut || getpwnam_r(name, &entry, room, sizeof(room), &found) != 0 || found == NULL)
		return err_set(e, RC_PERM, "there is no user %.*s", STR_FMT(user));
	*ret = entry.pw_uid;
	return RC_OK;
}

static enum rc
group_of(struct str group, gid_t *ret, struct err *e)
{
	char name[NAME_ROOM];
	char room[ENTRY_ROOM];
	struct buf b = BUF_ON(name);
	struct group entry;
	struct group *found = NULL;
	uint64_t number;

	*ret = (gid_t)-1;
	if (group.n == 0)
		return RC_OK;
	if (str_u64(group, UINT32_MAX - 1, &number)) {
		*ret = (gid_t)number;
		return RC_OK;
	}
	buf_add(&b, group);
	if (b.cut || getgrnam_r(name, &entry, room, sizeof(room), &found) != 0 || found == NULL)
		return err_set(e, RC_PERM, "there is no group %.*s, or it is too large",
		               STR_FMT(group));
	*ret = entry.gr_gid;
	return RC_OK;
}

enum rc
ids_of_names(struct str user, struct str group, uid_t *ret_uid, gid_t *ret_gid, struct err *e)
{
	if (user_of(user, ret_uid, e) != RC_OK)
		return e->rc;
	return group_of(group, ret_gid, e);
}
