/*
 * control: the operator's socket. Requests of `sekisho queue`, `explain` and `user` are passed
 * to the process that knows (spool, store, vault), its answers back as JSON lines. `status` is
 * put together here, of what master, state and spool say.
 */
#include <stdlib.h>
#include <sys/random.h>
#include <sysexits.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "control/answer.h"
#include "control/client.h"
#include "control/http.h"
#include "control/status.h"
#include "control/values.h"
#include "role/role.h"

#define DEADLINE_MS 30000
#define SCRAPE_MS 5000      /* so long a collector waits for those that do not answer */
#define FRESH_MS 1000       /* and none is told anything newer than that */
#define REFUSED_LOG_MS 1000 /* between two lines about refused strangers */

struct control {
	struct clients *clients;
	uint32_t last_ask;
	uint64_t refused;        /* strangers since the last line about them */
	uint64_t refused_log_ms; /* the next line not before */
	char *room;              /* where answers are built, ANSWER_OCTETS_MAX */
	struct buf values;       /* being read: values.h */
	struct processes processes;
	struct gathering gatherings[CLIENTS_MAX]; /* one a client at most */
	struct http *http;
	struct gathering scrape; /* for all collectors that wait */
	struct event *scrape_late;
	struct buf text; /* of the metrics; for collectors while it is fresh */
	uint64_t text_ms;
};

static void on_line(void *arg, struct client *c, struct str line);
static bool on_late(void *arg, struct client *c);
static void on_scrape(void *arg);
static void on_scrape_late(evutil_socket_t fd, short what, void *arg);
static uint64_t wall_us(void *arg);
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
	                                                         .late = on_late,
	                                                         .refused = on_refused,
	                                                         .arg = r,
	                                                         .deadline_ms = DEADLINE_MS});
	self.http = http_new(
		r->base, (struct http_use){.scrape = on_scrape, .wall_us = wall_us, .arg = r});
	self.scrape_late = evtimer_new(r->base, on_scrape_late, r);
	self.text = (struct buf){.p = malloc(ANSWER_OCTETS_MAX), .cap = ANSWER_OCTETS_MAX};
	if (self.room == NULL || self.clients == NULL || self.http == NULL ||
	    self.scrape_late == NULL || self.text.p == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	return seed_json(e);
}

/* Never 0, which is nobody's. */
static uint32_t
next_ask(struct control *self)
{
	if (++self->last_ask == 0)
		self->last_ask = 1;
	return self->last_ask;
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
	self->http = http_free(self->http);
	event_free(self->scrape_late);
	values_forget(&self->values);
	free(self->text.p);
	self->text = (struct buf){.p = NULL};
	free(self->room);
	self->room = NULL;
}

/* ---- what several know ---- */

static void
write_metrics(struct role *r, const struct gathering *g)
{
	struct control *self = r->self;

	buf_clear(&self->text);
	metrics_text(&self->text, &self->processes, g, r->wall_us);
	self->text_ms = self->text.cut ? 0 : r->now_ms;
}

static void
finish_scrape(struct role *r)
{
	struct control *self = r->self;

	(void)evtimer_del(self->scrape_late); /* fails for one without a base only */
	self->scrape.ask = 0;
	write_metrics(r, &self->scrape);
	http_answer(self->http, self->text.cut ? STR_NONE : buf_str(&self->text));
}

static void
finish(struct role *r, struct gathering *g)
{
	struct control *self = r->self;

	if (g == &self->scrape) {
		finish_scrape(r);
		return;
	}
	struct client *c = clients_waiting(self->clients, g->ask);
	struct buf b = {.p = self->room, .cap = ANSWER_OCTETS_MAX};

	buf_clear(&b);
	if (c != NULL && request_is(client_request(c), "metrics")) {
		write_metrics(r, g);
		answer_metrics(&b, buf_str(&self->text));
		b.cut = b.cut || self->text.cut;
	} else {
		answer_status(&b, &self->processes, g, r->wall_us);
	}
	g->ask = 0;
	if (c != NULL && b.cut)
		client_fail(c, EX_TEMPFAIL, "out of memory, try again");
	else if (c != NULL)
		client_answer(c, buf_str(&b));
}

/* All who wait for that process do without. */
static void
miss(struct role *r, struct gathering *g, enum proc of)
{
	gathering_miss(g, of);
	if (g->ask != 0 && g->awaited == 0)
		finish(r, g);
}

static void
gatherings_miss(struct role *r, enum proc of)
{
	struct control *self = r->self;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		miss(r, &self->gatherings[i], of);
	miss(r, &self->scrape, of);
}

static struct gathering *
gathering_of(struct control *self, uint32_t ask)
{
	if (self->scrape.ask == ask)
		return &self->scrape;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (self->gatherings[i].ask == ask)
			return &self->gatherings[i];
	return NULL;
}

/* A place of nobody's, or of one who left: clients are no more than places. */
static struct gathering *
gathering_free(struct control *self)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (self->gatherings[i].ask == 0 ||
		    clients_waiting(self->clients, self->gatherings[i].ask) == NULL)
			return &self->gatherings[i];
	return NULL;
}

static bool
on_late(void *arg, struct client *c)
{
	struct role *r = arg;
	struct gathering *g = gathering_of(r->self, client_waits_for(c));

	if (g == NULL)
		return false;
	role_tick(r);
	gathering_miss(g, g->awaited);
	finish(r, g);
	return true;
}

static void
ask_one(const struct role *r, struct gathering *g, enum proc of, const struct msg *m)
{
	struct channel *peer = of == MASTER ? NULL : role_peer(r, of, 0);
	struct err e;
	enum rc rc = RC_TEMP;

	if (of == MASTER)
		rc = role_tell_master(r, m, &e);
	else if (peer != NULL)
		rc = channel_send(peer, m, &e);
	if (rc != RC_OK)
		gathering_miss(g, of);
}

/* Those that it awaits. */
static void
ask_all(struct role *r, struct gathering *g, const struct msg *m)
{
	unsigned of = g->awaited;

	for (unsigned i = 0; i < PROC_COUNT; i++)
		if ((of & proc_of(i)) != 0)
			ask_one(r, g, proc_of(i), m);
	if (g->awaited == 0)
		finish(r, g);
}

static void
gather(struct role *r, struct client *c, const struct request *q)
{
	struct control *self = r->self;
	struct gathering *g = gathering_free(self);
	struct msg m;

	if (g == NULL) {
		client_fail(c, EX_TEMPFAIL, "too many ask at once, try again");
		return;
	}
	gathering_begin(g, next_ask(self), q->verb->of);
	client_wait(c, q, g->ask, NULL);
	request_ask(q, g->ask, &m);
	ask_all(r, g, &m);
}

/* ---- collectors ---- */

static uint64_t
wall_us(void *arg)
{
	struct role *r = arg;

	role_tick(r);
	return r->wall_us;
}

static void
on_scrape(void *arg)
{
	static const struct timeval most = {.tv_sec = SCRAPE_MS / 1000};
	struct role *r = arg;
	struct control *self = r->self;
	struct gathering *g = &self->scrape;
	struct msg m;

	role_tick(r);
	/* however many ask, and however often, the others are asked once a second for them */
	if (self->text_ms != 0 && r->now_ms - self->text_ms < FRESH_MS) {
		http_answer(self->http, buf_str(&self->text));
		return;
	}
	gathering_begin(g, next_ask(self), STATE | SPOOL | MASTER);
	(void)evtimer_add(self->scrape_late,
	                  &most); /* no memory is needed for one that exists */
	m = (struct msg){.no = MSG_status_ask, .status_ask.ask = g->ask};
	ask_all(r, g, &m);
}

static void
on_scrape_late(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	struct control *self = r->self;

	(void)fd;
	(void)what;
	role_tick(r);
	gathering_miss(&self->scrape, self->scrape.awaited);
	if (self->scrape.ask != 0)
		finish(r, &self->scrape);
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

	gatherings_miss(r, channel_peer(c));
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
	uint32_t ask = next_ask(self);
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

	uint32_t ask = next_ask(self);
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
	struct gathering *g = ask == 0 ? NULL : gathering_of(r->self, ask);

	if (g != NULL && gathering_take(g, channel_peer(from), m) && g->awaited == 0)
		finish(r, g);
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
on_process(struct role *r, struct channel *from, const struct msg *m)
{
	struct control *self = r->self;

	if (!processes_note(&self->processes, &m->process))
		channel_cut(from, "more processes than a house has");
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_queue_answer] = on_queue_answer, [MSG_journal_answer] = on_journal_answer,
	[MSG_sender_rows] = on_sender_rows,   [MSG_user_answer] = on_user_answer,
	[MSG_state_status] = on_state_status, [MSG_spool_status] = on_spool_status,
	[MSG_process] = on_process,           [MSG_queue_changed] = on_queue_changed,
	[MSG_body_answer] = on_body_answer,   [MSG_master_answer] = on_master_answer,
	[MSG_copy_answer] = on_copy_answer,   [MSG_usages] = on_usages,
};

/* Beyond what every role has: its clients. */
static const char *const calls[] = {
	"accept4", "getsockopt", "recvfrom", "sendto", "shutdown", NULL,
};

static const struct walls walls = {
	.folder = FOLDER_EMPTY,
	.files = 80, /* CLIENTS_MAX, HTTP_CLIENTS_MAX, four channels, what every role has */
	.calls = calls,
};

int
main(int argc, char **argv)
{
	static const struct role_def def = {
		.me = CONTROL,
		.walls = &walls,
		.open = control_open,
		.peer_down = control_peer_down,
		.listener = control_listener,
		.reconfigure = control_reconfigure,
		.close = control_close,
		.handlers = handlers,
	};

	return role_main(&def, argc, argv);
}
