/*
 * Bodies being written: each is a temporary file until its end came, its size is right, and it
 * is synced; only then does it get the name under which spool looks for it.
 *
 * The process's working directory is the folder. A body is named by its id; what is being
 * written by writer number W is `.W-ID`, so that each writer may clear its own at its start.
 */
#ifndef WRITER_FILES_H
#define WRITER_FILES_H

#include <sys/queue.h>

#include "base/err.h"
#include "base/str.h"

#define FILES_MOST 512 /* being written at once */

/* One body being written, for one owner. */
struct file {
	TAILQ_ENTRY(file) link;
	uint64_t id;
	const void *owner;
	uint64_t size; /* octets so far */
	int fd;
};

struct files {
	TAILQ_HEAD(file_list, file) open;
	unsigned count;
	unsigned writer;
	int folder;
	bool broken; /* a sync of the folder failed: what later ones say proves nothing */
};

/* Removes what a writer with this number left behind. */
enum rc files_open(struct files *f, unsigned writer, struct err *e) MUST_CHECK;

/* The body <id> of <owner>, or NULL. */
struct file *files_find(const struct files *f, uint64_t id, const void *owner);

/* Begin it. RC_TEMP past FILES_MOST. */
enum rc files_begin(struct files *f, uint64_t id, const void *owner, struct file **ret,
                    struct err *e) MUST_CHECK;

/* On failure the caller drops it: how much was written cannot be told. */
enum rc files_add(struct file *file, struct str octets, struct err *e) MUST_CHECK;

/*
 * Its octets are <size>, it is on the disk, and so is its name; or, on any failure, it is
 * gone. Either way <file> is freed. A failed sync is not tried again: the kernel reports it
 * once and forgets what it could not write.
 */
enum rc files_end(struct files *f, struct file *file, uint64_t size, struct err *e) MUST_CHECK;

/* What has its final name is not ours to drop any more: a row may name it. */
void files_drop(struct files *f, struct file *file);
void files_drop_all(struct files *f, const void *owner);

#endif
