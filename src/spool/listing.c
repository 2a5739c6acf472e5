/*
 * queue_ask: what the operator sees of the queue.
 */
#include "base/log.h"
#include "spool/spool.h"

#define ANSWER_OCTETS 61440 /* of rows: 32 of the longest fit */

static struct item_queued
item_of(const struct spool *sp, const struct listed *l)
{
	return (struct item_queued){
		.id = l->rcpt.id,
		.size = l->size,
		.n = (uint16_t)l->rcpt.n,
		.rcpts = (uint16_t)l->rcpts,
		.state = (uint8_t)select_state(sp, &l->rcpt),
		.tries = l->rcpt.tries,
		.next_us = l->rcpt.next_us,
		.sender = l->sender,
		.mailbox = l->rcpt.mailbox,
		.orig = l->rcpt.orig,
		.reply = l->rcpt.reply,
	};
}

/* Where it ends before the walk does, the row it ends with is the last one looked at. */
static enum rc
gather(struct spool *sp, const struct msg_queue_ask *m, struct selection *s, struct buf *b,
       unsigned *ret_count)
{
	struct listed l;
	struct err e;
	enum rc rc = RC_OK;

	select_begin(sp, s, m);
	while (*ret_count < m->most && (rc = select_next(sp, s, &l, &e)) == RC_OK) {
		struct item_queued item = item_of(sp, &l);

		/* a damaged row that no message can carry is not shown; it is held and said
		 * when it is due */
		if (item_add_queued(b, &item))
			(*ret_count)++;
	}
	select_end(sp);
	if (rc == RC_OK || rc == RC_AGAIN)
		return RC_OK;
	log_say(LOG_ERROR, "queue_ask", e.text);
	return RC_TEMP;
}

void
listing_answer(struct spool *sp, struct channel *c, const struct msg_queue_ask *m)
{
	static char room[ANSWER_OCTETS];
	struct buf b = BUF_ON(room);
	struct selection s = {.over = true};
	struct err e;
	unsigned count = 0;
	enum rc rc = sp->broken ? RC_TEMP : gather(sp, m, &s, &b, &count);
	struct msg answer = {
		.no = MSG_queue_answer,
		.queue_answer = {.ask = m->ask,
	                         .rc = (uint8_t)rc,
	                         .more = rc == RC_OK && !s.over,
	                         .id = s.id & INT64_MAX,
	                         .n = (uint16_t)(s.n <= 9999 ? s.n : 9999),
	                         .rows = {count, buf_str(&b)}}
        };

	if (channel_send(c, &answer, &e) != RC_OK)
		log_say(LOG_WARN, "queue_answer", e.text);
}
