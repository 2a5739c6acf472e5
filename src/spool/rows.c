/*
 * The rows of spool.db. See tables.h.
 *
 * Each carries a sum over what never changes in it: a damaged envelope is held, not delivered
 * elsewhere.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "spool/tables_inside.h"

static enum rc
missing(struct err *e, uint64_t id)
{
	(void)err_set(e, RC_PERM, "there is no row %llu", (unsigned long long)id);
	e->sys = ENOENT;
	return RC_PERM;
}

/* Binding numbers and static texts to a parameter that exists cannot fail. */
static void
bind_number(sqlite3_stmt *st, int at, uint64_t value)
{
	(void)sqlite3_bind_int64(st, at, (sqlite3_int64)value);
}

static uint64_t
column_number(sqlite3_stmt *st, int at)
{
	return (uint64_t)sqlite3_column_int64(st, at);
}

/* As stored, whatever type a damaged file gives it. */
static struct str
column_str(sqlite3_stmt *st, int at)
{
	const char *p = sqlite3_column_blob(st, at);

	return (struct str){p == NULL ? "" : p, (size_t)sqlite3_column_bytes(st, at)};
}

/* RC_OK: there is a row. */
static enum rc
look_up(struct tables *t, enum statement s, uint64_t id, struct err *e)
{
	bind_number(t->st[s], 1, id);
	int code = sqlite3_step(t->st[s]);

	if (code == SQLITE_DONE)
		(void)missing(e, id);
	else if (code != SQLITE_ROW)
		(void)tables_failed(t, e, "look up");
	(void)sqlite3_reset(t->st[s]);
	return code == SQLITE_ROW ? RC_OK : e->rc;
}

static uint64_t
sum_of(const uint64_t *numbers, size_t count, const struct str *texts, size_t texts_count)
{
	uint64_t le[8] = {0};

	for (size_t i = 0; i < count; i++)
		le[i] = htole64(numbers[i]);
	uint64_t sum = XXH3_64bits(le, sizeof(le));
	for (size_t i = 0; i < texts_count; i++)
		sum = XXH3_64bits_withSeed(texts[i].p, texts[i].n, sum);
	return sum;
}

static uint64_t
mail_sum(const struct mail_row *m)
{
	const uint64_t numbers[] = {m->id,   m->seq,  m->arrived_us, m->flags,
	                            m->size, m->hash, m->rcpts};
	const struct str texts[] = {
		{(const char *)m->client.octets, sizeof(m->client.octets)},
		m->sender,
		m->envid,
		m->helo,
		m->origin, /* counts where there is one: rows of version 1 have none */
	};

	return sum_of(numbers, LENGTH(numbers), texts, LENGTH(texts) - (m->origin.n == 0));
}

static uint64_t
rcpt_sum(const struct rcpt_row *r)
{
	const uint64_t numbers[] = {r->id, r->n, r->notify};
	const struct str texts[] = {r->mailbox, r->orig, r->orcpt};

	return sum_of(numbers, LENGTH(numbers), texts, LENGTH(texts));
}

enum rc
tables_put_mail(struct tables *t, const struct mail_row *m, struct err *e)
{
	sqlite3_stmt *st = t->st[PUT_MAIL];

	bind_number(st, 1, m->id);
	bind_number(st, 2, m->seq);
	bind_number(st, 3, m->arrived_us);
	bind_number(st, 4, m->flags);
	bind_number(st, 5, m->size);
	bind_number(st, 6, m->hash);
	bind_number(st, 7, m->rcpts);
	bind_number(st, 8, mail_sum(m));
	(void)sqlite3_bind_blob(st, 9, m->client.octets, sizeof(m->client.octets),
	                        SQLITE_STATIC);
	db_bind_str(st, 10, m->sender);
	db_bind_str(st, 11, m->envid);
	db_bind_str(st, 12, m->helo);
	(void)sqlite3_bind_blob(st, 13, m->body.n == 0 ? "" : m->body.p, (int)m->body.n,
	                        SQLITE_STATIC);
	db_bind_str(st, 14, m->origin);
	if (tables_run(t, PUT_MAIL, "keep a message", e) != RC_OK)
		return e->rc;
	t->tally.messages++;
	return RC_OK;
}

enum rc
tables_put_rcpt(struct tables *t, const struct rcpt_row *r, struct err *e)
{
	sqlite3_stmt *st = t->st[PUT_RCPT];

	bind_number(st, 1, r->id);
	bind_number(st, 2, r->n);
	bind_number(st, 3, r->state);
	bind_number(st, 4, r->tries);
	bind_number(st, 5, r->next_us);
	bind_number(st, 6, r->notify);
	bind_number(st, 7, rcpt_sum(r));
	db_bind_str(st, 8, r->mailbox);
	db_bind_str(st, 9, r->orig);
	db_bind_str(st, 10, r->orcpt);
	db_bind_str(st, 11, r->reply);
	db_bind_str(st, 12, r->route);
	if (tables_run(t, PUT_RCPT, "keep a recipient", e) != RC_OK)
		return e->rc;
	*(r->state == ROW_WAITING ? &t->tally.waiting : &t->tally.held) += 1;
	return RC_OK;
}

/* The last statement took that many rows out of this count; a damaged file may take more. */
static void
uncount(const struct tables *t, uint64_t *count)
{
	if (*count > 0)
		*count -= sqlite3_changes(t->db) > 0;
}

/* In any state: one that is out may be held by the operator meanwhile. */
enum rc
tables_drop_rcpt(struct tables *t, uint64_t id, unsigned n, struct err *e)
{
	static const enum statement steps[] = {DROP_RCPT, DROP_HELD};

	for (size_t i = 0; i < LENGTH(steps); i++) {
		bind_number(t->st[steps[i]], 1, id);
		bind_number(t->st[steps[i]], 2, n);
		if (tables_run(t, steps[i], "remove a recipient", e) != RC_OK)
			return e->rc;
		uncount(t, i == 0 ? &t->tally.waiting : &t->tally.held);
		if (sqlite3_changes(t->db) > 0)
			break;
	}
	return RC_OK;
}

enum rc
tables_drop_mail(struct tables *t, uint64_t id, struct err *e)
{
	bind_number(t->st[DROP_MAIL], 1, id);
	if (tables_run(t, DROP_MAIL, "remove a message", e) != RC_OK)
		return e->rc;
	uncount(t, &t->tally.messages);
	return RC_OK;
}

enum rc
tables_defer(struct tables *t, uint64_t id, unsigned n, uint64_t next_us, struct str reply,
             struct err *e)
{
	sqlite3_stmt *st = t->st[DEFER];

	bind_number(st, 1, id);
	bind_number(st, 2, n);
	bind_number(st, 3, next_us);
	db_bind_str(st, 4, reply);
	return tables_run(t, DEFER, "defer a recipient", e);
}

/* The operator was first: it is held already, and has one try and another reply. */
static enum rc
held_before(struct tables *t, uint64_t id, unsigned n, struct str reply, struct err *e)
{
	bind_number(t->st[TRIED], 1, id);
	bind_number(t->st[TRIED], 2, n);
	db_bind_str(t->st[TRIED], 3, reply);
	return tables_run(t, TRIED, "hold a recipient", e);
}

enum rc
tables_hold(struct tables *t, uint64_t id, unsigned n, struct str reply, struct err *e)
{
	sqlite3_stmt *st = t->st[HOLD];

	bind_number(st, 1, id);
	bind_number(st, 2, n);
	db_bind_str(st, 3, reply);
	if (tables_run(t, HOLD, "hold a recipient", e) != RC_OK)
		return e->rc;
	if (sqlite3_changes(t->db) == 0)
		return held_before(t, id, n, reply, e);
	t->tally.held++;
	uncount(t, &t->tally.waiting);
	return RC_OK;
}

static uint64_t *
count_of(struct tables *t, enum row_state state)
{
	return state == ROW_WAITING ? &t->tally.waiting : &t->tally.held;
}

enum rc
tables_move(struct tables *t, uint64_t id, unsigned n, enum row_state from, enum row_state to,
            uint64_t next_us, struct err *e)
{
	sqlite3_stmt *st = t->st[MOVE];

	bind_number(st, 1, id);
	bind_number(st, 2, n);
	bind_number(st, 3, from);
	bind_number(st, 4, to);
	bind_number(st, 5, next_us);
	if (tables_run(t, MOVE, "change a recipient", e) != RC_OK)
		return e->rc;
	uncount(t, count_of(t, from));
	*count_of(t, to) += sqlite3_changes(t->db) > 0;
	return RC_OK;
}

enum rc
tables_oldest(struct tables *t, uint64_t *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[OLDEST];
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW)
		*ret = column_number(st, 0); /* NULL, of no row, reads as 0 */
	else
		(void)tables_failed(t, e, "find the oldest message");
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	return code == SQLITE_ROW ? RC_OK : e->rc;
}

static void
read_mail(sqlite3_stmt *st, struct mail_row *m)
{
	struct str client = column_str(st, 8);

	*m = (struct mail_row){
		.id = column_number(st, 0),
		.seq = column_number(st, 1),
		.arrived_us = column_number(st, 2),
		.flags = (uint32_t)column_number(st, 3),
		.size = column_number(st, 4),
		.hash = column_number(st, 5),
		.rcpts = (unsigned)column_number(st, 6),
		.sender = column_str(st, 9),
		.envid = column_str(st, 10),
		.helo = column_str(st, 11),
		.body = column_str(st, 12),
		.origin = column_str(st, 13),
	};
	if (client.n == sizeof(m->client.octets))
		memcpy(m->client.octets, client.p, client.n);
}

enum rc
tables_mail(struct tables *t, uint64_t id, struct mail_row *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[MAIL];

	(void)sqlite3_reset(st); /* repeats the failure of an earlier step */
	bind_number(st, 1, id);
	int code = sqlite3_step(st);
	if (code == SQLITE_DONE)
		return missing(e, id);
	if (code != SQLITE_ROW)
		return tables_failed(t, e, "read a message");
	read_mail(st, ret);
	if (ret->id != id || column_number(st, 7) != mail_sum(ret))
		return tables_damaged(e, "the envelope", id);
	if (ret->body.n > 0 && XXH3_64bits(ret->body.p, ret->body.n) != ret->hash)
		return tables_damaged(e, "the body", id);
	return RC_OK;
}

void
tables_mail_end(struct tables *t)
{
	(void)sqlite3_reset(t->st[MAIL]); /* repeats the failure of the step */
}

bool
tables_has_mail(struct tables *t, uint64_t id)
{
	struct err e;

	/* where it cannot be read, nobody must take it for gone */
	return look_up(t, HAS_MAIL, id, &e) == RC_OK || e.sys != ENOENT;
}

enum rc
tables_has_rcpts(struct tables *t, uint64_t id, struct err *e)
{
	return look_up(t, HAS_RCPTS, id, e);
}

static void
read_rcpt(sqlite3_stmt *st, struct rcpt_row *r)
{
	*r = (struct rcpt_row){
		.id = column_number(st, 0),
		.n = (unsigned)column_number(st, 1),
		.state = column_number(st, 2) == ROW_WAITING ? ROW_WAITING : ROW_HELD,
		.tries = (uint32_t)column_number(st, 3),
		.next_us = column_number(st, 4),
		.notify = (uint8_t)column_number(st, 5),
		.mailbox = column_str(st, 7),
		.orig = column_str(st, 8),
		.orcpt = column_str(st, 9),
		.reply = column_str(st, 10),
		.route = column_str(st, 11),
	};
}

void
tables_rcpts(struct tables *t, uint64_t id)
{
	(void)sqlite3_reset(t->st[RCPTS]); /* repeats the failure of an earlier step */
	bind_number(t->st[RCPTS], 1, id);
}

enum rc
tables_rcpt_next(struct tables *t, struct rcpt_row *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[RCPTS];
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW) {
		read_rcpt(st, ret);
		return column_number(st, 6) == rcpt_sum(ret)
		               ? RC_OK
		               : tables_damaged(e, "a recipient", ret->id);
	}
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	if (code == SQLITE_DONE)
		return RC_AGAIN;
	(void)tables_failed(t, e, "read recipients");
	return e->rc = RC_TEMP; /* not one recipient, but the walk */
}

void
tables_rcpts_end(struct tables *t)
{
	(void)sqlite3_reset(t->st[RCPTS]); /* repeats the failure of the step */
}

enum rc
tables_due(struct tables *t, struct str route, struct due after, unsigned most, struct due *ret,
           unsigned *ret_count, struct err *e)
{
	sqlite3_stmt *st = t->st[DUE];
	unsigned count = 0;
	int code;

	bind_number(st, 1, after.us);
	bind_number(st, 2, after.id);
	bind_number(st, 3, after.n);
	bind_number(st, 4, most);
	db_bind_str(st, 5, route);
	while ((code = sqlite3_step(st)) == SQLITE_ROW && count < most)
		ret[count++] = (struct due){.us = column_number(st, 0),
		                            .id = column_number(st, 1),
		                            .n = (unsigned)column_number(st, 2)};
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		(void)tables_failed(t, e, "read what is due");
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	*ret_count = count;
	return code == SQLITE_DONE || code == SQLITE_ROW ? RC_OK : e->rc;
}

enum rc
tables_next_route(struct tables *t, struct str after, struct buf *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[NEXT_ROUTE];

	db_bind_str(st, 1, after);
	int code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		buf_add(ret, column_str(st, 0));
	else if (code == SQLITE_DONE)
		(void)missing(e, 0);
	else
		(void)tables_failed(t, e, "find a route");
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	return code == SQLITE_ROW ? RC_OK : e->rc;
}

enum rc
tables_reroute(struct tables *t, uint64_t id, unsigned n, struct str route, struct err *e)
{
	sqlite3_stmt *st = t->st[REROUTE];

	bind_number(st, 1, id);
	bind_number(st, 2, n);
	db_bind_str(st, 3, route);
	return tables_run(t, REROUTE, "reroute a recipient", e);
}

void
tables_list(struct tables *t, uint64_t id, unsigned n)
{
	(void)sqlite3_reset(t->st[LIST]); /* repeats the failure of an earlier step */
	bind_number(t->st[LIST], 1, id);
	bind_number(t->st[LIST], 2, n);
}

enum rc
tables_list_next(struct tables *t, struct listed *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[LIST];
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW) {
		read_rcpt(st, &ret->rcpt);
		ret->size = column_number(st, 12);
		ret->rcpts = (unsigned)column_number(st, 13);
		ret->sender = column_str(st, 14);
		return RC_OK;
	}
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	return code == SQLITE_DONE ? RC_AGAIN : tables_failed(t, e, "list the queue");
}

void
tables_list_end(struct tables *t)
{
	(void)sqlite3_reset(t->st[LIST]); /* repeats the failure of the step */
}

void
tables_census(struct tables *t, uint64_t id, unsigned n, unsigned most)
{
	(void)sqlite3_reset(t->st[CENSUS]); /* repeats the failure of an earlier step */
	bind_number(t->st[CENSUS], 1, id);
	bind_number(t->st[CENSUS], 2, n);
	bind_number(t->st[CENSUS], 3, most);
}

enum rc
tables_census_next(struct tables *t, struct census_row *ret, struct err *e)
{
	sqlite3_stmt *st = t->st[CENSUS];
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW) {
		*ret = (struct census_row){
			.id = column_number(st, 0),
			.n = (unsigned)column_number(st, 1),
			.state = column_number(st, 2) == ROW_WAITING ? ROW_WAITING : ROW_HELD,
			.route = column_str(st, 3)};
		return RC_OK;
	}
	(void)sqlite3_reset(st); /* repeats the failure of the step */
	return code == SQLITE_DONE ? RC_AGAIN : tables_failed(t, e, "count the queue");
}
