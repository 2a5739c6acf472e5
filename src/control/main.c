/*
 * control: the operator's socket. Requests of `sekisho queue`, `explain` and `user` are passed
 * to the process that knows (spool, store, vault), its answers back as JSON lines. `status` is
 * put together here, of what master, state and spool say.
 */
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>

#include <jansson.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "control/answer.h"
#include "control/client.h"
#include "control/control.h"
#include "control/http.h"
#include "control/values.h"
#include "role/role.h"

#define DEADLINE_MS 30000
#define REFUSED_LOG_MS 1000 /* between two lines about refused strangers */

static void on_line(void *arg, struct client *c, struct str line);
static void on_refused(void *arg, uid_t uid, pid_t pid);

/* jansson would otherwise open a file to seed its hashes. */
static enum rc
seed_json(struct err *e)
{
	size_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return err_sys(e, "getrandom");
	json_object_seed(seed | 1); /* 0 would mean: find one */
	return RC_OK;
}

static enum rc
control_open(struct role *r, struct err *e)
{
	static struct control self;

	r->self = &self;
	self.room = malloc(ANSWER_OCTETS_MAX);
	self.clients = clients_new(r->base, (struct clients_use){.line = on_line,
	                                                         .late = gather_late,
	                                                         .refused = on_refused,
	                                                         .arg = r,
	                                                         .deadline_ms = DEADLINE_MS});
	if (self.room == NULL || self.clients == NULL || !gather_open(r))
		return err_set(e, RC_TEMP, "out of memory");
	return seed_json(e);
}

static void
control_listener(struct role *r, unsigned number, int fd)
{
	struct control *self = r->self;
	struct err e;

	if ((number == LISTENER_METRICS ? http_listen(self->http, fd, &e)
	                                : clients_listen(self->clients, fd, &e)) != RC_OK)
		log_say(LOG_ERROR, "listener", e.text);
}

static enum rc
control_reconfigure(struct role *r, const struct cfg *next, struct err *e)
{
	struct control *self = r->self;

	(void)next;
	(void)e;
	http_close(self->http); /* master sends the next one, if there is to be one */
	values_forget(&self->values);
	return RC_OK;
}

static void
control_close(struct role *r)
{
	struct control *self = r->self;

	self->clients = clients_free(self->clients);
	gather_close(r);
	values_forget(&self->values);
	free(self->room);
	self->room = NULL;
}

struct gone {
	char text[64];
};

static struct gone
gone_text(enum proc of)
{
	struct gone g;
	struct buf b = BUF_ON(g.text);

	buf_addf(&b, "%s is not there, try again", proc_name(of));
	return g;
}

static void
control_peer_down(struct role *r, struct channel *c)
{
	struct control *self = r->self;

	gather_peer_down(r, c);
	clients_channel_gone(self->clients, c, gone_text(channel_peer(c)).text);
}

static void
on_refused(void *arg, uid_t uid, pid_t pid)
{
	struct role *r = arg;
	struct control *self = r->self;

	role_tick(r);
	self->refused++;
	if (r->now_ms < self->refused_log_ms)
		return;
	log_put(LOG_WARN, "operator_refused",
	        KVS(kv_num("uid", uid), kv_num("pid", (uint64_t)pid),
	            kv_num("times", self->refused)));
	self->refused = 0;
	self->refused_log_ms = r->now_ms + REFUSED_LOG_MS;
}

/* ---- requests ---- */

static void
log_change(const struct request *q)
{
	struct kv fields[PARAM_COUNT + 3] = {{.type = KV_END_TYPE}}; /* the last one stays so */

	(void)request_fields(q, fields, PARAM_COUNT + 2);
	log_put(LOG_INFO, "operator", fields);
}

/* What control itself knows. */
static void
answer_here(const struct role *r, struct client *c, const struct request *q)
{
	struct control *self = r->self;
	struct buf b = {.p = self->room, .cap = ANSWER_OCTETS_MAX};

	buf_clear(&b);
	answer_values(&b, q, r->cfg, &self->values);
	if (b.cut)
		client_fail(c, EX_TEMPFAIL, "out of memory, try again");
	else
		client_answer(c, buf_str(&b));
}

static void
ask_master(const struct role *r, struct client *c, const struct request *q)
{
	struct control *self = r->self;
	uint32_t ask = control_next_ask(self);
	struct err e;
	struct msg m;

	request_ask(q, ask, &m);
	if (role_tell_master(r, &m, &e) != RC_OK)
		client_fail(c, EX_TEMPFAIL, gone_text(MASTER).text);
	else
		client_wait(c, q, ask, NULL);
}

static void
pass_on(const struct role *r, struct client *c, const struct request *q)
{
	struct control *self = r->self;
	struct channel *peer = role_peer(r, q->verb->of, 0);
	struct err e;
	struct msg m;

	uint32_t ask = control_next_ask(self);
	request_ask(q, ask, &m);
	if (peer == NULL || channel_send(peer, &m, &e) != RC_OK)
		client_fail(c, EX_TEMPFAIL, gone_text(q->verb->of).text);
	else
		client_wait(c, q, ask, peer);
}

static void
on_line(void *arg, struct client *c, struct str line)
{
	struct role *r = arg;
	struct request q;
	struct err e;

	role_tick(r);
	if (request_read(line, &q, &e) != RC_OK) {
		client_fail(c, EX_PROTOCOL, e.text);
		return;
	}
	q.uid = client_uid(c);
	if (q.verb->changes && !request_has(&q, PARAM_id)) /* the next page: the same change */
		log_change(&q);
	if (q.verb->of == CONTROL)
		answer_here(r, c, &q);
	else if (q.verb->of == MASTER)
		ask_master(r, c, &q);
	else if (request_gathers(&q))
		gather(r, c, &q);
	else
		pass_on(r, c, &q);
}

/* ---- answers ---- */

typedef void answer_writer(struct buf *b, const struct request *q, const struct msg *m);

/* An answer that nobody waits for any more, or not from there, is dropped. */
static void
on_answer(struct role *r, const struct channel *from, const struct msg *m, uint32_t ask,
          answer_writer *write_lines)
{
	struct control *self = r->self;
	struct client *c = clients_waiting(self->clients, ask);
	struct buf b = {.p = self->room, .cap = ANSWER_OCTETS_MAX};

	if (c == NULL || client_request(c)->verb->answer != m->no ||
	    client_request(c)->verb->of != channel_peer(from))
		return;
	buf_clear(&b);
	write_lines(&b, client_request(c), m);
	if (b.cut)
		client_fail(c, EX_TEMPFAIL, "out of memory, try again");
	else
		client_answer(c, buf_str(&b));
}

static void
on_queue_answer(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->queue_answer.ask, answer_queue);
}

static void
on_queue_changed(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->queue_changed.ask, answer_changed);
}

static void
on_body_answer(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->body_answer.ask, answer_body);
}

static void
on_copy_answer(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->copy_answer.ask, answer_copy);
}

static void
on_journal_answer(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->journal_answer.ask, answer_journal);
}

static void
on_user_answer(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->user_answer.ask, answer_user);
}

static void
on_sender_rows(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->sender_rows.ask, answer_senders);
}

static void
on_master_answer(struct role *r, struct channel *from, const struct msg *m)
{
	on_answer(r, from, m, m->master_answer.ask, answer_master);
}

static void
on_part(struct role *r, const struct channel *from, const struct msg *m, uint32_t ask)
{
	gather_part(r, channel_peer(from), m, ask);
}

static void
on_state_status(struct role *r, struct channel *from, const struct msg *m)
{
	on_part(r, from, m, m->state_status.ask);
}

static void
on_spool_status(struct role *r, struct channel *from, const struct msg *m)
{
	on_part(r, from, m, m->spool_status.ask);
}

static void
on_usages(struct role *r, struct channel *from, const struct msg *m)
{
	on_part(r, from, m, m->usages.ask);
}

static void
on_metric_answer(struct role *r, struct channel *from, const struct msg *m)
{
	gather_counts(r, from, &m->metric_answer);
}

static void
on_process(struct role *r, struct channel *from, const struct msg *m)
{
	struct control *self = r->self;

	if (!processes_note(&self->known.processes, &m->process))
		channel_cut(from, "more processes than a house has");
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_queue_answer] = on_queue_answer,
	[MSG_journal_answer] = on_journal_answer,
	[MSG_sender_rows] = on_sender_rows,
	[MSG_user_answer] = on_user_answer,
	[MSG_state_status] = on_state_status,
	[MSG_spool_status] = on_spool_status,
	[MSG_process] = on_process,
	[MSG_queue_changed] = on_queue_changed,
	[MSG_body_answer] = on_body_answer,
	[MSG_master_answer] = on_master_answer,
	[MSG_copy_answer] = on_copy_answer,
	[MSG_usages] = on_usages,
	[MSG_metric_answer] = on_metric_answer,
};

/* Beyond what every role has: its clients. */
static const char *const calls[] = {
	"accept4", "getsockopt", "recvfrom", "sendto", "shutdown", NULL,
};

static const struct walls walls = {
	.folder = FOLDER_EMPTY,
	/* CLIENTS_MAX, HTTP_CLIENTS_MAX, channels, what every role has */
	.files = 80 + PEERS_MAX,
	.calls = calls,
};

int
main(int argc, char **argv)
{
	static const struct role_def def = {
		.me = CONTROL,
		.walls = &walls,
		.open = control_open,
		.begin = gather_begin,
		.peer_down = control_peer_down,
		.listener = control_listener,
		.reconfigure = control_reconfigure,
		.close = control_close,
		.handlers = handlers,
	};

	return role_main(&def, argc, argv);
}
