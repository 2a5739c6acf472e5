/*
 * The folders of mailboxes: made at the first delivery (Maildir++: new, cur, tmp), kept open
 * while they are in use. Nothing planted in the place of a folder is followed or opened.
 */
#ifndef DELIVER_FOLDERS_H
#define DELIVER_FOLDERS_H

#include "base/err.h"
#include "base/str.h"
#include "deliver/disk.h"
#include "deliver/mailfile.h"

/* Open at once; the least recently used gives way. More than a batch has deliveries. */
#define FOLDERS_MAX 256

/* An operator may move a mailbox away: after so long its folder is looked up again. */
#define FOLDERS_FRESH_MS 1000

struct folders;
struct layout;

struct folder {
	int new_fd;    /* new/ */
	bool unsynced; /* set by whoever renames into it: it stays open until folders_settle */
};

/* <layout> stays the caller's, as does <disk>. NULL: memory is out. */
struct folders *folders_new(struct layout *layout, struct disk *disk);

/*
 * The folder of that mailbox, made where it is missing. Good until the next call here.
 * Where files are synced one by one, the folders above it are durable on return.
 */
enum rc folders_get(struct folders *f, struct str mailbox, struct folder **ret,
                    struct err *e) MUST_CHECK;

/*
 * It is not what we took it for (somebody deleted it): look it up again next time. What was
 * renamed into it is synced first, where files are synced one by one.
 */
enum rc folders_drop(struct folders *f, struct str mailbox, struct err *e) MUST_CHECK;

/* An error said that something is not as it was: look it up again, as soon as it is synced. */
void folders_doubt(struct folders *f, struct str mailbox);

/* Where files are synced one by one: each unsynced new/. */
enum rc folders_sync(const struct folders *f, struct err *e) MUST_CHECK;

/* What was renamed into them is durable or gone: none is unsynced. */
void folders_settle(struct folders *f);

/*
 * Look in the mailbox's cur/ for a file whose name before the flags (`:2,`) is <name>:
 * *ret_fd is cur/, the caller's, and *ret_found the whole name. No such file, or no cur/:
 * RC_OK and -1.
 */
enum rc folders_find_seen(const struct folders *f, struct str mailbox,
                          const struct mailfile_name *name, int *ret_fd,
                          struct mailfile_name *ret_found, struct err *e) MUST_CHECK;

struct folders *folders_free(struct folders *f);

#endif
