/*
 * For tests: the process's own disk. Linked into a test, these stand in front of the C
 * library's pread, pwrite, ftruncate, fdatasync and fsync, for SQLite's library as well: they
 * count, they fail on demand, and they know what a power cut may take: each write since the
 * last sync of its file, singly.
 */
#ifndef SPOOL_DISK_FAKE_H
#define SPOOL_DISK_FAKE_H

#include "base/defs.h"

struct disk_fake {
	unsigned calls; /* writes, truncations and syncs so far */
	unsigned syncs;
	unsigned cut_at;     /* power fails before this call; 0: never */
	uint64_t seed;       /* which of the unsynced writes are lost then */
	bool sync_is_empty;  /* a sync that says it did, and did not */
	unsigned fail_sync;  /* this one fails with EIO; 0: none */
	unsigned fail_write; /* this call fails with <fail_errno>; 0: none */
	int fail_errno;
	unsigned reads;
	unsigned fail_read; /* this read fails with EIO; 0: none */
};

extern struct disk_fake disk;

#endif
