/*
 * The envelope on its way to the spool: mail_rcpts as often as needed, then mail_commit with
 * what fits beside the body into one message.
 */
#include "edge/body.h"
#include "edge/decide.h"
#include "edge/hash.h"
#include "edge/local.h"
#include "edge/session.h"
#include "proto/smtp.h"

#define LIST_MOST 100U /* recipients in one list of msg.def */
/* Lengths and numbers of an item rcpt, of mail_rcpts and of mail_commit on the wire (msg.c). */
#define RCPT_OCTETS 9U
#define RCPTS_OCTETS 16U
#define COMMIT_OCTETS (70U + ORIGIN_ROOM)
#define ORIGIN_ROOM 16U /* octets of "uid:4294967295" and the NUL */

/* A list while it is filled. */
struct batch {
	char room[MSG_OCTETS_MAX];
	struct buf b;
	unsigned count;
};

static size_t
rcpt_octets(const struct tx_rcpt *r)
{
	return RCPT_OCTETS + r->mailbox.n + r->orig.n + r->orcpt.n;
}

static size_t
all_octets(const struct tx *t)
{
	size_t n = 0;

	for (unsigned i = 0; i < t->rcpt_count; i++)
		n += rcpt_octets(&t->rcpts[i]);
	return n;
}

/* Recipients from number <from> on, as many as a list holds. Returns the next one's number. */
static unsigned
fill(struct batch *batch, const struct tx *t, unsigned from)
{
	batch->b = BUF_ON(batch->room);
	batch->b.cap -= RCPTS_OCTETS;
	batch->count = 0;
	while (from < t->rcpt_count && batch->count < LIST_MOST) {
		const struct tx_rcpt *r = &t->rcpts[from];
		struct item_rcpt item = {.n = (uint16_t)from,
		                         .notify = r->notify,
		                         .mailbox = r->mailbox,
		                         .orig = r->orig,
		                         .orcpt = r->orcpt};

		if (!item_add_rcpt(&batch->b, &item))
			break;
		batch->count++;
		from++;
	}
	return from;
}

static struct list
list_of(const struct batch *batch)
{
	return (struct list){batch->count, buf_str(&batch->b)};
}

static bool
send_rcpts(struct session *s, const struct batch *batch)
{
	struct msg m = {
		.no = MSG_mail_rcpts, .mail_rcpts = {s->tx->id, list_of(batch)}
        };

	if (!s->env->send(s->env->arg, SPOOL, 0, &m))
		return false;
	s->tx->rcpts_sent = true;
	return true;
}

static bool
send_commit(struct session *s, const struct batch *batch)
{
	const struct tx *t = s->tx;
	char room[ORIGIN_ROOM];
	struct buf origin = BUF_ON(room);
	struct msg m = {.no = MSG_mail_commit};

	local_origin(s, &origin);

	m.mail_commit = (struct msg_mail_commit){
		.session = s->number,
		.id = t->id,
		.flags = t->flags | (t->in_file ? MAIL_IN_FILE : 0),
		.size = t->kept + t->body.n,
		.hash = t->in_file ? hash_value(t->hash) : hash_once(buf_str(&t->body)),
		.client = s->client,
		.sender = t->sender,
		.envid = t->envid,
		.helo = str_of(s->helo),
		.origin = buf_str(&origin),
		.rcpts = list_of(batch),
		.body = buf_str(&t->body),
	};
	return s->env->send(s->env->arg, SPOOL, 0, &m);
}

/* Everything to one and the same spool, or nothing counts: its replacement has no mail_rcpts.
 */
static bool
send_all(struct session *s)
{
	const struct tx *t = s->tx;
	size_t room = MSG_OCTETS_MAX - COMMIT_OCTETS - t->sender.n - t->envid.n -
	              str_of(s->helo).n - t->body.n;
	size_t left = all_octets(t);
	unsigned from = 0;
	struct batch batch;

	while (t->rcpt_count - from > LIST_MOST || left > room) {
		from = fill(&batch, t, from);
		left -= batch.b.n;
		if (batch.count == 0 || !send_rcpts(s, &batch))
			return false;
	}
	(void)fill(&batch, t, from); /* all of them: it has been counted */
	return send_commit(s, &batch);
}

struct reply
body_commit(struct session *s)
{
	uint32_t link = s->env->link(s->env->arg, SPOOL, 0);

	if (link == 0 || !send_all(s))
		return decide(s, REASON_trouble, STR_NONE);
	s->tx->committed = true;
	return session_await(s, AWAIT_COMMIT, link);
}
