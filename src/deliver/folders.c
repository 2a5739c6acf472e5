/*
 * Folders of mailboxes. See folders.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fd.h"
#include "deliver/folders.h"
#include "deliver/layout.h"

#define MAILBOX_MAX 320 /* octets, as msg.def has it */

struct place {
	struct folder folder; /* new_fd is -1 in a free place */
	uint64_t looked_ms;   /* when it was opened */
	bool doubted;         /* it may not be what it was */
	uint64_t used;        /* count of folders_get at its last use */
	size_t n;
	char mailbox[MAILBOX_MAX];
};

struct folders {
	struct layout *layout;
	struct disk *disk;
	uint64_t gets;
	uint64_t hashes[FOLDERS_MAX]; /* of the mailboxes: what a search reads */
	struct place places[FOLDERS_MAX];
};

struct folders *
folders_new(struct layout *layout, struct disk *disk)
{
	struct folders *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->layout = layout;
	f->disk = disk;
	for (size_t i = 0; i < FOLDERS_MAX; i++)
		f->places[i].folder.new_fd = -1;
	return f;
}

/* new/ comes last: where it is, the others have been made. */
static enum rc
open_new(int user_fd, int *ret_fd, struct err *e)
{
	int fd = folder_open(user_fd, "new");

	if (fd < 0 && errno == ENOENT) {
		if (folder_make(user_fd, "cur", e) != RC_OK ||
		    folder_make(user_fd, "tmp", e) != RC_OK)
			return e->rc;
		return folder_open_or_make(user_fd, "new", ret_fd, e);
	}
	if (fd < 0)
		return err_sys(e, "open folder new");
	*ret_fd = fd;
	return RC_OK;
}

/* Another process may have made them and not synced yet, so this asks no matter who did. */
static enum rc
sync_way(const struct folders *f, const struct way *w, struct err *e)
{
	if (disk_sync_one(f->disk, f->layout->fd, "the mail folder", e) != RC_OK ||
	    (w->domain_fd >= 0 &&
	     disk_sync_one(f->disk, w->domain_fd, "a domain's folder", e) != RC_OK) ||
	    disk_sync_one(f->disk, w->fd, "a mailbox", e) != RC_OK)
		return e->rc;
	return RC_OK;
}

static enum rc
open_mailbox(const struct folders *f, struct str mailbox, int *ret_new_fd, struct err *e)
{
	CLEANUP(way_close) struct way w = {-1, -1};
	CLEANUP(fd_closep) int new_fd = -1;

	if (layout_enter(f->layout, mailbox, true, &w, e) != RC_OK ||
	    open_new(w.fd, &new_fd, e) != RC_OK || sync_way(f, &w, e) != RC_OK)
		return e->rc;
	*ret_new_fd = fd_take(&new_fd);
	return RC_OK;
}

static uint64_t
hash_of(struct str mailbox)
{
	return XXH3_64bits(mailbox.p, mailbox.n);
}

/* The mailbox's place, or NULL. */
static struct place *
find(struct folders *f, struct str mailbox, uint64_t hash)
{
	for (size_t i = 0; i < FOLDERS_MAX; i++) {
		struct place *p = &f->places[i];

		if (f->hashes[i] == hash && p->folder.new_fd >= 0 &&
		    str_eq((struct str){p->mailbox, p->n}, mailbox))
			return p;
	}
	return NULL;
}

static struct place *
least_used(struct folders *f)
{
	struct place *least = &f->places[0];

	for (size_t i = 1; i < FOLDERS_MAX; i++)
		if (f->places[i].used < least->used)
			least = &f->places[i];
	return least;
}

static void
vacate(struct place *p)
{
	fd_closep(&p->folder.new_fd);
	p->folder.unsynced = false;
	p->doubted = false;
	p->used = 0;
}

static enum rc
look_up(struct folders *f, struct str mailbox, uint64_t hash, struct place **ret, struct err *e)
{
	struct place *p = least_used(f);
	int fd;

	if (mailbox.n > MAILBOX_MAX)
		return err_set(e, RC_PERM, "the mailbox is over %d octets", MAILBOX_MAX);
	if (open_mailbox(f, mailbox, &fd, e) != RC_OK)
		return e->rc;
	/* FOLDERS_MAX is more than a batch can use, so this one has nothing unsynced */
	vacate(p);
	p->folder.new_fd = fd;
	p->looked_ms = f->disk->calls->now_ms();
	p->n = mailbox.n;
	memcpy(p->mailbox, mailbox.p, mailbox.n);
	f->hashes[p - f->places] = hash;
	*ret = p;
	return RC_OK;
}

/* One with unsynced files stays until they are: the sync needs this very folder. */
static bool
is_stale(const struct folders *f, const struct place *p)
{
	return !p->folder.unsynced &&
	       (p->doubted || f->disk->calls->now_ms() - p->looked_ms >= FOLDERS_FRESH_MS);
}

enum rc
folders_get(struct folders *f, struct str mailbox, struct folder **ret, struct err *e)
{
	uint64_t hash = hash_of(mailbox);
	struct place *p = find(f, mailbox, hash);

	if (p != NULL && is_stale(f, p)) {
		vacate(p);
		p = NULL;
	}
	if (p == NULL && look_up(f, mailbox, hash, &p, e) != RC_OK)
		return e->rc;
	p->used = ++f->gets;
	*ret = &p->folder;
	return RC_OK;
}

enum rc
folders_drop(struct folders *f, struct str mailbox, struct err *e)
{
	struct place *p = find(f, mailbox, hash_of(mailbox));
	enum rc rc = RC_OK;

	if (p == NULL)
		return RC_OK;
	if (p->folder.unsynced)
		rc = disk_sync_one(f->disk, p->folder.new_fd, "folder new", e);
	vacate(p);
	return rc;
}

void
folders_doubt(struct folders *f, struct str mailbox)
{
	struct place *p = find(f, mailbox, hash_of(mailbox));

	if (p != NULL)
		p->doubted = true;
}

enum rc
folders_sync(const struct folders *f, struct err *e)
{
	for (size_t i = 0; i < FOLDERS_MAX; i++) {
		const struct folder *folder = &f->places[i].folder;

		if (folder->unsynced &&
		    disk_sync_one(f->disk, folder->new_fd, "folder new", e) != RC_OK)
			return e->rc;
	}
	return RC_OK;
}

void
folders_settle(struct folders *f)
{
	for (size_t i = 0; i < FOLDERS_MAX; i++)
		f->places[i].folder.unsynced = false;
}

/* https://cr.yp.to/proto/maildir.html: a reader appends `:2,` and flags. */
static bool
is_name_seen(struct str found, struct str name)
{
	return str_starts(found, name) &&
	       (found.n == name.n || str_starts(str_slice(found, name.n, found.n), STR(":2,")));
}

static void
closedirp(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir); /* only read from */
}

static enum rc
search(int cur_fd, struct str name, struct mailfile_name *ret_found, bool *ret_is,
       struct err *e)
{
	CLEANUP(fd_closep) int own = folder_open(cur_fd, ".");
	CLEANUP(closedirp) DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;

	if (dir == NULL)
		return err_sys(e, "read folder cur");
	(void)fd_take(&own); /* the DIR's now */
	*ret_is = false;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (!is_name_seen(str_of(entry->d_name), name))
			continue;
		struct buf b = BUF_ON(ret_found->c);

		buf_add(&b, str_of(entry->d_name));
		*ret_is = !b.cut;
		return RC_OK;
	}
	return errno == 0 ? RC_OK : err_sys(e, "read folder cur");
}

enum rc
folders_find_seen(const struct folders *f, struct str mailbox, const struct mailfile_name *name,
                  int *ret_fd, struct mailfile_name *ret_found, struct err *e)
{
	CLEANUP(way_close) struct way w = {-1, -1};
	CLEANUP(fd_closep) int fd = -1;
	bool is = false;

	*ret_fd = -1;
	if (layout_enter(f->layout, mailbox, false, &w, e) != RC_OK)
		return e->rc;
	if (w.fd < 0)
		return RC_OK;
	fd = folder_open(w.fd, "cur");
	if (fd < 0)
		return errno == ENOENT ? RC_OK : err_sys(e, "open folder cur");
	if (search(fd, str_of(name->c), ret_found, &is, e) != RC_OK)
		return e->rc;
	*ret_fd = is ? fd_take(&fd) : -1;
	return RC_OK;
}

struct folders *
folders_free(struct folders *f)
{
	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < FOLDERS_MAX; i++)
		fd_closep(&f->places[i].folder.new_fd);
	free(f);
	return NULL;
}
