/*
 * edge: speaks SMTP with clients. It holds its listening sockets, their connections and its
 * channels, and can open nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "edge/conn.h"
#include "edge/ours.h"
#include "role/journal.h"
#include "role/role.h"

#define GIVE_BACK_OCTETS (8U << 20) /* fewer are not worth the looking */
#define LISTENERS_MAX 64U
#define DESCRIPTORS (CONNS_MAX + 256U) /* connections, listeners, channels, the loop */

struct edge;

/* One listening socket. */
struct door {
	struct edge *edge;
	struct event *event;
	enum cfg_service service;
};

struct edge {
	struct role *role;
	struct session_env env;
	struct relay_ours ours;
	struct arena *arena; /* of <ours> */
	struct journal *journal;
	struct conns conns;
	struct door doors[LISTENERS_MAX];
	unsigned door_count;
	struct event *every_second;
	struct event *journal_due;
	uint64_t most_octets; /* of transactions, since memory was given back */
	uint32_t links;       /* channels so far: the number of the newest */
	uint64_t drain_by;    /* with env.draining: when what is left is cut */
	int shortage;         /* errno: some listeners wait for the next second */
	uint64_t since_us;    /* wall clock of our start */
	bool retired;         /* takes no more connections, serves those it has to their end */
};

/* Beyond those of every role: connections. */
static const char *const calls[] = {"accept4",    "getsockname", "getsockopt",
                                    "setsockopt", "shutdown",    NULL};

static const struct walls walls = {
	.folder = FOLDER_EMPTY, .files = DESCRIPTORS, .writes = false, .calls = calls};

static void
tick(void *arg)
{
	struct edge *e = arg;

	role_tick(e->role);
	e->env.now_ms = e->role->now_ms;
	e->env.wall_us = e->role->wall_us;
}

/* Handlers, hooks and turns come with the role's clocks read. */
static struct edge *
edge_of(struct role *r)
{
	struct edge *e = r->self;

	e->env.now_ms = r->now_ms;
	e->env.wall_us = r->wall_us;
	return e;
}

/* ---- what sessions ask for ---- */

static uint32_t
link_number(const struct channel *c)
{
	const uint32_t *number = c == NULL ? NULL : channel_data(c);

	return number == NULL ? 0 : *number;
}

static uint32_t
env_link(void *arg, enum proc to, unsigned index)
{
	const struct edge *e = arg;

	return link_number(role_peer(e->role, to, index));
}

/* Words that take something back: half of every queue is kept for them. */
static const bool takes_back[MSG_NO_MAX] = {
	[MSG_conn_close] = true, [MSG_body_drop] = true, [MSG_mail_drop] = true};

static bool
env_send(void *arg, enum proc to, unsigned index, const struct msg *m)
{
	const struct edge *edge = arg;
	struct channel *c = role_peer(edge->role, to, index);
	struct err e;

	if (c == NULL || (channel_queued(c) > CHANNEL_QUEUE_MAX / 2 && !takes_back[m->no]))
		return false;
	enum rc rc = channel_send(c, m, &e);
	if (rc == RC_PERM)
		log_say(LOG_ERROR, "message", e.text); /* a value of ours is over its bounds */
	return rc == RC_OK;
}

static bool
env_local(void *arg, void *conn, struct netaddr *ret)
{
	(void)arg;
	return conns_local(conn, ret);
}

static void
env_journal(void *arg, uint64_t id, struct str fields)
{
	static const struct timeval soon = {.tv_usec = JOURNAL_WAIT_MS * 1000L};
	struct edge *e = arg;

	if (journal_is_empty(e->journal))
		(void)event_add(e->journal_due, &soon); /* failed: the next second sends it */
	journal_put(e->journal, id, e->env.wall_us, fields);
}

static void
send_journal(struct edge *e)
{
	journal_flush(e->journal, role_peer(e->role, STORE, 0));
}

/* ---- answers ---- */

static void
on_conn_verdict(struct role *r, struct channel *from, const struct msg *m)
{
	struct session *s = conns_find(&edge_of(r)->conns, m->conn_verdict.session);

	(void)from;
	if (s == NULL)
		return;
	conns_look(s);
	session_conn_verdict(s, m->conn_verdict.verdict);
	conns_attend(s);
}

static void
on_sender_answer(struct role *r, struct channel *from, const struct msg *m)
{
	struct session *s = conns_find(&edge_of(r)->conns, m->sender_answer.session);

	(void)from;
	if (s == NULL)
		return;
	session_sender_answer(s, &m->sender_answer);
	conns_attend(s);
}

static void
on_rate_answer(struct role *r, struct channel *from, const struct msg *m)
{
	struct session *s = conns_find(&edge_of(r)->conns, m->rate_answer.session);

	(void)from;
	if (s == NULL)
		return;
	session_rate_answer(s, &m->rate_answer);
	conns_attend(s);
}

static void
on_rcpt_answer(struct role *r, struct channel *from, const struct msg *m)
{
	struct session *s = conns_find(&edge_of(r)->conns, m->rcpt_answer.session);

	(void)from;
	if (s == NULL)
		return;
	session_rcpt_answer(s, &m->rcpt_answer);
	conns_attend(s);
}

static void
on_body_reply(struct role *r, struct channel *from, const struct msg *m)
{
	struct session *s = conns_find(&edge_of(r)->conns, m->body_reply.session);

	(void)from;
	if (s == NULL)
		return;
	session_body_reply(s, &m->body_reply);
	conns_attend(s);
}

static void
on_mail_reply(struct role *r, struct channel *from, const struct msg *m)
{
	struct session *s = conns_find(&edge_of(r)->conns, m->mail_reply.session);

	(void)from;
	if (s == NULL)
		return;
	session_mail_reply(s, &m->mail_reply);
	conns_attend(s);
}

static void
on_spool_room(struct role *r, struct channel *from, const struct msg *m)
{
	struct edge *e = edge_of(r);
	bool full = m->spool_room.open == 0;

	(void)from;
	if (full != e->env.spool_full)
		log_say(full ? LOG_WARN : LOG_INFO, "spool_room", full ? "full" : "open");
	e->env.spool_full = full;
}

/* What is not said now is said by the next answer, or, at the end, lost with us. */
static void
tell_counts(struct edge *e, uint32_t ask)
{
	struct channel *c = role_peer(e->role, CONTROL, 0);
	struct err err;

	if (c != NULL &&
	    metric_answer(c, EDGE, ask, e->since_us, &e->env.metrics, &err) != RC_OK)
		log_say(LOG_WARN, "metric_answer", err.text);
}

static void
on_metric_ask(struct role *r, struct channel *from, const struct msg *m)
{
	(void)from;
	tell_counts(edge_of(r), m->metric_ask.ask);
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_conn_verdict] = on_conn_verdict, [MSG_rcpt_answer] = on_rcpt_answer,
	[MSG_body_reply] = on_body_reply,     [MSG_mail_reply] = on_mail_reply,
	[MSG_spool_room] = on_spool_room,     [MSG_sender_answer] = on_sender_answer,
	[MSG_rate_answer] = on_rate_answer,   [MSG_metric_ask] = on_metric_ask,
};

/* ---- neighbours come and go ---- */

static void
recount(struct session *s, uint32_t unused)
{
	(void)unused;
	session_recount(s);
}

static void
peer_up(struct role *r, struct channel *c)
{
	struct edge *e = edge_of(r);
	uint32_t *number = malloc(sizeof(*number));

	if (number != NULL)
		*number = ++e->links;
	channel_set_data(c, number); /* without one it counts as gone */
	if (channel_peer(c) == STATE)
		conns_walk(&e->conns, recount, 0);
	if (channel_peer(c) == SPOOL)
		e->env.spool_full = false; /* it says so at once if it is */
}

static void
peer_down(struct role *r, struct channel *c)
{
	conns_walk(&edge_of(r)->conns, session_link_lost, link_number(c));
	free(channel_data(c));
	channel_set_data(c, NULL);
}

/* ---- listening ---- */

static void stop_accepting(struct edge *e);

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	const struct door *d = arg;

	(void)what;
	tick(d->edge);
	if (!conns_accept(&d->edge->conns, fd, d->service))
		stop_accepting(d->edge);
}

/* Until the next second: those who knock wait in the kernel's queue. */
static void
stop_accepting(struct edge *e)
{
	e->shortage = e->conns.shortage;
	for (unsigned i = 0; i < e->door_count; i++)
		(void)event_del(e->doors[i].event); /* fails for one without a base only */
}

static void
accept_again(struct edge *e)
{
	struct err why;

	if (e->shortage == 0)
		return;
	errno = e->shortage;
	(void)err_sys(&why, "take a connection"); /* makes the text */
	log_say(LOG_WARN, "accept_failed", why.text);
	e->shortage = 0;
	for (unsigned i = 0; i < e->door_count; i++)
		if (event_add(e->doors[i].event, NULL) != 0)
			e->shortage = ENOMEM; /* in a second once more */
}

/* Connections inherit it: a reply of ours must not wait for a delayed ACK. */
static bool
no_delay(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;
}

static void
listener(struct role *r, unsigned number, int fd)
{
	CLEANUP(fd_closep) int own = fd;
	struct edge *e = edge_of(r);
	unsigned section = number / 2; /* LISTENER_NUMBER */
	struct err err;

	if (section >= r->cfg->listen_count || e->door_count == LISTENERS_MAX ||
	    (r->cfg->listens[section].path.n == 0 && !no_delay(fd)) ||
	    fd_nonblock(fd, &err) != RC_OK) {
		log_put(LOG_ERROR, "listener", KVS(kv_num("number", number)));
		return;
	}
	struct door *d = &e->doors[e->door_count];
	*d = (struct door){.edge = e, .service = r->cfg->listens[section].service};
	d->event = event_new(r->base, fd, EV_READ | EV_PERSIST, on_client, d);
	if (d->event == NULL || event_add(d->event, NULL) != 0) {
		log_say(LOG_ERROR, "listener", "out of memory");
		if (d->event != NULL)
			event_free(d->event);
		return;
	}
	e->door_count++;
	(void)fd_take(&own);
}

static void
stop_listening(struct edge *e)
{
	while (e->door_count > 0) {
		struct event *ev = e->doors[--e->door_count].event;
		int fd = event_get_fd(ev);

		event_free(ev);
		(void)close(fd);
	}
}

/* ---- time ---- */

static void
say_losses(struct edge *e)
{
	uint64_t refused = conns_refused(&e->conns);

	if (refused > 0)
		log_put(LOG_WARN, "connections_refused", KVS(kv_num("count", refused)));
}

/* What a crowd of transactions took lies scattered in the heap when they are gone: free keeps
 * it all, for a flood that may never come again. */
static void
give_back(struct edge *e)
{
	if (e->env.tx_octets > e->most_octets)
		e->most_octets = e->env.tx_octets;
	if (e->most_octets < GIVE_BACK_OCTETS || e->env.tx_octets > e->most_octets / 4)
		return;
	(void)malloc_trim(0); /* what cannot be given back stays for the next time */
	e->most_octets = e->env.tx_octets;
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct edge *e = arg;

	(void)fd;
	(void)what;
	tick(e);
	conns_tick(&e->conns);
	send_journal(e);
	say_losses(e);
	accept_again(e);
	give_back(e);
	if (e->env.draining && e->env.now_ms >= e->drain_by)
		conns_close_all(&e->conns);
}

static void
on_journal_due(evutil_socket_t fd, short what, void *arg)
{
	struct edge *e = arg;

	(void)fd;
	(void)what;
	tick(e);
	send_journal(e);
}

static void
turn(struct role *r)
{
	struct edge *e = edge_of(r);

	if (journal_is_eager(e->journal))
		send_journal(e);
	if ((!e->env.draining && !e->retired) || e->conns.count > 0)
		return;
	send_journal(e);
	tell_counts(e, 0);
	role_quit(r, EX_OK);
}

static void
drain_one(struct session *s, uint32_t unused)
{
	(void)unused;
	session_drain(s);
}

static void
drain(struct role *r, uint64_t most_ms)
{
	struct edge *e = edge_of(r);

	e->env.draining = true;
	e->drain_by = r->now_ms + most_ms;
	stop_listening(e);
	conns_walk(&e->conns, drain_one, 0);
}

/* What has connected already is served: a socket that nobody else has is about to close. */
static void
retire(struct role *r)
{
	struct edge *e = edge_of(r);

	for (unsigned i = 0; i < e->door_count; i++) { /* or nobody does */
		unsigned before;

		do {
			before = e->conns.count;
			(void)conns_accept(&e->conns, event_get_fd(e->doors[i].event),
			                   e->doors[i].service);
		} while (e->conns.count > before);
	}
	stop_listening(e);
	e->retired = true;
}

/* ---- life ---- */

static enum rc
make_timers(struct edge *e, struct err *err)
{
	static const struct timeval second = {.tv_sec = 1};

	e->every_second = event_new(e->role->base, -1, EV_PERSIST, on_second, e);
	e->journal_due = event_new(e->role->base, -1, 0, on_journal_due, e);
	if (e->every_second == NULL || e->journal_due == NULL ||
	    event_add(e->every_second, &second) != 0)
		return err_set(err, RC_TEMP, "make the timers");
	return RC_OK;
}

static enum rc
draw_salt(struct id_source *ids, struct err *e)
{
	uint8_t octet;

	if (getentropy(&octet, 1) < 0)
		return err_sys(e, "draw a random number");
	ids->salt = octet & 63U;
	return RC_OK;
}

static enum rc
edge_open(struct role *r, struct err *err)
{
	static struct edge edge;
	struct edge *e = &edge;

	r->self = e;
	e->role = r;
	e->since_us = clock_wall_us();
	e->arena = arena_new(CFG_OCTETS_MAX);
	e->env = (struct session_env){.cfg = r->cfg,
	                              .ours = &e->ours,
	                              .ids = {.maker = r->index},
	                              .link = env_link,
	                              .send = env_send,
	                              .local = env_local,
	                              .journal = env_journal,
	                              .arg = e};
	e->journal = journal_new();
	e->conns.base = r->base;
	e->conns.env = &e->env;
	e->conns.tick = tick;
	e->conns.arg = e;
	e->conns.spare_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (e->arena == NULL || e->journal == NULL)
		return err_set(err, RC_TEMP, "out of memory");
	if (ours_know(&e->ours, e->arena, r->cfg, err) != RC_OK ||
	    draw_salt(&e->env.ids, err) != RC_OK)
		return err->rc;
	return make_timers(e, err);
}

static void
edge_close(struct role *r)
{
	struct edge *e = r->self;

	conns_close_all(&e->conns);
	stop_listening(e);
	e->journal = journal_free(e->journal);
	event_free(e->every_second);
	event_free(e->journal_due);
	fd_closep(&e->conns.spare_fd);
	e->arena = arena_free(e->arena);
}

int
main(int argc, char **argv)
{
	static const struct role_def def = {
		.me = EDGE,
		.walls = &walls,
		.open = edge_open,
		.turn = turn,
		.peer_up = peer_up,
		.peer_down = peer_down,
		.listener = listener,
		.drain = drain,
		.retire = retire,
		.close = edge_close,
		.handlers = handlers,
	};

	return role_main(&def, argc, argv);
}
