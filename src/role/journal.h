/*
 * Records of decisions on their way to store: gathered, sent in pieces once a loop turn, kept
 * while store is gone. Bounded: past JOURNAL_BLOCKS pieces the oldest goes, and is counted.
 */
#ifndef ROLE_JOURNAL_H
#define ROLE_JOURNAL_H

#include "base/log.h"
#include "ipc/channel.h"

#define JOURNAL_BLOCKS 32   /* of at most 60 KiB each */
#define JOURNAL_WAIT_MS 50U /* the longest a record should wait for others */
#define JOURNAL_EAGER 64U   /* records that leave without waiting for more */

struct journal;

/* NULL when memory is out. */
struct journal *journal_new(void);

/* One record about transaction <id>; the same fields as its log line has. */
void journal_add(struct journal *j, uint64_t id, uint64_t wall_us, const char *event,
                 const struct kv *fields);

/* The same, its fields as log_fields printed them. One over its bounds is lost, and counted. */
void journal_put(struct journal *j, uint64_t id, uint64_t wall_us, struct str fields);

/* Does none wait? Do JOURNAL_EAGER? */
bool journal_is_empty(const struct journal *j);
bool journal_is_eager(const struct journal *j);

/* Send what there is; <store> is NULL while it is gone. Says in the log what was lost. */
void journal_flush(struct journal *j, struct channel *store);

struct journal *journal_free(struct journal *j);

#endif
