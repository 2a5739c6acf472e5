/*
 * What `sekisho status` is answered. See status.h.
 */
#include <string.h>

#include "base/id.h"
#include "control/answer.h"
#include "control/status.h"
#include "ipc/sandbox.h"

static struct msg_process *
find(struct processes *ps, unsigned role, unsigned index)
{
	for (unsigned i = 0; i < ps->count; i++)
		if (ps->all[i].role == role && ps->all[i].index == index)
			return &ps->all[i];
	return NULL;
}

/* Behind the last of its role, so that they stand together. */
static struct msg_process *
make_room(struct processes *ps, unsigned role)
{
	unsigned at = ps->count;

	while (at > 0 && ps->all[at - 1].role != role)
		at--;
	if (at == 0)
		at = ps->count;
	memmove(&ps->all[at + 1], &ps->all[at], (ps->count - at) * sizeof(ps->all[0]));
	ps->count++;
	return &ps->all[at];
}

static void
forget(struct processes *ps, struct msg_process *p)
{
	const struct msg_process *end = &ps->all[ps->count--];

	memmove(p, p + 1, (size_t)(end - (p + 1)) * sizeof(*p));
}

bool
processes_note(struct processes *ps, const struct msg_process *p)
{
	struct msg_process *at = find(ps, p->role, p->index);

	if (p->gone != 0) {
		if (at != NULL)
			forget(ps, at);
		return true;
	}
	if (at == NULL && ps->count == PROCESSES_MAX)
		return false;
	if (at == NULL)
		at = make_room(ps, p->role);
	*at = *p;
	return true;
}

void
gathering_begin(struct gathering *g, uint32_t ask, unsigned awaited)
{
	*g = (struct gathering){.ask = ask, .awaited = awaited};
}

static void
take_usages(struct gathering *g, struct list usages)
{
	while (g->usage_count < PROCESSES_MAX &&
	       item_next_usage(&usages, &g->usages[g->usage_count]))
		g->usage_count++;
}

const struct item_usage *
gathering_usage(const struct gathering *g, const struct msg_process *p)
{
	for (unsigned i = 0; i < g->usage_count; i++)
		if (g->usages[i].role == p->role && g->usages[i].index == p->index)
			return &g->usages[i];
	return NULL;
}

bool
gathering_take(struct gathering *g, enum proc from, const struct msg *m)
{
	if ((g->awaited & from) == 0)
		return false;
	g->awaited &= ~(unsigned)from;
	if (from == MASTER) {
		take_usages(g, m->usages.usages);
		g->reloads = m->usages.reloads;
		g->reloads_refused = m->usages.refused;
	} else if (from == STATE) {
		g->state = m->state_status;
	} else {
		g->spool = m->spool_status;
	}
	if (from == SPOOL && g->spool.rc != RC_OK)
		g->silent |= SPOOL;
	return true;
}

void
gathering_miss(struct gathering *g, unsigned procs)
{
	g->silent |= (g->awaited | g->counts) & procs;
	g->awaited &= ~procs;
	g->counts &= ~procs;
	if ((procs & EDGE) == 0)
		return;
	g->silent |= g->edges != 0 ? (unsigned)EDGE : 0;
	g->edges = 0;
}

void
gathering_counted(struct gathering *g, enum proc of, unsigned index, bool missed)
{
	if (of == EDGE && index < PEERS_MAX)
		g->edges &= ~(UINT64_C(1) << index);
	if (missed)
		g->silent |= g->counts & (unsigned)of;
	g->counts &= ~(unsigned)of;
}

bool
gathering_over(const struct gathering *g)
{
	return g->awaited == 0 && g->counts == 0 && g->edges == 0;
}

/* ---- JSON ---- */

/* Where memory is out the list is shorter; nothing else could be said then. */
static void
add_name(json_t *list, struct str name)
{
	if (name.n > 0)
		(void)json_array_append_new(list, json_stringn(name.p, name.n));
}

/* Names of the walls that do not stand. */
static json_t *
json_missing(unsigned walls)
{
	char room[128];
	struct buf names = BUF_ON(room);
	json_t *list = json_array();

	walls_names(&names, (unsigned)WALL_ALL & ~walls);
	struct str rest = buf_str(&names);
	struct str name;
	while (list != NULL && str_cut(&rest, ' ', &name))
		add_name(list, name);
	return list;
}

static const char *
state_of(const struct msg_process *p)
{
	if (p->pid == 0)
		return "down";
	if (p->ready == 0)
		return "starting";
	return p->old != 0 ? "leaving" : "running";
}

static const char *const levels[] = {"error", "warn", "info", "debug"};

/* The walls of one that is not ready are not known yet. */
static json_t *
json_process(const struct msg_process *p, const struct gathering *g)
{
	const struct item_usage *u = gathering_usage(g, p);

	return json_pack(
		"{s:s, s:i, s:s, s:I, s:o, s:I, s:s, s:o, s:o, s:o}", "role",
		proc_name(proc_of(p->role)), "index", (int)p->index, "state", state_of(p),
		"pid", (json_int_t)p->pid, "since", answer_time(p->since_us), "replaced",
		(json_int_t)p->replaced, "log", levels[p->level], "missing_walls",
		p->ready != 0 ? json_missing(p->walls) : json_array(), "memory",
		u == NULL || u->memory == 0 ? json_null() : json_integer((json_int_t)u->memory),
		"cpu_us", u == NULL ? json_null() : json_integer((json_int_t)u->cpu_us));
}

static json_t *
json_processes(const struct processes *ps, const struct gathering *g)
{
	json_t *list = json_array();

	for (unsigned i = 0; list != NULL && i < ps->count; i++)
		if (proc_of(ps->all[i].role) != MASTER &&
		    json_array_append_new(list, json_process(&ps->all[i], g)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *
json_silent(unsigned silent)
{
	json_t *list = json_array();

	for (unsigned i = 0; list != NULL && i < PROC_COUNT; i++)
		if ((silent & BIT(i)) != 0)
			add_name(list, str_of(proc_name(proc_of(i))));
	return list;
}

static json_t *
json_connections(const struct gathering *g)
{
	if ((g->silent & STATE) != 0)
		return json_null();
	return json_pack("{s:I, s:I}", "now", (json_int_t)g->state.connections, "clients",
	                 (json_int_t)g->state.clients);
}

static json_t *
json_oldest(uint64_t id)
{
	return id == 0 ? json_null() : answer_id(id);
}

static json_t *
json_oldest_time(uint64_t id)
{
	return id == 0 ? json_null() : answer_time(id_wall_us(id));
}

/* Of this spool: they begin anew where it is replaced. */
static json_t *
json_counts(const struct msg_spool_status *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "kept", (json_int_t)s->kept, "delivered",
	                 (json_int_t)s->delivered, "deferred", (json_int_t)s->deferred,
	                 "stopped", (json_int_t)s->stopped, "deleted", (json_int_t)s->deleted);
}

/* Of a row, by word; the caller's. */
static json_t *
json_metric(const struct tally *t, unsigned first)
{
	const struct metric_row *row;
	json_t *o = json_object();

	for (size_t i = 0; o != NULL && (row = metric_row_at(i)) != NULL; i++)
		for (unsigned w = 0; row->first == first && w < row->count; w++) {
			struct str word = metric_word(row, w);
			char room[32];
			struct buf name = BUF_ON(room);

			buf_add(&name, word);
			/* where memory is out it is shorter */
			(void)json_object_set_new(
				o, name.p, json_integer((json_int_t)tally_value(t, row, w)));
		}
	return o;
}

static uint64_t
number_of(const struct tally *t, unsigned first)
{
	const struct metric_row *row;

	for (size_t i = 0; (row = metric_row_at(i)) != NULL; i++)
		if (row->first == first)
			return tally_value(t, row, 0);
	return 0;
}

/* What the last count of the queue found. */
static json_t *
json_census(const struct tally *t)
{
	if (!tally_knows(t, SPOOL))
		return json_null();
	return json_pack("{s:I, s:o, s:o, s:o, s:o}", "seconds",
	                 (json_int_t)number_of(t, METRIC_counted), "ages",
	                 json_metric(t, METRIC_ages), "waiting",
	                 json_metric(t, METRIC_route_waiting), "held",
	                 json_metric(t, METRIC_route_held), "oldest_seconds",
	                 json_metric(t, METRIC_route_oldest));
}

static json_t *
json_rate(struct pace_rate r)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f}", "seconds", r.seconds, "accepted",
	                 r.n[PACE_ACCEPTED], "delivered", r.n[PACE_DELIVERED], "deferred",
	                 r.n[PACE_DEFERRED], "refused", r.n[PACE_REFUSED]);
}

static json_t *
json_rates(const struct known *k, uint64_t now_ms)
{
	struct pace_counts now = tally_pace(&k->tally);

	return json_pack("{s:o, s:o}", "minute",
	                 json_rate(pace_over(&k->pace, now_ms, now, 60000)), "hour",
	                 json_rate(pace_over(&k->pace, now_ms, now, 3600000)));
}

static json_t *
json_queue(const struct gathering *g)
{
	const struct msg_spool_status *s = &g->spool;

	if ((g->silent & SPOOL) != 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:b, s:o}", "messages",
	                 (json_int_t)s->messages, "waiting", (json_int_t)s->waiting, "held",
	                 (json_int_t)s->held, "delivering", (json_int_t)s->out, "oldest",
	                 json_oldest(s->oldest), "oldest_arrived", json_oldest_time(s->oldest),
	                 "free", (json_int_t)s->room, "open", (int)s->open, "since_start",
	                 json_counts(s));
}

/* Of master, which began it all; zeroes until it has told us. */
static struct msg_process
master_of(const struct processes *ps)
{
	for (unsigned i = 0; i < ps->count; i++)
		if (proc_of(ps->all[i].role) == MASTER)
			return ps->all[i];
	return (struct msg_process){0};
}

void
answer_status(struct buf *b, const struct known *k, const struct gathering *g, uint64_t now_ms,
              uint64_t wall_us)
{
	const struct processes *ps = &k->processes;
	struct msg_process master = master_of(ps);
	/* 0 where the clock was set back behind our start */
	uint64_t up_us = wall_us > master.since_us ? wall_us - master.since_us : 0;

	answer_line(b,
	            json_pack("{s:{s:s, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}}", "row",
	                      "version", SEKISHO_VERSION, "pid", (json_int_t)master.pid,
	                      "since", answer_time(master.since_us), "uptime",
	                      (json_int_t)(up_us / 1000000), "processes", json_processes(ps, g),
	                      "connections", json_connections(g), "queue", json_queue(g),
	                      "counted", json_census(&k->tally), "rates", json_rates(k, now_ms),
	                      "silent", json_silent(g->silent)));
	answer_end(b, false);
}
