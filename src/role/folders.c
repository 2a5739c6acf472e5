/*
 * The folders below data_dir. See folders.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cfg/cfg.h"
#include "role/folders.h"
#include "role/ids.h"

/* In this order: a folder comes after the one it lies in. */
static const struct folder {
	const char *path;
	mode_t mode;
	enum proc owner;
	enum proc group;
	unsigned root_of; /* the processes that live in it */
} folders[] = {
	{"empty",      0555,  MASTER,  MASTER,  EDGE | STATE | CONTROL | LOGGER | REMOTE},
	{"accounts",   0700,  VAULT,   VAULT,   VAULT                                   },
	{"journal",    0700,  STORE,   STORE,   STORE                                   },
	{"spool",      0700,  SPOOL,   SPOOL,   SPOOL                                   },
 /* writer makes the files, spool reads and removes them: the group is passed on to them
  */
	{"spool/body", 02770, WRITER,  SPOOL,   WRITER                                  },
	{"mail",       0700,  DELIVER, DELIVER, DELIVER                                 },
};

void
folder_of(const struct cfg *c, enum proc p, struct buf *b)
{
	for (size_t i = 0; i < LENGTH(folders); i++)
		if (folders[i].root_of & (unsigned)p)
			buf_addf(b, "%.*s/%s", STR_FMT(c->data_dir), folders[i].path);
}

/* The parent's descriptor and the last component: no link is followed on the way. */
static enum rc
folder_parent(int data, const char *path, int *ret_fd, const char **ret_name, struct err *e)
{
	char first[64];
	struct str whole = str_of(path);
	size_t slash = str_find(whole, '/');
	struct buf b = BUF_ON(first);

	if (slash < whole.n)
		buf_add(&b, str_slice(whole, 0, slash));
	else
		buf_addc(&b, '.');
	*ret_name = slash < whole.n ? path + slash + 1 : path;
	*ret_fd = openat(data, first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, "open %s", first) : RC_OK;
}

/* What is right already is left: under a service manager we may not be able to change it. */
static enum rc
folder_settle(const struct folder *f, int fd, uid_t uid, gid_t gid, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", f->path);
	if (geteuid() == 0 && (st.st_uid != uid || st.st_gid != gid)) {
		if (fchown(fd, uid, gid) < 0)
			return err_sys(e, "give %s to uid %u", f->path, uid);
		st.st_mode = 0; /* the call takes away set-group-ID */
	}
	if ((st.st_mode & 07777) != f->mode && fchmod(fd, f->mode) < 0)
		return err_sys(e, "set the mode of %s", f->path);
	return RC_OK;
}

static enum rc
folder_make(const struct cfg *c, int data, const struct folder *f, struct err *e)
{
	CLEANUP(fd_closep) int parent = -1;
	const char *name;
	uid_t uid;
	gid_t gid;
	uid_t ignored;

	if (folder_parent(data, f->path, &parent, &name, e) != RC_OK)
		return e->rc;
	if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", f->path);
	CLEANUP(fd_closep)
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", f->path);
	proc_ids(c, f->owner, &uid, &gid);
	proc_ids(c, f->group, &ignored, &gid);
	if (f->owner == MASTER) {
		uid = geteuid();
		gid = getegid();
	}
	return folder_settle(f, fd, uid, gid, e);
}

enum rc
folders_make(const struct cfg *c, struct err *e)
{
	char room[4096];
	struct buf path = BUF_ON(room);

	buf_add(&path, c->data_dir);
	if (path.cut)
		return err_set(e, RC_PERM, "data_dir is too long");
	if (mkdir(path.p, 0711) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", path.p);
	CLEANUP(fd_closep) int data = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (data < 0)
		return err_sys(e, "open %s", path.p);
	for (size_t i = 0; i < LENGTH(folders); i++)
		if (folder_make(c, data, &folders[i], e) != RC_OK)
			return err_in(e, "%s", path.p);
	return RC_OK;
}
