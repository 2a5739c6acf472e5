/*
 * Where mail lies. See layout.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "deliver/layout.h"
#include "deliver/mailbox.h"

#define TEMPORARY "message" /* one file at a time in our own folder: the name stays hot */
#define OURS "sekisho-"     /* in a user's tmp/ */

/* ---- folders ---- */

int
folder_open(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

enum rc
folder_make(int at, const char *name, struct err *e)
{
	if (mkdirat(at, name, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", name);
	return RC_OK;
}

enum rc
folder_open_or_make(int at, const char *name, int *ret_fd, struct err *e)
{
	int fd = folder_open(at, name);

	if (fd < 0 && errno == ENOENT) {
		if (folder_make(at, name, e) != RC_OK)
			return e->rc;
		fd = folder_open(at, name);
	}
	if (fd < 0)
		return err_sys(e, "open folder %s", name);
	*ret_fd = fd;
	return RC_OK;
}

/* ---- what is left of an earlier process ---- */

/* Ours, of any process: of two on one file system each has its host in its names. */
static bool
is_left(const struct layout *l, const char *name)
{
	struct str own = str_of(l->file);
	struct str found = str_of(name);

	if (l->user.n == 0)
		return name[0] != '.'; /* the folder is our own */
	return str_starts(found, STR(OURS)) &&
	       str_eq(str_slice(found, str_find(found, '.'), found.n),
	              str_slice(own, str_find(own, '.'), own.n));
}

static enum rc
clean(const struct layout *l, struct err *e)
{
	DIR *dir;
	struct dirent *entry;
	int own = folder_open(l->tmp_fd, ".");

	if (own < 0 || (dir = fdopendir(own)) == NULL) {
		(void)err_sys(e, "read folder %s", l->tmp);
		fd_closep(&own);
		return e->rc;
	}
	for (unsigned i = 0;
	     (l->user.n == 0 || i < LAYOUT_CLEAN_MAX) && (entry = readdir(dir)) != NULL; i++)
		if (is_left(l, entry->d_name))
			(void)unlinkat(l->tmp_fd, entry->d_name,
			               0); /* an old file only takes room */
	(void)closedir(dir);               /* only read from */
	return RC_OK;
}

/* ---- open ---- */

static void
name_virtual(struct layout *l, unsigned index)
{
	struct buf tmp = BUF_ON(l->tmp);
	struct buf file = BUF_ON(l->file);

	buf_addf(&tmp, ".tmp-%u", index);
	buf_add(&file, STR(TEMPORARY));
}

/* With our pid: an earlier process of ours may still be about to leave. */
static void
name_user(struct layout *l, struct str user, struct str host)
{
	struct buf tmp = BUF_ON(l->tmp);
	struct buf file = BUF_ON(l->file);

	memcpy(l->user_room, user.p, user.n);
	l->user = (struct str){l->user_room, user.n};
	buf_add(&tmp, STR("tmp"));
	buf_addf(&file, OURS "%d.%.*s", (int)getpid(), STR_FMT(host));
}

static enum rc
open_all(struct layout *l, struct err *e)
{
	if (l->user.n == 0) {
		l->fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (l->fd < 0)
			return err_sys(e, "open the mail folder");
	} else {
		l->home_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (l->home_fd < 0)
			return err_sys(e, "open the home folder");
		/* behind the walls nothing in the home can be made: they made it (sandbox.c) */
		if (folder_open_or_make(l->home_fd, LAYOUT_MAILDIR, &l->fd, e) != RC_OK)
			return e->rc;
	}
	if (folder_open_or_make(l->fd, l->tmp, &l->tmp_fd, e) != RC_OK)
		return e->rc;
	return clean(l, e);
}

enum rc
layout_open(struct layout *l, struct str user, unsigned index, struct str host, struct err *e)
{
	*l = (struct layout){.fd = -1, .home_fd = -1, .tmp_fd = -1};
	if (user.n > sizeof(l->user_room))
		return err_set(e, RC_PERM, "the user's name is over %d octets",
		               LAYOUT_USER_MAX);
	if (user.n == 0)
		name_virtual(l, index);
	else
		name_user(l, user, host);
	if (open_all(l, e) == RC_OK)
		return RC_OK;
	layout_close(l);
	return e->rc;
}

void
layout_close(struct layout *l)
{
	fd_closep(&l->tmp_fd);
	fd_closep(&l->home_fd);
	fd_closep(&l->fd);
}

/* ---- the temporary file ---- */

/* What stands in its place was left by a crash, or planted: it is never opened. */
static int
create(const struct layout *l)
{
	const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(l->tmp_fd, l->file, how, 0600);

	if (fd < 0 && errno == EEXIST && unlinkat(l->tmp_fd, l->file, 0) == 0)
		fd = openat(l->tmp_fd, l->file, how, 0600);
	return fd;
}

enum rc
layout_create(struct layout *l, int *ret_fd, struct err *e)
{
	int fd = l->tmp_fd < 0 ? -1 : create(l);

	if (fd < 0 && (l->tmp_fd < 0 || errno == ENOENT)) { /* the folder was deleted */
		fd_closep(&l->tmp_fd);
		if (folder_open_or_make(l->fd, l->tmp, &l->tmp_fd, e) != RC_OK)
			return e->rc;
		fd = create(l);
	}
	if (fd < 0)
		return err_sys(e, "make a file in %s", l->tmp);
	*ret_fd = fd;
	return RC_OK;
}

void
layout_remove(struct layout *l)
{
	if (l->tmp_fd >= 0)
		(void)unlinkat(l->tmp_fd, l->file, 0); /* else the next one takes its place */
}

void
layout_doubt(struct layout *l)
{
	fd_closep(&l->tmp_fd);
}

/* ---- the way to a mailbox ---- */

void
way_close(struct way *w)
{
	fd_closep(&w->domain_fd);
	fd_closep(&w->fd);
}

/*
 * The user may have moved Maildir away and made another. The walls let us into the first one
 * only; mail goes to where the user looks for it.
 */
static enum rc
is_in_place(struct layout *l, struct err *e)
{
	struct stat held;
	struct stat found;

	if (fstat(l->fd, &held) != 0)
		return err_sys(e, "stat " LAYOUT_MAILDIR);
	if (fstatat(l->home_fd, LAYOUT_MAILDIR, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	    found.st_dev == held.st_dev && found.st_ino == held.st_ino)
		return RC_OK;
	l->moved = true;
	return err_set(e, RC_TEMP, LAYOUT_MAILDIR " was moved or deleted");
}

static enum rc
enter_user(struct layout *l, struct str mailbox, struct way *ret, struct err *e)
{
	size_t at = str_rfind(mailbox, '@');

	if (at == mailbox.n || !str_eq(str_slice(mailbox, 0, at), l->user))
		return err_set(e, RC_PERM, "not the mailbox of %.*s", STR_FMT(l->user));
	if (is_in_place(l, e) != RC_OK)
		return e->rc;
	ret->fd = folder_open(l->fd, ".");
	return ret->fd < 0 ? err_sys(e, "open " LAYOUT_MAILDIR) : RC_OK;
}

static enum rc
find_virtual(const struct layout *l, const struct mailbox_path *path, struct way *w,
             struct err *e)
{
	w->domain_fd = folder_open(l->fd, path->domain);
	if (w->domain_fd >= 0)
		w->fd = folder_open(w->domain_fd, path->user);
	if (w->fd < 0 && errno != ENOENT)
		return err_sys(e, "open a mailbox");
	return RC_OK;
}

static enum rc
enter_virtual(const struct layout *l, struct str mailbox, bool make, struct way *ret,
              struct err *e)
{
	CLEANUP(way_close) struct way w = {-1, -1};
	struct mailbox_path path;

	if (mailbox_path_of(mailbox, &path, e) != RC_OK)
		return e->rc;
	if (!make) {
		if (find_virtual(l, &path, &w, e) != RC_OK)
			return e->rc;
	} else if (folder_open_or_make(l->fd, path.domain, &w.domain_fd, e) != RC_OK ||
	           folder_open_or_make(w.domain_fd, path.user, &w.fd, e) != RC_OK) {
		return e->rc;
	}
	*ret = (struct way){fd_take(&w.domain_fd), fd_take(&w.fd)};
	return RC_OK;
}

enum rc
layout_enter(struct layout *l, struct str mailbox, bool make, struct way *ret, struct err *e)
{
	*ret = (struct way){-1, -1};
	return l->user.n > 0 ? enter_user(l, mailbox, ret, e)
	                     : enter_virtual(l, mailbox, make, ret, e);
}
