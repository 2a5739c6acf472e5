/*
 * store: the journal of decisions. Records gather in memory, go to journal.db a batch at a
 * time, and are read back for the operator. Nobody ever waits for its disk: while that fails,
 * records wait here, and past a bound the oldest are lost and counted. doc/store.md.
 */
#include <errno.h>
#include <sysexits.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "role/copying.h"
#include "role/role.h"
#include "store/records.h"
#include "store/waiting.h"

#define WAITING_OCTETS (8U << 20) /* of records not yet written */
#define BATCH_RECORDS 2000        /* written at once when that many wait */
#define BATCH_MS 200              /* the longest that a record waits */
#define IDLE_MS 60000             /* between looks at what has become too old */
#define STEADY_MS \
	3600000       /* what a clock says is old, after a start or a jump, until then not */
#define RETRY_MS 5000 /* after a failure of the disk */
#define ANSWER_RECORDS 32 /* msg.def: in one journal_answer */

/* Its folder for journal.db and its WAL; nothing else. */
static const struct walls walls = {
	.folder = FOLDER_FILES,
	.files = 64 + PEERS_MAX, /* edges */
	.writes = true,
	.calls = (const char *const[]){DB_CALLS, "rename", NULL},
};

struct store {
	struct db_copy copy;     /* for the operator's backup */
	struct records *records; /* NULL while the file cannot be used */
	struct waiting *waiting;
	struct event *timer;
	struct clock_watch watch;
	uint64_t retry_ms; /* no attempt to open before this */
	bool failing;      /* logged; nothing more until it is over */
	bool armed;        /* the timer is set for what waits */
	unsigned peers;
	uint64_t leave_ms; /* draining: leave then at the latest */
};

/* ---- the disk ---- */

static void
disk_failed(struct role *r, const struct err *e)
{
	struct store *s = r->self;

	if (!s->failing)
		log_say(LOG_ERROR, "journal_failed", e->text);
	s->failing = true;
	db_copy_stop(&s->copy);
	s->records = records_close(s->records);
	s->retry_ms = r->now_ms + RETRY_MS;
}

static void
disk_works(struct store *s)
{
	if (s->failing)
		log_say(LOG_INFO, "journal_again", RECORDS_FILE " can be written again");
	s->failing = false;
}

static struct records_limits
limits_of(const struct cfg *c)
{
	return (struct records_limits){.octets = c->journal_size,
	                               .age_us = c->journal_age * 1000000};
}

static enum rc
open_records(const struct role *r, struct store *s, struct err *e)
{
	const struct records_limits limits = limits_of(r->cfg);

	return records_open(&limits, &s->records, e);
}

/* A damaged journal is kept for whoever wants to look into it, and a new one begun. */
static void
try_open(struct role *r)
{
	struct store *s = r->self;
	struct err e;
	struct err aside;

	if (s->records != NULL || r->now_ms < s->retry_ms)
		return;
	enum rc rc = open_records(r, s, &e);
	if (rc != RC_OK && e.sys == EBADMSG) {
		log_put(LOG_ERROR, "journal_damaged",
		        KVS(kv_text("text", e.text), kv_text("kept_as", RECORDS_ASIDE_FILE)));
		if (records_set_aside(&aside) == RC_OK)
			rc = open_records(r, s, &e);
		else
			e = aside;
	}
	if (rc != RC_OK)
		disk_failed(r, &e);
}

static void
say_lost(struct store *s)
{
	uint64_t lost = waiting_take_lost(s->waiting);

	if (lost > 0)
		log_put(LOG_WARN, "journal_lost", KVS(kv_num("records", lost)));
}

static void
arm(struct store *s, uint64_t ms)
{
	struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	s->armed = ms != IDLE_MS;
	(void)event_add(s->timer, &tv); /* fails without memory: the next record tries again */
}

/* Write what waits. False: it waits on. */
static bool
flush(struct role *r)
{
	struct store *s = r->self;
	struct err e;

	try_open(r);
	if (s->records == NULL)
		return false;
	if (records_write(s->records, s->waiting, &e) != RC_OK) {
		disk_failed(r, &e);
		return false;
	}
	disk_works(s);
	return true;
}

/* True: there is more to forget, soon. */
static bool
forget(struct role *r)
{
	struct store *s = r->self;
	bool more = false;
	struct err e;

	/* by a clock that was just set, right or wrong, all may be old: for an hour only size
	 * counts */
	bool steady = clock_steady_ms(&s->watch, r->now_ms, r->wall_us) >= STEADY_MS;
	if (records_forget(s->records, steady ? r->wall_us : 0, &more, &e) != RC_OK)
		disk_failed(r, &e);
	return more;
}

static bool
may_leave(const struct role *r)
{
	const struct store *s = r->self;

	return r->draining && (s->peers == 0 || r->now_ms >= s->leave_ms);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	struct store *s = r->self;

	(void)fd;
	(void)what;
	role_tick(r);
	uint64_t next_ms = !flush(r) ? RETRY_MS : forget(r) ? BATCH_MS : IDLE_MS;
	say_lost(s);
	arm(s, r->draining ? BATCH_MS : next_ms);
}

/* ---- messages ---- */

static void
on_journal_put(struct role *r, struct channel *from, const struct msg *m)
{
	struct store *s = r->self;
	struct list records = m->journal_put.records;
	struct item_record item;

	(void)from;
	while (item_next_record(&records, &item)) {
		struct record record = {item.id, item.at_us, item.fields};

		waiting_put(s->waiting, &record);
	}
}

/* One answer being filled. */
struct page {
	struct buf *b;
	unsigned count;
};

static void
add_to_page(void *arg, const struct record *record)
{
	struct page *p = arg;
	struct item_record item = {record->id, record->at_us, record->fields};

	/* false for a record that something else wrote into the file */
	if (item_add_record(p->b, &item))
		p->count++;
}

/* What waits because the disk fails. */
static bool
page_from_memory(const struct store *s, const struct msg_journal_ask *ask, struct page *page)
{
	const struct waiting_at *at = NULL;
	struct record record;
	uint32_t skip = ask->skip;

	while (waiting_next(s->waiting, &at, &record)) {
		if (record.id != ask->id)
			continue;
		if (skip > 0)
			skip--;
		else if (page->count == ANSWER_RECORDS)
			return true;
		else
			add_to_page(page, &record);
	}
	return false;
}

static void
on_journal_ask(struct role *r, struct channel *from, const struct msg *m)
{
	static char room[MSG_OCTETS_MAX];
	const struct msg_journal_ask *ask = &m->journal_ask;
	struct store *s = r->self;
	struct buf b = BUF_ON(room);
	struct page page = {.b = &b};
	bool more = false;
	struct err e = {.rc = RC_OK};
	enum rc rc = flush(r) ? RC_OK : RC_TEMP;

	if (rc == RC_OK) {
		rc = records_read(s->records, ask->id, ask->skip, ANSWER_RECORDS, add_to_page,
		                  &page, &more, &e);
		if (rc != RC_OK)
			disk_failed(r, &e);
	} else {
		more = page_from_memory(s, ask, &page);
	}
	struct msg answer = {
		.no = MSG_journal_answer,
		.journal_answer = {.ask = ask->ask,
	                           .rc = (uint8_t)rc,
	                           .more = more,
	                           .records = {page.count, buf_str(&b)}}
        };
	/* RC_TEMP: control is gone, and its end is about to be seen */
	if (channel_send(from, &answer, &e) != RC_OK && e.rc != RC_TEMP) {
		log_say(LOG_ERROR, "answer", e.text);
		channel_cut(from, "it could not be answered");
	}
}

static void
on_copy_ask(struct role *r, struct channel *from, const struct msg *m)
{
	struct store *s = r->self;
	sqlite3 *db = flush(r) ? records_connection(s->records) : NULL;

	copying_answer(&s->copy, db, from, &m->copy_ask, r->now_ms);
}

/* ---- life ---- */

static enum rc
store_open(struct role *r, struct err *e)
{
	static struct store store;

	r->self = &store;
	store.waiting = waiting_new(WAITING_OCTETS);
	store.timer = event_new(r->base, -1, 0, on_timer, r);
	if (store.waiting == NULL || store.timer == NULL)
		return err_set(e, RC_TEMP, "no memory for records");
	try_open(r);
	arm(&store, IDLE_MS);
	return RC_OK;
}

static void
store_peer_up(struct role *r, struct channel *c)
{
	struct store *s = r->self;

	(void)c;
	s->peers++;
}

static void
store_peer_down(struct role *r, struct channel *c)
{
	struct store *s = r->self;

	(void)c;
	s->peers--;
}

static void
store_turn(struct role *r)
{
	struct store *s = r->self;

	db_copy_tick(&s->copy, r->now_ms);
	if (may_leave(r))
		role_quit(r, EX_OK);
	else if (waiting_count(s->waiting) >= BATCH_RECORDS && s->records != NULL)
		(void)(flush(r) && forget(r)); /* a failure was logged; the timer goes on */
	else if (waiting_count(s->waiting) > 0 && !s->armed)
		arm(s, BATCH_MS);
}

static enum rc
store_reconfigure(struct role *r, const struct cfg *next, struct err *e)
{
	struct store *s = r->self;
	const struct records_limits limits = limits_of(next);

	(void)e;
	if (s->records != NULL)
		records_limit(s->records, &limits);
	arm(s, BATCH_MS); /* there may be more to forget now */
	return RC_OK;
}

/* Those who write have left before us; what they wrote last is still in the channels. */
static void
store_drain(struct role *r, uint64_t most_ms)
{
	struct store *s = r->self;

	s->leave_ms = r->now_ms + most_ms;
	arm(s, BATCH_MS);
}

static void
store_close(struct role *r)
{
	struct store *s = r->self;

	s->retry_ms = 0;
	if (!flush(r) && waiting_count(s->waiting) > 0)
		log_put(LOG_WARN, "journal_lost",
		        KVS(kv_num("records", waiting_count(s->waiting))));
	db_copy_stop(&s->copy);
	s->records = records_close(s->records);
	s->waiting = waiting_free(s->waiting);
	event_free(s->timer);
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_journal_put] = on_journal_put,
	[MSG_journal_ask] = on_journal_ask,
	[MSG_copy_ask] = on_copy_ask,
};

static const struct role_def def = {
	.me = STORE,
	.walls = &walls,
	.open = store_open,
	.turn = store_turn,
	.peer_up = store_peer_up,
	.peer_down = store_peer_down,
	.drain = store_drain,
	.reconfigure = store_reconfigure,
	.close = store_close,
	.handlers = handlers,
};

int
main(int argc, char **argv)
{
	db_before_walls();
	return role_main(&def, argc, argv);
}
