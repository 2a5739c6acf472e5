/*
 * SMTP sessions: octets become commands and content, replies gather, answers of neighbours
 * come back in. See session.h; what the verbs do is in verbs.c, content in body.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "edge/body.h"
#include "edge/decide.h"
#include "edge/verbs.h"

#define ROOM_FIRST 256U /* octets of the smallest buffer */

static void session_run(struct session *s);

/* ---- buffers that are there only while they hold something ---- */

static size_t
room_for(size_t n)
{
	size_t cap = ROOM_FIRST;

	while (cap < n)
		cap *= 2;
	return cap;
}

/* Unread octets become ours: the feeder's are gone when it has them back. */
static bool
keep_input(struct session *s)
{
	char *room;

	if (s->in.n == 0) {
		free(s->in_room);
		s->in_room = NULL;
		return true;
	}
	if (s->in_room != NULL && s->in.p >= s->in_room)
		return true;
	room = malloc(room_for(s->in.n));
	if (room == NULL)
		return false;
	memcpy(room, s->in.p, s->in.n);
	s->in_room = room;
	s->in.p = room;
	return true;
}

/* What was left over and what came now, as one piece. */
static bool
join_input(struct session *s, struct str octets)
{
	if (s->in.n == 0) {
		s->in = octets;
		return true;
	}
	char *room = malloc(room_for(s->in.n + octets.n));
	if (room == NULL)
		return false;
	memcpy(room, s->in.p, s->in.n);
	memcpy(room + s->in.n, octets.p, octets.n);
	free(s->in_room);
	s->in_room = room;
	s->in = (struct str){room, s->in.n + octets.n};
	return true;
}

static void
drop_input(struct session *s)
{
	s->in = STR_NONE;
	free(s->in_room);
	s->in_room = NULL;
}

/* A reply that finds no room ends the session: a client that misses one misreads all others. */
static void
put_output(struct session *s, struct str text)
{
	if (s->out_n + text.n > s->out_cap) {
		size_t cap = room_for(s->out_n + text.n);
		char *room = realloc(s->out, cap);

		if (room == NULL) {
			(void)session_settle(s, (struct reply){.code = 421, .close = true});
			return;
		}
		s->out = room;
		s->out_cap = cap;
	}
	memcpy(s->out + s->out_n, text.p, text.n);
	s->out_n += text.n;
}

struct str
session_output(const struct session *s)
{
	return (struct str){s->out, s->out_n};
}

void
session_wrote(struct session *s, size_t octets)
{
	bool was_full = s->out_n >= SMTP_OUT_MAX;

	s->out_n -= octets;
	if (s->out_n > 0) {
		memmove(s->out, s->out + octets, s->out_n);
	} else {
		free(s->out);
		s->out = NULL;
		s->out_cap = 0;
	}
	if (was_full)
		session_run(s);
}

bool
session_over(const struct session *s)
{
	return s->state == ST_END;
}

bool
session_parted(const struct session *s)
{
	return s->parted;
}

bool
session_commits(const struct session *s)
{
	return s->await == AWAIT_COMMIT;
}

bool
session_wants_input(const struct session *s)
{
	return s->state == ST_CONNECT ||
	       (s->state != ST_END && s->await == AWAIT_NOTHING && s->out_n < SMTP_OUT_MAX);
}

/* ---- replies ---- */

struct reply
session_settle(struct session *s, struct reply r)
{
	if (r.code == 0)
		return r;
	if (r.close)
		s->state = ST_END;
	else if (r.code < 400 && s->verb->next != ST_SAME)
		s->state = s->verb->next;
	else if (r.code >= 400 && s->verb->failed != ST_SAME)
		s->state = s->verb->failed;
	if ((BIT(s->state) & IN_TX) == 0) {
		s->tx = tx_free(s->tx); /* by whatever road, a transaction goes whole */
		s->id = 0;
	}
	return r;
}

static void
print(struct session *s, struct reply r)
{
	char room[REPLY_OCTETS_MAX];
	struct buf b = BUF_ON(room);

	reply_print(s, &r, &b);
	assert(!b.cut); /* all texts are ours, and a test prints them all */
	put_output(s, buf_str(&b));
}

struct reply
session_end(struct session *s, enum reason why)
{
	struct netaddr_text client = netaddr_text(&s->client);

	log_put(LOG_INFO, "disconnect",
	        KVS(kv_text("client", client.c), kv_text("reason", reason_row(why)->name),
	            kv_text("state", state_name(s->state)), kv_num("errors", s->errors)));
	s->env->metrics.n[METRIC_ends + why]++;
	s->await = AWAIT_NOTHING;
	struct reply r = reason_reply(why);
	r.close = true;
	print(s, session_settle(s, r));
	return REPLY_LATER;
}

static uint64_t
idle_ms(const struct session *s)
{
	return s->env->cfg->smtp_idle * 1000;
}

void
session_reply(struct session *s, struct reply r)
{
	unsigned times = r.code == 0 ? 0 : verb_replies(s);

	r = session_settle(s, r);
	if (r.code == 0)
		return;
	for (unsigned i = 0; i < times; i++)
		print(s, r);
	s->deadline_ms = s->env->now_ms + idle_ms(s);
	s->errors += r.code >= 500;
	if (s->state == ST_END)
		return;
	if (s->errors >= s->env->cfg->smtp_max_errors)
		(void)session_end(s, REASON_too_many_errors);
	else if (s->env->draining && (BIT(s->state) & IN_TX) == 0)
		(void)session_end(s, REASON_stopping);
}

bool
session_spoke_early(struct session *s, struct str allowed)
{
	/* a user of this machine smuggles nothing through anybody: scripts may speak to -bs */
	if (s->in.n == 0 || str_istarts(allowed, s->in) || s->who == IDENTITY_LOCAL)
		return false;
	(void)session_end(s, REASON_unsynchronized);
	return true;
}

/* ---- commands ---- */

/* The rest of an overlong line is read, but not for ever. */
static bool
skip_line(struct session *s)
{
	size_t lf = str_find(s->in, '\n');
	bool ends = lf < s->in.n;

	s->skipped += ends ? lf + 1 : s->in.n;
	s->in = str_slice(s->in, lf + 1, s->in.n);
	if (s->skipped > SMTP_DISCARD_MAX) {
		(void)session_end(s, REASON_line_too_long);
		return false;
	}
	if (!ends)
		return false;
	s->skipping = false;
	session_reply(s, (struct reply){.code = 500, .dsn = "5.5.2", .text = "line too long"});
	return true;
}

/* A whole line, or false. Only CR LF ends one: what ends in a bare LF may have been smuggled.
 */
static bool
take_line(struct session *s, struct str *ret)
{
	size_t lf = str_find(str_slice(s->in, 0, SMTP_LINE_MAX), '\n');

	if (lf == s->in.n)
		return false;
	if (lf == SMTP_LINE_MAX) {
		s->skipping = true;
		s->skipped = 0;
		return false;
	}
	*ret = str_slice(s->in, 0, lf);
	s->in = str_slice(s->in, lf + 1, s->in.n);
	if (ret->n > 0 && ret->p[ret->n - 1] == '\r') {
		ret->n--;
		return true;
	}
	(void)session_end(s, REASON_bare_newline);
	return false;
}

/* False where no more can be done with what is held. */
static bool
command(struct session *s)
{
	struct str line;

	if (s->skipping)
		return skip_line(s);
	if (!take_line(s, &line))
		return s->skipping;
	session_reply(s, verb_say(s, line));
	return true;
}

static bool
step(struct session *s)
{
	if (s->state == ST_DATA)
		return body_data(s);
	if (s->chunk_open)
		return body_chunk(s);
	return command(s);
}

/* Octets, or a chunk that has none (left). */
static bool
has_work(const struct session *s)
{
	return s->in.n > 0 || (s->chunk_open && s->chunk_left == 0);
}

static void
session_run(struct session *s)
{
	while (has_work(s) && session_wants_input(s) && step(s))
		;
	if (s->state == ST_END)
		drop_input(s);
	else if (!keep_input(s))
		(void)session_end(s, REASON_no_memory);
}

void
session_feed(struct session *s, struct str octets)
{
	if (s->state == ST_CONNECT && octets.n > 0)
		(void)session_end(s, REASON_unsynchronized);
	if (s->state == ST_END)
		return;
	if (join_input(s, octets))
		session_run(s);
	else
		(void)session_end(s, REASON_no_memory);
}

/* ---- life ---- */

static bool
tell_state(struct session *s, const struct msg *m)
{
	return s->env->send(s->env->arg, STATE, 0, m);
}

static bool
count_me(struct session *s, bool again)
{
	struct msg m = {
		.no = MSG_conn_open, .conn_open = {s->number, again, s->client}
        };

	if (!tell_state(s, &m))
		return false; /* and never close what was not opened: state cuts us off */
	s->counted_link = s->env->link(s->env->arg, STATE, 0);
	return true;
}

struct session *
session_new(struct session_env *env, uint32_t number, const struct netaddr *client,
            enum cfg_service service, void *conn)
{
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->env = env;
	s->conn = conn;
	s->number = number;
	s->client = *client;
	s->service = service;
	env->metrics.n[METRIC_sessions + service]++;
	if (service == SERVICE_LOCAL && netaddr_is_local(client, &s->uid))
		s->who = IDENTITY_LOCAL;
	s->state = ST_CONNECT;
	s->deadline_ms = env->now_ms + idle_ms(s);
	if (env->draining)
		(void)session_end(s, REASON_stopping);
	else if (count_me(s, false))
		(void)session_await(s, AWAIT_VERDICT, s->counted_link);
	else
		(void)session_end(s, REASON_starting);
	return s;
}

struct session *
session_free(struct session *s)
{
	if (s == NULL)
		return NULL;
	struct msg m = {.no = MSG_conn_close, .conn_close = {s->number}};

	/* another state than the one that counted us has nothing to take back */
	if (s->counted_link == s->env->link(s->env->arg, STATE, 0))
		(void)tell_state(s, &m);
	(void)tx_free(s->tx);
	free(s->helo);
	free(s->user);
	drop_input(s);
	free(s->out);
	free(s);
	return NULL;
}

void
session_recount(struct session *s)
{
	if (s->state != ST_END && s->state != ST_CONNECT)
		(void)count_me(s,
		               true); /* a channel that is full from the start: not counted */
}

/* ---- answers ---- */

struct reply
session_await(struct session *s, enum await what, uint32_t link)
{
	s->await = what;
	s->await_link = link;
	s->await_since = s->env->now_ms;
	return REPLY_LATER;
}

/* The time it took is ours, not the client's. */
void
session_awaited(struct session *s)
{
	uint64_t took = s->env->now_ms - s->await_since;

	s->await = AWAIT_NOTHING;
	s->deadline_ms = s->env->now_ms + idle_ms(s);
	if (s->tx != NULL && s->tx->since_ms != 0)
		s->tx->since_ms += took;
}

void
session_answer(struct session *s, struct reply r)
{
	session_reply(s, r);
	session_run(s);
}

void
session_conn_verdict(struct session *s, unsigned verdict)
{
	static const enum reason refusals[] = {REASON_NONE, REASON_too_many_client,
	                                       REASON_too_many_all};

	if (s->await != AWAIT_VERDICT)
		return;
	session_awaited(s);
	if (refusals[verdict] != REASON_NONE)
		(void)session_end(s, refusals[verdict]);
	else
		session_reply(s, verb_greet(s));
}

void
session_rcpt_answer(struct session *s, const struct msg_rcpt_answer *a)
{
	if (s->await != AWAIT_RCPT || a->ask != s->ask)
		return;
	struct reply r = verb_rcpt_answer(s, a);
	if (r.code == 0)
		return; /* more to come, or the rate is asked for */
	session_awaited(s);
	session_answer(s, r);
}

/* Within the content a failure waits for its end: the client reads no reply before. */
static void
body_failed(struct session *s, enum reason why)
{
	bool ending = s->tx->ending;

	tx_fail(s->tx, why);
	if (ending)
		session_answer(s, decide(s, s->tx->failed, STR_NONE));
	else
		session_run(s);
}

void
session_body_reply(struct session *s, const struct msg_body_reply *a)
{
	enum await what = a->end ? AWAIT_FILE : AWAIT_ITEM;

	if (s->await != what || a->id != s->id)
		return;
	session_awaited(s);
	if (a->rc != RC_OK) {
		body_failed(s, a->full ? REASON_disk_full : REASON_not_kept);
	} else if (s->tx->ending) {
		s->tx->file_ended = a->end;
		session_answer(s, body_go_on(s));
	} else {
		session_run(s);
	}
}

void
session_took(struct session *s)
{
	s->messages++;
	s->errors = 0;
	s->junk = 0;
	s->discarded = 0;
}

void
session_mail_reply(struct session *s, const struct msg_mail_reply *a)
{
	enum reason why = REASON_kept;

	if (s->await != AWAIT_COMMIT || a->id != s->id)
		return;
	session_awaited(s);
	if (a->rc != RC_OK)
		why = a->full ? REASON_disk_full : REASON_not_kept;
	if (why == REASON_kept) {
		s->env->metrics.n[METRIC_kept_octets] += s->tx->kept + s->tx->body.n;
		session_took(s);
	}
	session_answer(s, decide(s, why, STR_NONE));
}

/* ---- trouble and time ---- */

/* The answer will not come. */
static void
give_up(struct session *s)
{
	enum await what = s->await;

	session_awaited(s);
	if (what == AWAIT_VERDICT) {
		(void)session_end(s, REASON_starting);
	} else if (what == AWAIT_ITEM || what == AWAIT_FILE) {
		body_failed(s, REASON_trouble);
	} else {
		if (what == AWAIT_RCPT || what == AWAIT_RATE)
			tx_refuse(s->tx);
		session_answer(s, decide(s, REASON_trouble, STR_NONE));
	}
}

void
session_link_lost(struct session *s, uint32_t link)
{
	if (s->await != AWAIT_NOTHING && s->await_link == link)
		give_up(s);
}

/* How long each answer may take: a client waits 5 minutes for RCPT, 10 for the end of data
 * (RFC 5321 §4.5.3.2). */
static const uint64_t patience_ms[] = {
	[AWAIT_VERDICT] = 30000, [AWAIT_SENDER] = 60000, [AWAIT_RCPT] = 60000,
	[AWAIT_RATE] = 30000,    [AWAIT_ITEM] = 120000,  [AWAIT_FILE] = 300000,
	[AWAIT_COMMIT] = 300000,
};

/* SLOW-01: a message comes at a rate, however its octets are spread. */
static bool
too_slow(const struct session *s)
{
	const struct cfg *c = s->env->cfg;
	const struct tx *t = s->tx;

	if (t == NULL || t->since_ms == 0)
		return false;
	uint64_t took_ms = s->env->now_ms - t->since_ms;
	if (took_ms <= c->smtp_data_grace * 1000)
		return false;
	return t->wire < c->smtp_data_rate * (took_ms / 1000 - c->smtp_data_grace);
}

void
session_tick(struct session *s)
{
	if (s->state == ST_END)
		return;
	if (s->await != AWAIT_NOTHING) {
		if (s->env->now_ms - s->await_since > patience_ms[s->await])
			give_up(s);
	} else if (too_slow(s)) {
		(void)session_end(s, REASON_too_slow);
	} else if (s->env->now_ms >= s->deadline_ms) {
		(void)session_end(s, REASON_timeout);
	}
}

void
session_drain(struct session *s)
{
	if (s->state != ST_END && (BIT(s->state) & IN_TX) == 0 && s->await == AWAIT_NOTHING)
		(void)session_end(s, REASON_stopping);
}
