/*
 * spool and its neighbours in a temporary folder. See house.h.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/test.h"
#include "proto/smtp.h"
#include "spool/house.h"

void
house_settle_in(struct house *h)
{
	struct msg m;

	h->spool = try_start(SPOOL, &h->cfg, h->folder);
	h->edge = try_link(&h->spool, EDGE, 0);
	h->deliver = try_link(&h->spool, DELIVER, 0);
	h->control = try_link(&h->spool, CONTROL, 0);
	try_begin(&h->spool);
	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_spool_room);
	assert_int_equal(m.spool_room.open, 1);
}

static void
close_ends(struct house *h)
{
	(void)close(h->edge);
	(void)close(h->deliver);
	(void)close(h->control);
}

void
house_kill(struct house *h)
{
	int status;

	assert_int_equal(kill(h->spool.pid, SIGKILL), 0);
	assert_int_equal(waitpid(h->spool.pid, &status, 0), h->spool.pid);
	(void)close(h->spool.master);
	close_ends(h);
}

int
house_setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	char body[128];
	struct buf b = BUF_ON(body);
	struct buf folder = BUF_ON(h->folder);

	buf_add(&folder, STR("/tmp/sekisho-spool-XXXXXX"));
	assert_non_null(mkdtemp(h->folder));
	buf_addf(&b, "%s/body", h->folder);
	assert_int_equal(mkdir(body, 0700), 0);
	try_config(&h->cfg);
	h->cfg.retry_first = 1;
	h->ids = (struct id_source){.maker = 0};
	house_settle_in(h);
	*state = h;
	return 0;
}

static void
remove_all(const struct house *h)
{
	static const char *const names[] = {"spool.db", "spool.db-wal", "body"};
	char body[128];
	struct buf bb = BUF_ON(body);

	buf_addf(&bb, "%s/body", h->folder);
	DIR *d = opendir(body);
	struct dirent *entry;
	while ((entry = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), entry->d_name, 0); /* fails for . and .. */
	(void)closedir(d);

	for (size_t i = 0; i < LENGTH(names); i++) {
		char path[128];
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%s/%s", h->folder, names[i]);
		(void)remove(path);
	}
	assert_int_equal(rmdir(h->folder), 0);
}

int
house_teardown(void **state)
{
	struct house *h = *state;

	close_ends(h);
	assert_int_equal(try_stop(&h->spool), 0);
	remove_all(h);
	free(h);
	return 0;
}

struct list
house_rcpts(struct buf *b, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++) {
		char name[32];
		struct buf mailbox = BUF_ON(name);

		buf_addf(&mailbox, "user%u@example.org", n);
		struct item_rcpt r = {.n = (uint16_t)n,
		                      .mailbox = buf_str(&mailbox),
		                      .orig = buf_str(&mailbox)};
		assert_true(item_add_rcpt(b, &r));
	}
	return (struct list){to - from, buf_str(b)};
}

struct msg
house_commit(uint64_t id, struct list rcpts, struct str body)
{
	return (struct msg){
		.no = MSG_mail_commit,
		.mail_commit = {.session = 7,
	                        .id = id,
	                        .flags = MAIL_8BIT | MAIL_SMTPUTF8,
	                        .size = body.n,
	                        .hash = XXH3_64bits(body.p, body.n),
	                        .sender = STR("someone@example.net"),
	                        .helo = STR("client.example.net"),
	                        .rcpts = rcpts,
	                        .body = body}
        };
}

enum rc
house_answer(struct house *h, uint64_t id)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_mail_reply);
	assert_int_equal(m.mail_reply.id, id);
	assert_int_equal(m.mail_reply.session, 7);
	return (enum rc)m.mail_reply.rc;
}

uint64_t
house_keep(struct house *h, unsigned count, struct str body)
{
	char room[8192];
	struct buf b = BUF_ON(room);
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	struct msg m = house_commit(id, house_rcpts(&b, 0, count), body);

	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(house_answer(h, id), RC_OK);
	return id;
}

void
house_want(struct house *h, unsigned messages)
{
	struct msg m = {.no = MSG_work_want, .work_want.messages = messages};

	try_send(&h->spool, h->deliver, DELIVER, &m);
}

void
house_done(struct house *h, uint64_t id, unsigned from, unsigned to, enum rc rc)
{
	char room[8192];
	struct buf b = BUF_ON(room);
	struct msg m = {.no = MSG_work_done, .work_done.id = id};

	for (unsigned n = from; n < to; n++) {
		struct item_result r = {(uint16_t)n, (uint8_t)rc, STR("said so")};
		assert_true(item_add_result(&b, &r));
	}
	m.work_done.results = (struct list){to - from, buf_str(&b)};
	try_send(&h->spool, h->deliver, DELIVER, &m);
}

struct msg_work
house_work(struct house *h)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->deliver, DELIVER, &m));
	assert_int_equal(m.no, MSG_work);
	return m.work;
}

unsigned
house_queue(struct house *h, struct item_queued *ret_first)
{
	struct msg m = {
		.no = MSG_queue_ask, .queue_ask = {.ask = 3, .most = 32}
        };

	try_send(&h->spool, h->control, CONTROL, &m);
	assert_true(try_take(&h->spool, h->control, CONTROL, &m));
	assert_int_equal(m.queue_answer.ask, 3);
	unsigned count = m.queue_answer.rows.count;
	if (count > 0 && ret_first != NULL)
		assert_true(item_next_queued(&m.queue_answer.rows, ret_first));
	return count;
}

void
house_queue_empties(struct house *h)
{
	struct item_queued q;
	unsigned rows = 1;

	for (int i = 0; i < 500 && rows > 0; i++) {
		rows = house_queue(h, &q);
		if (rows > 0)
			(void)usleep(10000);
	}
	assert_int_equal(rows, 0);
}
void
house_replace_deliver(struct house *h)
{
	(void)close(h->deliver);
	h->deliver = try_link(&h->spool, DELIVER, 0);
}
