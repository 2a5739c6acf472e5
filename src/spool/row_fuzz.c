/*
 * Whatever the rows of spool.db hold, in whatever types: what goes out to a deliver decodes,
 * names only recipients whose rows are sound, and has the body whose hash the row says; the
 * rest is held or skipped; and the work ends.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "spool/spool.h"
#include "spool/tables_inside.h"

#define NOW UINT64_C(1700000000000000)
#define ID 77U
#define ROUNDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct cfg cfg;
	struct spool spool;
	struct channel *deliver;
	int end;
};

static void
no_message(void *arg, struct channel *c, const struct msg *m)
{
	(void)arg;
	(void)c;
	(void)m;
}

static void
no_end(void *arg, struct channel *c, const char *why)
{
	(void)arg;
	(void)c;
	(void)why;
}

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static struct world *
world(void)
{
	static struct world w;
	struct spool *sp = &w.spool;
	struct channel_use use = {no_message, no_end, NULL};
	int ends[2];
	struct err e;

	if (sp->tables != NULL)
		return &w;
	log_open(-1, "fuzz", LOG_ERROR); /* written nowhere */
	TAILQ_INIT(&sp->boxes);
	sp->cfg = &w.cfg;
	sp->retry = (struct retry){60, 14400, 432000};
	sp->wall_us = NOW;
	sp->boot = 1;
	must(tables_open(":memory:", &sp->tables, &e) == RC_OK);
	must(channel_pair(ends, &e) == RC_OK);
	w.end = ends[1];
	w.deliver = channel_new(event_base_new(), ends[0], SPOOL, DELIVER, 0, use);
	must(w.deliver != NULL);
	return &w;
}

static uint8_t
take(struct str *in)
{
	if (in->n == 0)
		return 0;
	uint8_t c = (uint8_t)in->p[0];
	*in = str_slice(*in, 1, in->n);
	return c;
}

static struct str
take_some(struct str *in, size_t most)
{
	size_t n = take(in) * 2U;

	if (n > most)
		n = most;
	struct str some = str_slice(*in, 0, n);
	*in = str_slice(*in, some.n, in->n);
	return some;
}

/* Any column gets any type. */
static void
damage_column(struct spool *sp, struct str *in)
{
	static const char *const statements[] = {
		"UPDATE mail SET id = ?1",      "UPDATE mail SET seq = ?1",
		"UPDATE mail SET flags = ?1",   "UPDATE mail SET size = ?1",
		"UPDATE mail SET hash = ?1",    "UPDATE mail SET rcpts = ?1",
		"UPDATE mail SET client = ?1",  "UPDATE mail SET sender = ?1",
		"UPDATE mail SET body = ?1",    "UPDATE mail SET sum = ?1",
		"UPDATE rcpt SET state = ?1",   "UPDATE rcpt SET tries = ?1",
		"UPDATE rcpt SET next_us = ?1", "UPDATE rcpt SET mailbox = ?1",
		"UPDATE rcpt SET orig = ?1",    "UPDATE rcpt SET sum = ?1",
		"UPDATE rcpt SET route = ?1",   "UPDATE mail SET origin = ?1",
		"UPDATE rcpt SET n = ?1",       "DELETE FROM mail WHERE ?1 = id",
	};
	sqlite3_stmt *st = NULL;
	const char *text = statements[take(in) % LENGTH(statements)];
	uint8_t type = take(in);
	struct str s = take_some(in, 64);
	int64_t number = 0;
	int failed = 0;

	must(sqlite3_prepare_v2(sp->tables->db, text, -1, &st, NULL) == SQLITE_OK);
	if (s.n > 0)
		memcpy(&number, s.p, s.n < sizeof(number) ? s.n : sizeof(number));
	if (type % 4 == 0)
		failed = sqlite3_bind_int64(st, 1, number);
	else if (type % 4 == 1)
		failed = sqlite3_bind_text(st, 1, s.n > 0 ? s.p : "", (int)s.n, SQLITE_STATIC);
	else if (type % 4 == 2)
		failed = sqlite3_bind_blob(st, 1, s.n > 0 ? s.p : "", (int)s.n, SQLITE_STATIC);
	must(failed == SQLITE_OK);
	(void)sqlite3_step(st); /* a number of two rows is refused */
	(void)sqlite3_finalize(st);
}

/* A message with sound sums over any octets. */
static void
put_message(struct spool *sp, struct str *in)
{
	struct err e;
	struct mail_row m = {.id = ID,
	                     .seq = (uint64_t)1 << 32 | take(in),
	                     .arrived_us = NOW,
	                     .flags = take(in) & 15,
	                     .rcpts = 1U + take(in) % 40};

	m.sender = take_some(in, 320);
	m.body = take_some(in, 500);
	m.size = m.body.n;
	m.hash = XXH3_64bits(m.body.p, m.body.n);
	must(tables_begin(sp->tables, &e) == RC_OK);
	must(tables_put_mail(sp->tables, &m, &e) == RC_OK);
	for (unsigned n = 0; n < m.rcpts; n++) {
		struct rcpt_row r = {.id = ID,
		                     .n = n * 300,
		                     .next_us = NOW - n % 3,
		                     .mailbox = take_some(in, 400),
		                     .orig = take_some(in, 400)};

		must(tables_put_rcpt(sp->tables, &r, &e) == RC_OK);
	}
}

static bool
is_sound(struct spool *sp, uint64_t id, unsigned n)
{
	struct rcpt_row r;
	struct err e;
	enum rc rc;
	bool sound = false;

	tables_rcpts(sp->tables, id);
	while ((rc = tables_rcpt_next(sp->tables, &r, &e)) == RC_OK || rc == RC_PERM)
		sound = sound || (rc == RC_OK && r.n == n && r.state == ROW_WAITING);
	tables_rcpts_end(sp->tables);
	return sound;
}

static void
check_sent(struct world *w)
{
	static char room[MSG_OCTETS_MAX];
	struct item_rcpt r;
	struct msg m;
	struct err e;
	ssize_t n;

	while ((n = recv(w->end, room, sizeof(room), MSG_DONTWAIT)) > 0) {
		must(msg_decode(SPOOL, DELIVER, (struct str){room, (size_t)n}, -1, &m, &e) ==
		     RC_OK);
		must(m.work.rcpts.count > 0);
		must(XXH3_64bits(m.work.body.p, m.work.body.n) == m.work.hash);
		while (item_next_rcpt(&m.work.rcpts, &r))
			must(is_sound(&w->spool, m.work.id, r.n));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};
	struct world *w = world();
	struct spool *sp = &w->spool;
	unsigned damages = take(&in) % 4;
	const char *why;

	sp->pause_ms = 0;
	must(routes_open(sp, (struct table_secret){
				     {1, 2}
        }));
	must(routes_deliver_up(sp, w->deliver, &why) && why == NULL);
	struct schedule *maildirs = route_find(sp, STR(""))->schedule;
	struct lane *l = schedule_lane(maildirs, w->deliver);
	put_message(sp, &in);
	for (unsigned i = 0; i < damages; i++)
		damage_column(sp, &in);
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		l->credit = 10;
		hand_out(sp);
		check_sent(w);
	}
	must(!sp->broken);
	must(schedule_first(maildirs) == NULL);
	tables_rollback(sp->tables);
	routes_close(sp);
	return 0;
}
