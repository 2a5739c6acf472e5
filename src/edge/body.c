/*
 * Content on its way. See body.h.
 */
#include <stdlib.h>
#include <string.h>

#include "cfg/cfg.h"
#include "edge/body.h"
#include "edge/decide.h"
#include "edge/hash.h"
#include "edge/verbs.h"
#include "proto/header.h"
#include "proto/received.h"
#include "proto/smtp.h"

#define BODY_FIRST 8192U  /* octets of the smallest buffer */
#define SINK_OCTETS 4096U /* at once, of content that is discarded */

/* ---- the buffer ---- */

/* One octet stays free for the space that a last CR becomes (content_finish), one for a NUL. */
static bool
body_room(struct tx *t, size_t want)
{
	size_t cap = want + 2;

	if (cap > BODY_INLINE_MAX + 1)
		cap = BODY_INLINE_MAX + 1;
	if (!tx_take(t, cap - t->body.cap))
		return false;
	char *p = realloc(t->body.p, cap);
	if (p == NULL)
		return false;
	t->body.p = p;
	t->body.cap = cap;
	return true;
}

static bool
add_received(struct session *s, struct buf *b)
{
	const struct tx *t = s->tx;
	struct received r = {
		.helo = str_of(s->helo),
		.client = s->client,
		.host = s->env->cfg->hostname,
		.esmtp = s->esmtp,
		.lmtp = s->service == SERVICE_LMTP,
		.utf8 = (t->flags & MAIL_SMTPUTF8) != 0,
		.id = t->id,
		.rcpt = t->accepted == 1 ? t->rcpts[0].orig : STR_NONE, /* there is one */
		.wall_us = s->env->wall_us,
		.user = str_of(s->user),
	};

	return received_add(b, &r);
}

bool
body_begin(struct session *s, enum content_kind kind)
{
	struct tx *t = s->tx;
	size_t want = t->announced < BODY_INLINE_MAX ? (size_t)t->announced : BODY_INLINE_MAX;

	content_init(&t->content, kind);
	t->since_ms = s->env->now_ms;
	if (t->rcpt_count == 0) {
		tx_fail(t, REASON_discarded); /* read, for the client sends it, and forgotten */
		return true;
	}
	if (t->announced == 0)
		want = BODY_FIRST;
	if (!body_room(t, want + RECEIVED_MAX) || !add_received(s, &t->body))
		return false;
	return true;
}

/* ---- loops ---- */

/* RFC 5321 §6.3: a message that goes round shows it by its Received fields, or by having been
 * delivered to the very mailbox that it is for. */
static enum reason
find_loop(const struct tx *t, unsigned max_hops)
{
	struct str head = buf_str(&t->body);
	struct header_field f;
	unsigned hops = 0; /* with ours */

	while (header_next(&head, &f)) {
		hops += str_ieq(f.name, STR("Received"));
		if (str_ieq(f.name, STR("Delivered-To")) && tx_has(t, str_trim(f.value)))
			return REASON_delivered_before;
	}
	return hops > max_hops + 1 ? REASON_too_many_hops : REASON_NONE;
}

static void
check_loop(struct session *s)
{
	enum reason why = find_loop(s->tx, (unsigned)s->env->cfg->max_hops);

	if (why != REASON_NONE)
		tx_fail(s->tx, why);
}

/* ---- a long body goes to a writer ---- */

/* Ids count microseconds above 12 bits that are this edge's: spread over the writers. */
static unsigned
writer_of(const struct session *s)
{
	return (unsigned)((s->tx->id >> 12) % s->env->cfg->writers);
}

/* False where it cannot be sent, or not to the process that has the beginning. */
static bool
tell_writer(struct session *s, const struct msg *m)
{
	struct session_env *env = s->env;
	struct tx *t = s->tx;
	uint32_t link = env->link(env->arg, WRITER, t->writer);

	return link != 0 && link == t->writer_link && env->send(env->arg, WRITER, t->writer, m);
}

/* What is in memory now. The first piece holds the header: a loop shows in it. */
static bool
send_item(struct session *s)
{
	struct tx *t = s->tx;
	struct msg m = {
		.no = MSG_body_item, .body_item = {s->number, t->id, buf_str(&t->body)}
        };

	if (!t->in_file) {
		t->writer = writer_of(s);
		t->writer_link = s->env->link(s->env->arg, WRITER, t->writer);
		t->hash = hash_new();
		if (t->hash == NULL)
			return false;
	}
	if (!tell_writer(s, &m))
		return false;
	hash_add(t->hash, buf_str(&t->body));
	t->in_file = true;
	t->kept += t->body.n;
	buf_clear(&t->body);
	(void)session_await(s, AWAIT_ITEM, t->writer_link);
	return true;
}

static bool
send_end(struct session *s)
{
	struct tx *t = s->tx;
	struct msg m = {
		.no = MSG_body_end, .body_end = {s->number, t->id, t->kept}
        };

	if (!tell_writer(s, &m))
		return false;
	(void)session_await(s, AWAIT_FILE, t->writer_link);
	return true;
}

/* Memory is full: a larger buffer, or the writer. */
static void
make_room(struct session *s)
{
	struct tx *t = s->tx;

	if (t->body.cap <= BODY_INLINE_MAX) {
		if (!body_room(t, t->body.cap * 2))
			tx_fail(t, REASON_no_memory);
		return;
	}
	if (!t->in_file)
		check_loop(s);
	if (t->failed == REASON_NONE && !send_item(s))
		tx_fail(t, REASON_trouble);
}

/* ---- content from the client ---- */

/* Of the message: RFC 1870 §3 counts no octets that are there for the transfer only. Each of
 * those stands behind two of the message, so what bounds this bounds what is read. */
static uint64_t
content_octets(const struct tx *t)
{
	return t->wire - t->content.framing;
}

/* Take octets of <in> until it is empty, the data ends, or an answer is awaited. */
static bool
take(struct session *s, struct str *in)
{
	struct tx *t = s->tx;
	bool end = false;

	s->deadline_ms = s->env->now_ms + s->env->cfg->smtp_idle * 1000;
	while (in->n > 0 && !end && s->await == AWAIT_NOTHING) {
		char sink[SINK_OCTETS];
		struct buf discarded = BUF_ON(sink);
		struct buf held = t->body;
		struct buf *out = t->failed != REASON_NONE ? &discarded : &held;
		size_t was = in->n;

		held.cap -= held.cap > 0; /* see body_room */
		end = content_take(&t->content, in, out);
		t->wire += was - in->n;
		t->body.n = out == &held ? held.n : 0;
		if (content_octets(t) > s->env->cfg->message_size)
			tx_fail(t, REASON_too_big);
		if (in->n > 0 && !end && t->failed == REASON_NONE)
			make_room(s);
	}
	return end;
}

bool
body_data(struct session *s)
{
	bool end = take(s, &s->in);

	/* more than the size, so it has failed by now */
	if (!end && content_octets(s->tx) > s->env->cfg->message_size + SMTP_SIZE_SLACK) {
		struct reply r = decide(s, s->tx->failed, STR_NONE);

		r.close = true; /* reading on would be work for nothing */
		session_reply(s, r);
		return false;
	}
	if (end) {
		s->verb = verb_inner(".");
		session_reply(s, s->verb->run(s, STR_NONE));
	}
	return end;
}

/* All octets of the chunk are here. */
static struct reply
chunk_end(struct session *s)
{
	s->chunk_open = false;
	if (s->chunk_reply.code != 0)
		return s->chunk_reply;
	if (s->tx->failed != REASON_NONE && s->tx->failed != REASON_discarded)
		return decide(s, s->tx->failed, STR_NONE);
	if (!s->chunk_last)
		return (struct reply){.code = 250, .dsn = "2.0.0", .text = "chunk taken"};
	/* the reply decides what comes next; only farewells are sent without it */
	if (session_spoke_early(s, STR("QUIT\r\n")))
		return REPLY_LATER;
	s->verb = verb_inner("LAST");
	return s->verb->run(s, STR_NONE);
}

bool
body_chunk(struct session *s)
{
	size_t n = s->in.n < s->chunk_left ? s->in.n : (size_t)s->chunk_left;
	struct str piece = str_slice(s->in, 0, n);

	if (s->chunk_reply.code != 0)
		piece = STR_NONE; /* refused: nobody looks at it */
	else
		(void)take(s, &piece); /* BDAT has no end of its own */
	s->in = str_slice(s->in, n - piece.n, s->in.n);
	s->chunk_left -= n - piece.n;
	if (s->chunk_left > 0 || s->await != AWAIT_NOTHING)
		return false;
	session_reply(s, chunk_end(s));
	return true;
}

/* ---- the end ---- */

struct reply
body_go_on(struct session *s)
{
	struct tx *t = s->tx;
	bool sent = true;

	if (!t->in_file || t->file_ended)
		return body_commit(s);
	if (t->body.n > 0)
		sent = send_item(s);
	else
		sent = send_end(s);
	if (sent)
		return REPLY_LATER;
	tx_fail(t, REASON_trouble);
	return decide(s, t->failed, STR_NONE);
}

struct reply
body_end(struct session *s, struct str unused)
{
	struct tx *t = s->tx;

	(void)unused;
	t->ending = true;
	if (t->failed == REASON_NONE && !content_finish(&t->content, &t->body))
		tx_fail(t, REASON_no_memory); /* not so: body_room keeps an octet free */
	if (t->failed == REASON_NONE && !t->in_file)
		check_loop(s);
	if (t->failed == REASON_discarded)
		session_took(s);
	if (t->failed != REASON_NONE)
		return decide(s, t->failed, STR_NONE);
	return body_go_on(s);
}
