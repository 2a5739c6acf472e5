/*
 * Deliveries that become durable together. Each file is written in a temporary folder that no
 * other process of ours writes in (a shared one costs 6-8 times: the directory's lock), renamed
 * into its mailbox's new/, and counts only after batch_sync.
 */
#ifndef DELIVER_BATCH_H
#define DELIVER_BATCH_H

#include "base/err.h"
#include "deliver/disk.h"
#include "deliver/mailfile.h"

#define BATCH_MAX 128                 /* deliveries */
#define BATCH_OCTETS_MAX (4ULL << 20) /* then one more delivery at most */

struct batch;
struct item_rcpt;

/* How the delivery to one recipient went. */
struct outcome {
	uint64_t id;
	uint16_t n;    /* the recipient's number */
	enum rc rc;    /* RC_OK: durable, once batch_sync says so; RC_TEMP, RC_PERM */
	char why[241]; /* printable; empty for RC_OK */
};

/*
 * The working directory is the mail folder, or the home of <user> where that is not empty
 * (layout.h). Its file system is opened. <host> is our host name; <calls> the system's, NULL
 * outside of tests.
 */
enum rc batch_open(struct str user, unsigned index, struct str host,
                   const struct disk_calls *calls, struct batch **ret,
                   struct err *e) MUST_CHECK;

/* What each mailbox may hold for which batch_put is called from now on, octets; 0: all. */
void batch_set_quota(struct batch *b, uint64_t octets);

/* Deliver to one recipient; what became of it is an outcome of the batch. Not when full. */
void batch_put(struct batch *b, const struct mail *m, const struct item_rcpt *to);

/* Sync before the next batch_put. */
bool batch_full(const struct batch *b);

unsigned batch_count(const struct batch *b);
const struct outcome *batch_outcome(const struct batch *b, unsigned i);

/*
 * Make it durable. On failure every file of the batch is gone again, no outcome is RC_OK, and
 * this process can make nothing durable any more: report, and leave.
 */
enum rc batch_sync(struct batch *b, struct err *e) MUST_CHECK;

/* Delete the batch's files: somebody else's sync failed, so ours prove nothing. */
void batch_undo(struct batch *b, const char *why);

/* The user has another Maildir now: it takes a new process to enter it. */
bool batch_moved(const struct batch *b);

/* Forget the outcomes: they have been reported, or nobody is there to hear them. */
void batch_clear(struct batch *b);

struct batch *batch_free(struct batch *b);

#endif
