/*
 * Into a role's room. See room.h.
 */
#include <grp.h>
#include <unistd.h>

#include "cfg/cfg.h"
#include "command/room.h"
#include "role/folders.h"
#include "role/ids.h"

static enum rc
become(uid_t uid, gid_t gid, struct err *e)
{
	if (chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "chroot");
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become uid %u gid %u", uid, gid);
	return RC_OK;
}

enum rc
room_enter(const struct cfg *cfg, enum proc p, struct err *e)
{
	char room[4096];
	struct buf path = BUF_ON(room);
	uid_t uid;
	gid_t gid;

	if (folders_make(cfg, e) != RC_OK)
		return e->rc;
	proc_ids(cfg, p, &uid, &gid);
	folder_of(cfg, p, &path);
	if (chdir(path.p) < 0)
		return err_sys(e, "enter %s", path.p);
	return geteuid() == 0 ? become(uid, gid, e) : RC_OK;
}
