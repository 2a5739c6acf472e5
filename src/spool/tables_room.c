/*
 * A spool.db in a temporary folder. See tables_room.h.
 */
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/test.h"
#include "spool/tables_room.h"

void
room_reopen(struct room *r)
{
	struct err e = {.text = ""};

	r->t = tables_close(r->t);
	if (tables_open(r->path, &r->t, &e) != RC_OK)
		fail_msg("%s", e.text);
}

int
room_setup(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	struct buf dir = BUF_ON(r->dir);
	struct buf path = BUF_ON(r->path);
	struct buf log = BUF_ON(r->log);

	buf_add(&dir, STR("/tmp/sekisho-tables-XXXXXX"));
	assert_non_null(mkdtemp(r->dir));
	buf_addf(&path, "%s/spool.db", r->dir);
	buf_addf(&log, "%s-wal", r->path);
	room_reopen(r);
	*state = r;
	return 0;
}

int
room_teardown(void **state)
{
	struct room *r = *state;

	r->t = tables_close(r->t);
	(void)unlink(r->path);
	(void)unlink(r->log);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

struct mail_row
room_mail(uint64_t id, struct str body)
{
	return (struct mail_row){.id = id,
	                         .seq = id + 1,
	                         .arrived_us = NOW,
	                         .flags = 3,
	                         .size = body.n,
	                         .hash = XXH3_64bits(body.p, body.n),
	                         .rcpts = 1,
	                         .client = {{1}},
	                         .sender = STR("a@example.net"),
	                         .helo = STR("client.example"),
	                         .body = body};
}

struct rcpt_row
room_rcpt(uint64_t id, unsigned n, uint64_t next_us)
{
	return (struct rcpt_row){.id = id,
	                         .n = n,
	                         .next_us = next_us,
	                         .mailbox = STR("b@example.org"),
	                         .orig = STR("B@example.org"),
	                         .orcpt = STR("rfc822;b@example.org")};
}

enum rc
room_put(struct tables *t, uint64_t id, struct str body, struct err *e)
{
	struct mail_row m = room_mail(id, body);
	struct rcpt_row r = room_rcpt(id, 0, NOW);

	if (tables_begin(t, e) != RC_OK || tables_put_mail(t, &m, e) != RC_OK)
		return e->rc;
	return tables_put_rcpt(t, &r, e);
}

void
room_must_put(struct tables *t, uint64_t id, struct str body)
{
	struct err e = {.text = ""};

	if (room_put(t, id, body, &e) != RC_OK || tables_commit(t, &e) != RC_OK)
		fail_msg("%s", e.text);
}
