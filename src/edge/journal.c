/*
 * See journal.h.
 */
#include <stdlib.h>

#include "edge/journal.h"

#define RECORDS_MOST 256U /* in one journal_put, as msg.def has it */
#define BATCH_OCTETS 61440U

struct journal_batch {
	unsigned count;
	struct buf b;
	char room[BATCH_OCTETS];
};

static struct journal_batch *
batch_add(struct journal *j)
{
	if (j->count == JOURNAL_BATCHES)
		return NULL;
	struct journal_batch *b = malloc(sizeof(*b));
	if (b == NULL)
		return NULL;
	b->count = 0;
	b->b = BUF_ON(b->room);
	j->batches[j->count++] = b;
	return b;
}

static bool
put(struct journal_batch *b, const struct item_record *record)
{
	if (b == NULL || b->count == RECORDS_MOST || !item_add_record(&b->b, record))
		return false;
	b->count++;
	return true;
}

bool
journal_add(struct journal *j, uint64_t id, uint64_t wall_us, struct str fields)
{
	struct item_record record = {.id = id, .at_us = wall_us, .fields = fields};
	bool first = j->count == 0;

	if (!first && put(j->batches[j->count - 1], &record))
		return false;
	if (!put(batch_add(j), &record))
		j->dropped++;
	return first;
}

static void
batch_drop_first(struct journal *j)
{
	free(j->batches[0]);
	j->count--;
	for (unsigned i = 0; i < j->count; i++)
		j->batches[i] = j->batches[i + 1];
}

void
journal_flush(struct journal *j)
{
	while (j->count > 0) {
		const struct journal_batch *b = j->batches[0];
		struct msg m = {.no = MSG_journal_put,
		                .journal_put = {{b->count, buf_str(&b->b)}}};

		if (b->count > 0 && !j->send(j->arg, &m))
			return;
		batch_drop_first(j);
	}
}

void
journal_turn(struct journal *j)
{
	if (j->count > 0 && j->batches[0]->count >= JOURNAL_EAGER)
		journal_flush(j);
}

uint64_t
journal_dropped(struct journal *j)
{
	uint64_t dropped = j->dropped;

	j->dropped = 0;
	return dropped;
}

void
journal_free(struct journal *j)
{
	while (j->count > 0)
		batch_drop_first(j);
}
