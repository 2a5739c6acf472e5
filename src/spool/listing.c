/*
 * queue_ask: what the operator sees of the queue.
 */
#include "base/log.h"
#include "spool/spool.h"

#define ANSWER_OCTETS 61440 /* of rows: 32 of the longest fit */

static uint8_t
state_of(const struct spool *sp, const struct rcpt_row *r)
{
	const struct route *route = route_find(sp, r->route);
	const struct task *t = route == NULL ? NULL : schedule_find(route->schedule, r->id);

	return t != NULL && task_out(t, r->n) != NULL ? ROW_OUT : (uint8_t)r->state;
}

static struct item_queued
item_of(const struct spool *sp, const struct listed *l)
{
	return (struct item_queued){
		.id = l->rcpt.id,
		.size = l->size,
		.n = (uint16_t)l->rcpt.n,
		.rcpts = (uint16_t)l->rcpts,
		.state = state_of(sp, &l->rcpt),
		.tries = l->rcpt.tries,
		.next_us = l->rcpt.next_us,
		.sender = l->sender,
		.mailbox = l->rcpt.mailbox,
		.orig = l->rcpt.orig,
		.reply = l->rcpt.reply,
	};
}

static enum rc
gather(struct spool *sp, const struct msg_queue_ask *m, struct buf *b, unsigned *ret_count)
{
	struct listed l;
	struct err e;
	enum rc rc = RC_OK;

	*ret_count = 0;
	tables_list(sp->tables, m->id, m->n);
	while (*ret_count < m->most && (rc = tables_list_next(sp->tables, &l, &e)) == RC_OK) {
		struct item_queued item = item_of(sp, &l);

		/* a damaged row that no message can carry is not shown; it is held and said
		 * when it is due */
		if (item_add_queued(b, &item))
			(*ret_count)++;
	}
	tables_list_end(sp->tables);
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
	struct msg answer = {.no = MSG_queue_answer, .queue_answer.ask = m->ask};
	struct err e;
	unsigned count = 0;
	enum rc rc = sp->broken ? RC_TEMP : gather(sp, m, &b, &count);

	answer.queue_answer.rc = (uint8_t)rc;
	answer.queue_answer.rows = (struct list){count, buf_str(&b)};
	if (channel_send(c, &answer, &e) != RC_OK)
		log_say(LOG_WARN, "queue_answer", e.text);
}
