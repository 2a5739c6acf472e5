/*
 * One delivered file: its name, the fields put on top, its octets. Knows no folder.
 */
#ifndef DELIVER_MAILFILE_H
#define DELIVER_MAILFILE_H

#include <limits.h>

#include "base/buf.h"
#include "base/err.h"

#define MAILFILE_CHUNK 65536U    /* octets of a body file copied at a time */
#define MAILFILE_HEADER_MAX 2048 /* three fields of 320 octets, folded */
#define MAILFILE_HOST_MAX 100    /* octets of our host name in a file's name */

/* One message to deliver, as the spool describes it. Borrows everything. */
struct mail {
	uint64_t id;
	uint64_t seq;  /* the spool's number of it, never used twice */
	bool again;    /* may have been delivered before a crash */
	uint64_t size; /* octets of the body */
	uint64_t hash; /* XXH3 of the body, 64 bits, no seed */
	struct str sender;
	struct str body; /* where body_fd is negative */
	int body_fd;     /* read from its start, whatever its offset */
};

struct mailfile_name {
	char c[NAME_MAX + 1];
};

/*
 * SECONDS.SEQ_ID_N.HOST,S=SIZE: all from what the spool keeps, so a replay gives the same
 * name, and none from clock or pid, so no two deliveries share one. <host> as
 * mailfile_add_host wrote it; <size> is the whole file's.
 */
struct mailfile_name mailfile_name_of(const struct mail *m, unsigned n, struct str host,
                                      uint64_t size);

/*
 * Our host name as a part of a file's name: `/` and `:` (https://cr.yp.to/proto/maildir.html),
 * and all else that no host name has, as \ooo; cut after MAILFILE_HOST_MAX octets.
 */
void mailfile_add_host(struct buf *b, struct str host);

/* Return-Path, X-Original-To, Delivered-To. RC_PERM where a value cannot stand in a field. */
enum rc mailfile_add_header(struct buf *b, struct str sender, struct str orig,
                            struct str mailbox, struct err *e) MUST_CHECK;

/*
 * Write <header> and the body, which must have the size and hash the spool says: RC_PERM where
 * it has not; what was written is then worth nothing. <chunk> has MAILFILE_CHUNK octets.
 */
enum rc mailfile_write(int fd, struct str header, const struct mail *m, char *chunk,
                       struct err *e) MUST_CHECK;

#endif
