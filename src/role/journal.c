/*
 * The way to the journal. See journal.h.
 */
#include <stdlib.h>

#include "role/journal.h"

#define BLOCK_OCTETS 61440U
#define BLOCK_RECORDS 256U /* journal_put of msg.def */
#define FIELDS_MAX 1801U   /* with the NUL; record of item.def */

struct block {
	unsigned count;
	struct buf b;
	char room[BLOCK_OCTETS];
};

struct journal {
	struct block *ring[JOURNAL_BLOCKS]; /* made when first needed */
	unsigned first;
	unsigned used;
	uint64_t lost; /* records, since last said */
};

struct journal *
journal_new(void)
{
	return calloc(1, sizeof(struct journal));
}

struct journal *
journal_free(struct journal *j)
{
	for (unsigned i = 0; j != NULL && i < JOURNAL_BLOCKS; i++)
		free(j->ring[i]);
	free(j);
	return NULL;
}

static void
drop_first(struct journal *j)
{
	j->first = (j->first + 1) % JOURNAL_BLOCKS;
	j->used--;
}

/* An empty block behind the last; NULL when memory is out. */
static struct block *
next_block(struct journal *j)
{
	if (j->used == JOURNAL_BLOCKS) {
		j->lost += j->ring[j->first]->count;
		drop_first(j);
	}
	struct block **slot = &j->ring[(j->first + j->used) % JOURNAL_BLOCKS];
	if (*slot == NULL)
		*slot = malloc(sizeof(**slot));
	if (*slot == NULL)
		return NULL;
	(*slot)->count = 0;
	(*slot)->b = BUF_ON((*slot)->room);
	j->used++;
	return *slot;
}

static bool
add_to(struct block *b, const struct item_record *record)
{
	if (b == NULL || b->count == BLOCK_RECORDS || !item_add_record(&b->b, record))
		return false;
	b->count++;
	return true;
}

void
journal_put(struct journal *j, uint64_t id, uint64_t wall_us, struct str fields)
{
	struct item_record record = {.id = id, .at_us = wall_us, .fields = fields};
	struct block *last =
		j->used == 0 ? NULL : j->ring[(j->first + j->used - 1) % JOURNAL_BLOCKS];

	if (!add_to(last, &record) && !add_to(next_block(j), &record))
		j->lost++;
}

void
journal_add(struct journal *j, uint64_t id, uint64_t wall_us, const char *event,
            const struct kv *fields)
{
	char text[FIELDS_MAX];
	struct buf b = BUF_ON(text);

	log_fields(&b, event, fields);
	journal_put(j, id, wall_us, buf_str(&b));
}

bool
journal_is_empty(const struct journal *j)
{
	return j->used == 0;
}

bool
journal_is_eager(const struct journal *j)
{
	return j->used > 0 && j->ring[j->first]->count >= JOURNAL_EAGER;
}

static void
say_lost(struct journal *j)
{
	if (j->lost == 0)
		return;
	log_put(LOG_WARN, "journal_lost", KVS(kv_num("records", j->lost)));
	j->lost = 0;
}

void
journal_flush(struct journal *j, struct channel *store)
{
	struct err e;

	while (store != NULL && j->used > 0) {
		struct block *b = j->ring[j->first];
		struct msg m = {
			.no = MSG_journal_put,
			.journal_put.records = {b->count, buf_str(&b->b)}
                };
		enum rc rc = b->count == 0 ? RC_OK : channel_send(store, &m, &e);

		if (rc == RC_AGAIN || rc == RC_TEMP)
			return; /* kept for when it reads again, or for its successor */
		if (rc == RC_PERM) {
			log_say(LOG_ERROR, "journal_put", e.text);
			j->lost += b->count;
		}
		drop_first(j);
	}
	if (store != NULL)
		say_lost(j);
}
