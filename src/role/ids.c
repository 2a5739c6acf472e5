/*
 * Uids of roles. See ids.h.
 */
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
