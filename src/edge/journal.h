/*
 * Decisions on their way to the store: they leave in batches, and wait, up to a limit, while
 * the store is away. Nobody's session waits for them.
 */
#ifndef EDGE_JOURNAL_H
#define EDGE_JOURNAL_H

#include "ipc/msg.h"

#define JOURNAL_BATCHES 16U /* of up to 60 KiB each, in all that may wait */
#define JOURNAL_WAIT_MS 50U /* the longest a record waits for others */
#define JOURNAL_EAGER 64U   /* records that leave without waiting for more */

struct journal_batch;

struct journal {
	struct journal_batch *batches[JOURNAL_BATCHES]; /* the oldest first */
	unsigned count;
	uint64_t dropped; /* records there was no room for, since journal_dropped */
	/* False: the store is away or its channel full. */
	bool (*send)(void *arg, const struct msg *m);
	void *arg;
};

/* Returns true where this is the first to wait: see to it that journal_flush is called soon. */
bool journal_add(struct journal *j, uint64_t id, uint64_t wall_us, struct str fields);

/* After a loop turn: send if there are many. */
void journal_turn(struct journal *j);

/* Send all there are. */
void journal_flush(struct journal *j);

uint64_t journal_dropped(struct journal *j);

void journal_free(struct journal *j);

#endif
