/*
 * How deliveries become durable: one syncfs for a whole batch, or, while syncfs has to wait
 * for other people's data, each file and folder by its own fsync. Measured alone, 28,000
 * files a second against 13,900.
 *
 * syncfs tells of an error once per open file description, and only of errors after it was
 * opened: so each process opens the file system before its first write, shares that
 * description with nobody, and after one error has nothing more to ask: it must leave.
 */
#ifndef DELIVER_DISK_H
#define DELIVER_DISK_H

#include "base/err.h"

#define DISK_SLOW_MS 100    /* syncfs over this, on average: fsync instead */
#define DISK_RETRY_MS 10000 /* then try syncfs again so often */

/* The system's; tests bring their own. */
struct disk_calls {
	int (*syncfs)(int fd);
	int (*fsync)(int fd);
	uint64_t (*now_ms)(void);
};

struct disk {
	const struct disk_calls *calls;
	int fd;            /* any folder of the file system; the owner's */
	bool each;         /* this batch is synced file by file */
	bool broken;       /* a sync failed: nothing unsynced counts, for good */
	struct err cause;  /* of that */
	uint64_t mean_ms;  /* of the last few syncfs */
	uint64_t retry_ms; /* where syncfs was slow: when to try it again */
};

/* Where each file counts for itself: fsync <fd>, <what> for the error. Else nothing. */
enum rc disk_sync_one(struct disk *d, int fd, const char *what, struct err *e) MUST_CHECK;

/* Where all count together: syncfs. Else nothing. Then chooses how the next batch is synced. */
enum rc disk_sync_all(struct disk *d, struct err *e) MUST_CHECK;

#endif
