/*
 * Syncing. See disk.h.
 */
#include "deliver/disk.h"

#define WEIGHT 4 /* the mean follows three slow ones in a row, and forgets a single one */

/* Whatever errno says, EINTR included: nobody knows any more what is on the disk. */
static enum rc
failed(struct disk *d, const char *what, struct err *e)
{
	(void)err_sys(e, "sync %s", what);
	e->rc = RC_TEMP;
	d->broken = true;
	d->cause = *e;
	return RC_TEMP;
}

enum rc
disk_sync_one(struct disk *d, int fd, const char *what, struct err *e)
{
	if (d->each && d->calls->fsync(fd) != 0)
		return failed(d, what, e);
	return RC_OK;
}

/* A try after a slow time decides alone: what was before has nothing to do with it. */
static void
learn(struct disk *d, uint64_t began_ms, uint64_t now_ms)
{
	uint64_t took = now_ms - began_ms;

	d->mean_ms = d->retry_ms != 0 ? took : (d->mean_ms * (WEIGHT - 1) + took) / WEIGHT;
	d->each = d->mean_ms > DISK_SLOW_MS;
	d->retry_ms = d->each ? now_ms + DISK_RETRY_MS : 0;
}

enum rc
disk_sync_all(struct disk *d, struct err *e)
{
	uint64_t began_ms = d->calls->now_ms();

	if (d->each) {
		d->each = began_ms < d->retry_ms;
		return RC_OK;
	}
	if (d->calls->syncfs(d->fd) != 0)
		return failed(d, "the mail folder's file system", e);
	learn(d, began_ms, d->calls->now_ms());
	return RC_OK;
}
