/*
 * Batches of deliveries. See batch.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "deliver/batch.h"
#include "deliver/folders.h"
#include "deliver/layout.h"
#include "deliver/quota.h"
#include "ipc/msg.h"

#define MAILBOX_MAX 320 /* octets, as msg.def has it */
#define HOST_ROOM (MAILFILE_HOST_MAX + 1)

_Static_assert(FOLDERS_MAX > BATCH_MAX, "a folder in use by the batch never gives way");

struct entry {
	struct outcome outcome;
	struct mailfile_name name;
	bool there; /* in new/ or cur/, durable or not */
	size_t mailbox_n;
	char mailbox[MAILBOX_MAX];
};

struct batch {
	struct layout layout;
	struct disk disk;
	struct folders *folders;
	unsigned count;
	unsigned kept;   /* of them RC_OK */
	uint64_t octets; /* of files written */
	uint64_t quota;  /* of the mailbox; 0: none */
	char host[HOST_ROOM];
	char chunk[MAILFILE_CHUNK];
	struct entry entries[BATCH_MAX];
};

static const struct disk_calls system_calls = {syncfs, fsync, clock_mono_ms};

enum rc
batch_open(struct str user, unsigned index, struct str host, const struct disk_calls *calls,
           struct batch **ret, struct err *e)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	struct buf name = BUF_ON(b->host);

	mailfile_add_host(&name, host);
	if (layout_open(&b->layout, user, index, buf_str(&name), e) != RC_OK) {
		free(b);
		return e->rc;
	}
	b->disk = (struct disk){.calls = calls != NULL ? calls : &system_calls,
	                        .fd = b->layout.fd};
	b->folders = folders_new(&b->layout, &b->disk);
	if (b->folders == NULL) {
		(void)batch_free(b);
		return err_set(e, RC_TEMP, "out of memory");
	}
	*ret = b;
	return RC_OK;
}

static struct str
mailbox_of(const struct entry *entry)
{
	return (struct str){entry->mailbox, entry->mailbox_n};
}

static enum rc
write_temporary(struct batch *b, struct str header, const struct mail *m, struct err *e)
{
	CLEANUP(fd_closep) int fd = -1;

	if (layout_create(&b->layout, &fd, e) != RC_OK)
		return e->rc;
	if (mailfile_write(fd, header, m, b->chunk, e) != RC_OK ||
	    disk_sync_one(&b->disk, fd, "a message", e) != RC_OK)
		return e->rc;
	if (close(fd_take(&fd)) != 0)
		return err_sys(e, "close a file"); /* EDQUOT of some network file systems */
	return RC_OK;
}

static enum rc
rename_into(struct batch *b, struct entry *entry, struct err *e)
{
	struct folder *folder;

	if (folders_get(b->folders, mailbox_of(entry), &folder, e) != RC_OK)
		return e->rc;
	if (renameat(b->layout.tmp_fd, b->layout.file, folder->new_fd, entry->name.c) != 0)
		return err_sys(e, "rename into new");
	folder->unsynced = true;
	entry->there = true;
	return RC_OK;
}

/* ENOENT: somebody deleted the mailbox while we had it open. It is made again, once. */
static enum rc
move_in(struct batch *b, struct entry *entry, struct err *e)
{
	if (rename_into(b, entry, e) == RC_OK || e->sys != ENOENT)
		return e->rc;
	if (folders_drop(b->folders, mailbox_of(entry), e) != RC_OK)
		return e->rc;
	return rename_into(b, entry, e);
}

/* The file in cur/ as far as a rewrite cannot make it durable: its data and its name. */
static enum rc
sync_seen(struct batch *b, int cur_fd, const char *found, struct err *e)
{
	CLEANUP(fd_closep)
	int fd = openat(cur_fd, found, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open a file in cur");
	if (disk_sync_one(&b->disk, fd, "a message", e) != RC_OK)
		return e->rc;
	return disk_sync_one(&b->disk, cur_fd, "folder cur", e);
}

/*
 * Has a delivery before a crash succeeded, and a reader seen it? A file of another size than
 * its name says was cut by a power failure: then the message comes again.
 */
static enum rc
look_for_seen(struct batch *b, struct entry *entry, uint64_t size, struct err *e)
{
	CLEANUP(fd_closep) int cur_fd = -1;
	struct mailfile_name found;
	struct stat st;

	if (folders_find_seen(b->folders, mailbox_of(entry), &entry->name, &cur_fd, &found,
	                      e) != RC_OK)
		return e->rc;
	if (cur_fd < 0)
		return RC_OK;
	if (fstatat(cur_fd, found.c, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? RC_OK : err_sys(e, "stat a file in cur");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return RC_OK;
	entry->there = true;
	return b->disk.each ? sync_seen(b, cur_fd, found.c, e) : RC_OK;
}

static enum rc
write_and_move(struct batch *b, struct entry *entry, struct str header, const struct mail *m,
               struct err *e)
{
	if (write_temporary(b, header, m, e) == RC_OK && move_in(b, entry, e) == RC_OK)
		return RC_OK;
	layout_remove(&b->layout);
	return e->rc;
}

void
batch_set_quota(struct batch *b, uint64_t octets)
{
	b->quota = octets;
}

/* Before it is written: is there room? Afterwards: so much is taken. */
static enum rc
within_quota(struct batch *b, struct entry *entry, uint64_t size, bool written, struct err *e)
{
	CLEANUP(way_close) struct way w = {-1, -1};

	if (b->quota == 0)
		return RC_OK;
	if (layout_enter(&b->layout, mailbox_of(entry), true, &w, e) != RC_OK)
		return e->rc;
	if (!written)
		return quota_check(w.fd, b->quota, size, e);
	quota_add(w.fd, size);
	return RC_OK;
}

static enum rc
deliver(struct batch *b, struct entry *entry, const struct mail *m, const struct item_rcpt *to,
        struct err *e)
{
	char room[MAILFILE_HEADER_MAX];
	struct buf header = BUF_ON(room);

	if (to->mailbox.n > MAILBOX_MAX)
		return err_set(e, RC_PERM, "the mailbox is over %d octets", MAILBOX_MAX);
	entry->mailbox_n = to->mailbox.n;
	memcpy(entry->mailbox, to->mailbox.p, to->mailbox.n);
	if (mailfile_add_header(&header, m->sender, to->orig, to->mailbox, e) != RC_OK)
		return e->rc;
	entry->name = mailfile_name_of(m, to->n, str_of(b->host), header.n + m->size);
	if (m->again && look_for_seen(b, entry, header.n + m->size, e) != RC_OK)
		return e->rc;
	if (entry->there)
		return RC_OK;
	if (within_quota(b, entry, header.n + m->size, false, e) != RC_OK)
		return e->rc;
	b->octets += m->size;
	if (write_and_move(b, entry, buf_str(&header), m, e) != RC_OK)
		return e->rc;
	struct err unheard; /* it is delivered, counted or not */
	(void)within_quota(b, entry, header.n + m->size, true, &unheard);
	return RC_OK;
}

/* What the system refuses is our own trouble and may pass; only a judgement is for good. */
static void
judge(struct err *e)
{
	if (e->sys == 0 && e->rc == RC_PERM)
		return;
	e->rc = RC_TEMP;
	if (e->sys == ENOSPC || e->sys == EDQUOT)
		(void)err_in(e, "mailbox full, or no room");
}

/* Folders may have been moved, replaced or unmounted under us: the next delivery looks anew. */
static void
doubt(struct batch *b, const struct entry *entry, const struct err *e)
{
	if (e->sys == 0 || e->sys == ENOSPC || e->sys == EDQUOT)
		return;
	folders_doubt(b->folders, mailbox_of(entry));
	layout_doubt(&b->layout);
}

static void
set_outcome(struct outcome *o, enum rc rc, const char *why)
{
	struct buf b = BUF_ON(o->why);

	o->rc = rc;
	buf_clear(&b);
	buf_add(&b, str_of(why));
}

void
batch_put(struct batch *b, const struct mail *m, const struct item_rcpt *to)
{
	struct entry *entry = &b->entries[b->count++];
	struct err e = {.rc = RC_OK};

	entry->outcome.id = m->id;
	entry->outcome.n = to->n;
	entry->there = false;
	entry->mailbox_n = 0;
	if (deliver(b, entry, m, to, &e) != RC_OK) {
		doubt(b, entry, &e);
		judge(&e);
		set_outcome(&entry->outcome, e.rc, e.text);
		return;
	}
	set_outcome(&entry->outcome, RC_OK, "");
	b->kept++;
}

bool
batch_full(const struct batch *b)
{
	return b->count == BATCH_MAX || b->octets >= BATCH_OCTETS_MAX || b->disk.broken;
}

unsigned
batch_count(const struct batch *b)
{
	return b->count;
}

const struct outcome *
batch_outcome(const struct batch *b, unsigned i)
{
	return &b->entries[i].outcome;
}

static enum rc
sync_batch(struct batch *b, struct err *e)
{
	if (b->disk.broken) {
		*e = b->disk.cause;
		return e->rc;
	}
	if (b->kept == 0)
		return RC_OK;
	if (folders_sync(b->folders, e) != RC_OK)
		return e->rc;
	return disk_sync_all(&b->disk, e);
}

enum rc
batch_sync(struct batch *b, struct err *e)
{
	if (sync_batch(b, e) == RC_OK)
		return RC_OK;
	batch_undo(b, e->text);
	return e->rc = RC_TEMP;
}

/*
 * A reader may have moved it to cur/ already. There it goes as well: a replay that found it
 * would take it for durable, and nothing can tell any more whether it is.
 */
static void
unlink_delivered(struct batch *b, const struct entry *entry)
{
	CLEANUP(fd_closep) int cur_fd = -1;
	struct folder *folder;
	struct mailfile_name found;
	struct err e;

	if (folders_get(b->folders, mailbox_of(entry), &folder, &e) == RC_OK &&
	    unlinkat(folder->new_fd, entry->name.c, 0) == 0)
		return;
	if (folders_find_seen(b->folders, mailbox_of(entry), &entry->name, &cur_fd, &found,
	                      &e) == RC_OK &&
	    cur_fd >= 0)
		(void)unlinkat(cur_fd, found.c,
		               0); /* if it stays, the replay writes over it or beside it */
}

void
batch_undo(struct batch *b, const char *why)
{
	for (unsigned i = 0; i < b->count; i++) {
		struct entry *entry = &b->entries[i];

		if (!entry->there)
			continue;
		unlink_delivered(b, entry);
		set_outcome(&entry->outcome, RC_TEMP, why);
	}
	b->kept = 0;
}

bool
batch_moved(const struct batch *b)
{
	return b->layout.moved;
}

void
batch_clear(struct batch *b)
{
	folders_settle(b->folders);
	b->count = 0;
	b->kept = 0;
	b->octets = 0;
}

struct batch *
batch_free(struct batch *b)
{
	if (b == NULL)
		return NULL;
	b->folders = folders_free(b->folders);
	layout_close(&b->layout);
	free(b);
	return NULL;
}
