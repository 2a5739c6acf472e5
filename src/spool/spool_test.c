/*
 * spool as a process, behind its walls: what was answered RC_OK is there after kill -9, goes
 * out, and its row goes when its delivery is durable.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "ipc/channel.h"
#include "proto/smtp.h"
#include "role/try.h"

#define RESERVE_MOST UINT64_C(1099511627776) /* of spool_reserve */

struct house {
	char folder[64];
	struct cfg cfg;
	struct try spool;
	int edge;
	int deliver;
	int control;
	struct id_source ids;
};

static void
settle_in(struct house *h)
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

static void
kill_it(struct house *h)
{
	int status;

	assert_int_equal(kill(h->spool.pid, SIGKILL), 0);
	assert_int_equal(waitpid(h->spool.pid, &status, 0), h->spool.pid);
	(void)close(h->spool.master);
	close_ends(h);
}

static int
setup(void **state)
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
	settle_in(h);
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

static int
teardown(void **state)
{
	struct house *h = *state;

	close_ends(h);
	assert_int_equal(try_stop(&h->spool), 0);
	remove_all(h);
	free(h);
	return 0;
}

static struct list
rcpts_of(struct buf *b, unsigned from, unsigned to)
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

static struct msg
commit_of(uint64_t id, struct list rcpts, struct str body)
{
	return (struct msg){
		.no = MSG_mail_commit,
		.mail_commit = {.session = 7,
	                        .id = id,
	                        .size = body.n,
	                        .hash = XXH3_64bits(body.p, body.n),
	                        .sender = STR("someone@example.net"),
	                        .helo = STR("client.example.net"),
	                        .rcpts = rcpts,
	                        .body = body}
        };
}

static enum rc
answer_to(struct house *h, uint64_t id)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_mail_reply);
	assert_int_equal(m.mail_reply.id, id);
	assert_int_equal(m.mail_reply.session, 7);
	return (enum rc)m.mail_reply.rc;
}

/* A message of <count> recipients, answered RC_OK. */
static uint64_t
keep(struct house *h, unsigned count, struct str body)
{
	char room[8192];
	struct buf b = BUF_ON(room);
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	struct msg m = commit_of(id, rcpts_of(&b, 0, count), body);

	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(answer_to(h, id), RC_OK);
	return id;
}

static void
want(struct house *h, unsigned messages)
{
	struct msg m = {.no = MSG_work_want, .work_want.messages = messages};

	try_send(&h->spool, h->deliver, DELIVER, &m);
}

static void
done(struct house *h, uint64_t id, unsigned from, unsigned to, enum rc rc)
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

static struct msg_work
work(struct house *h)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->deliver, DELIVER, &m));
	assert_int_equal(m.no, MSG_work);
	return m.work;
}

/* How many rows the queue has, and the first of them. */
static unsigned
queue(struct house *h, struct item_queued *ret_first)
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

/* The results come over another channel than the question. */
static void
assert_queue_empties(struct house *h)
{
	struct item_queued q;
	unsigned rows = 1;

	for (int i = 0; i < 500 && rows > 0; i++) {
		rows = queue(h, &q);
		if (rows > 0)
			(void)usleep(10000);
	}
	assert_int_equal(rows, 0);
}

static void
test_kept_delivered_gone(void **state)
{
	struct house *h = *state;
	struct item_queued q;
	uint64_t id = keep(h, 2, STR("Subject: x\n\nhello\n"));

	want(h, 1);
	struct msg_work w = work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 0);
	assert_int_equal(w.seq, (UINT64_C(1) << 32) + 1);
	assert_str(w.sender, STR("someone@example.net"));
	assert_str(w.body, STR("Subject: x\n\nhello\n"));
	assert_int_equal(w.rcpts.count, 2);
	assert_int_equal(queue(h, &q), 2);
	assert_int_equal(q.state, 2);
	done(h, id, 0, 2, RC_OK);
	assert_queue_empties(h);
}

static void
test_kept_survives_kill(void **state)
{
	struct house *h = *state;
	uint64_t id = keep(h, 1, STR("kept\n"));

	kill_it(h);
	settle_in(h);
	want(h, 1);
	struct msg_work w = work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	assert_int_equal(w.hash, XXH3_64bits("kept\n", 5));
	assert_str(w.body, STR("kept\n"));
	done(h, id, 0, 1, RC_OK);
}

/* A deliver that leaves; another comes in its place. */
static void
replace_deliver(struct house *h)
{
	(void)close(h->deliver);
	h->deliver = try_link(&h->spool, DELIVER, 0);
}

static void
test_dead_deliver_work_goes_out_again(void **state)
{
	struct house *h = *state;
	uint64_t id = keep(h, 1, STR("x\n"));

	want(h, 1);
	assert_int_equal(work(h).again, 0);
	replace_deliver(h);
	want(h, 1);
	struct msg_work w = work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	assert_str(w.body, STR("x\n"));
	done(h, id, 0, 1, RC_OK);
	assert_queue_empties(h);
}

static void
test_no_credit_no_work(void **state)
{
	struct house *h = *state;
	struct pollfd p = {.fd = h->deliver, .events = POLLIN};

	(void)keep(h, 1, STR("1\n"));
	uint64_t second = keep(h, 1, STR("2\n"));
	assert_int_equal(poll(&p, 1, 50), 0);
	want(h, 1);
	(void)work(h);
	assert_int_equal(poll(&p, 1, 50), 0);
	want(h, 1);
	assert_int_equal(work(h).id, second);
}

static void
test_deferred_is_tried_again(void **state)
{
	struct house *h = *state;
	struct item_queued q;
	uint64_t id = keep(h, 2, STR("x\n"));

	want(h, 2);
	(void)work(h);
	done(h, id, 0, 1, RC_TEMP);
	done(h, id, 1, 2, RC_OK);
	for (int i = 0; i < 100 && queue(h, &q) != 1; i++)
		(void)usleep(10000);
	assert_int_equal(q.state, 0);
	assert_int_equal(q.tries, 1);
	assert_int_equal(q.rcpts, 2);
	struct msg_work w = work(h); /* after retry_first, give or take a tenth */
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	assert_int_equal(w.rcpts.count, 1);
	done(h, id, 0, 1, RC_OK);
	assert_queue_empties(h);
}

static void
test_refused_is_held(void **state)
{
	struct house *h = *state;
	struct item_queued q = {.state = 2};
	uint64_t id = keep(h, 1, STR("x\n"));

	want(h, 2);
	(void)work(h);
	done(h, id, 0, 1, RC_PERM);
	for (int i = 0; i < 100 && q.state == 2; i++) {
		assert_int_equal(queue(h, &q), 1);
		(void)usleep(10000);
	}
	assert_int_equal(q.state, 1);
	(void)usleep(200000); /* results may wait a little for mail to share its sync */
	kill_it(h);
	settle_in(h);
	assert_int_equal(queue(h, &q), 1); /* never dropped, never sent */
	assert_int_equal(q.state, 1);
}

/* More recipients than a message between processes carries: before it, and out in parts. */
static void
test_many_recipients(void **state)
{
	struct house *h = *state;
	static char room[60000];
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	static bool seen[250];
	unsigned total = 0;

	for (unsigned n = 0; n < 250; n += 50) {
		struct buf b = BUF_ON(room);
		struct list l = rcpts_of(&b, n, n + 50);
		struct msg m = {
			.no = MSG_mail_rcpts, .mail_rcpts = {id, l}
                };

		if (n == 200)
			m = commit_of(id, l, STR("to many\n"));
		try_send(&h->spool, h->edge, EDGE, &m);
	}
	assert_int_equal(answer_to(h, id), RC_OK);
	want(h, 1000);
	while (total < 250) {
		struct msg_work w = work(h);
		struct list l = w.rcpts;
		struct item_rcpt r;

		assert_in_range(l.count, 1, 32);
		while (item_next_rcpt(&l, &r)) {
			assert_false(seen[r.n]);
			seen[r.n] = true;
			total++;
			done(h, id, r.n, r.n + 1U, RC_OK);
		}
	}
	assert_queue_empties(h);
}

static void
test_dropped_recipients_are_forgotten(void **state)
{
	struct house *h = *state;
	char room[512];
	struct buf b = BUF_ON(room);
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	struct msg m = {
		.no = MSG_mail_rcpts, .mail_rcpts = {id, rcpts_of(&b, 0, 3)}
        };
	struct msg drop = {.no = MSG_mail_drop, .mail_drop.id = id};

	try_send(&h->spool, h->edge, EDGE, &m);
	try_send(&h->spool, h->edge, EDGE, &drop);
	buf_clear(&b);
	m = commit_of(id, rcpts_of(&b, 0, 1), STR("x\n"));
	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(answer_to(h, id), RC_OK);
	want(h, 1);
	assert_int_equal(work(h).rcpts.count, 1);
}

static void
test_id_is_kept_once(void **state)
{
	struct house *h = *state;
	char room[512];
	struct buf b = BUF_ON(room);
	uint64_t id = keep(h, 1, STR("first\n"));
	struct msg m = commit_of(id, rcpts_of(&b, 0, 1), STR("other\n"));

	try_send(&h->spool, h->edge, EDGE, &m);
	assert_int_equal(answer_to(h, id), RC_TEMP);
	want(h, 2);
	assert_str(work(h).body, STR("first\n"));
}

/* ---- large bodies ---- */

static void
body_path(const struct house *h, uint64_t id, struct buf *b)
{
	buf_addf(b, "%s/body/%s", h->folder, id_text(id).c);
}

static void
make_body(const struct house *h, uint64_t id, struct str octets)
{
	char path[128];
	struct buf b = BUF_ON(path);
	struct err e;

	body_path(h, id, &b);
	CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, octets, &e), RC_OK);
}

static bool
has_body(const struct house *h, uint64_t id)
{
	char path[128];
	struct buf b = BUF_ON(path);

	body_path(h, id, &b);
	return access(path, F_OK) == 0;
}

static enum rc
commit_file(struct house *h, uint64_t id, uint64_t size)
{
	char room[256];
	struct buf b = BUF_ON(room);
	struct msg m = commit_of(id, rcpts_of(&b, 0, 1), STR(""));

	m.mail_commit.flags = MAIL_IN_FILE;
	m.mail_commit.size = size;
	try_send(&h->spool, h->edge, EDGE, &m);
	return answer_to(h, id);
}

static int
file_work(struct house *h, uint64_t id)
{
	struct msg m;

	assert_true(try_take(&h->spool, h->deliver, DELIVER, &m));
	assert_int_equal(m.no, MSG_work_file);
	assert_int_equal(m.work_file.id, id);
	return m.work_file.body;
}

static void
test_body_file_goes_out_and_away(void **state)
{
	struct house *h = *state;
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	char got[64];
	size_t n;
	struct err e;

	make_body(h, id, STR("a large body"));
	assert_int_equal(commit_file(h, id, 12), RC_OK);
	kill_it(h);
	settle_in(h);
	want(h, 1);
	CLEANUP(fd_closep) int fd = file_work(h, id);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fd_read_all(fd, got, sizeof(got), &n, &e), RC_OK);
	assert_str(((struct str){got, n}), STR("a large body"));
	assert_true(has_body(h, id));
	done(h, id, 0, 1, RC_OK);
	assert_queue_empties(h);
	for (int i = 0; i < 100 && has_body(h, id); i++)
		(void)usleep(10000); /* it goes after the commit */
	assert_false(has_body(h, id));
}

static void
test_body_file_must_be_there_and_whole(void **state)
{
	struct house *h = *state;
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));

	assert_int_equal(commit_file(h, id, 12), RC_TEMP);
	make_body(h, id, STR("short"));
	assert_int_equal(commit_file(h, id, 12), RC_TEMP);
	(void)queue(h, NULL);
	make_body(h, id, STR("a large body"));
	assert_int_equal(commit_file(h, id, 12), RC_OK);
	/* lost afterwards: held, and the others go on */
	char path[128];
	struct buf b = BUF_ON(path);
	body_path(h, id, &b);
	assert_int_equal(unlink(path), 0);
	uint64_t other = keep(h, 1, STR("other\n"));
	want(h, 2);
	assert_int_equal(work(h).id, other);
	struct item_queued q;
	assert_int_equal(queue(h, &q), 2);
	assert_int_equal(q.id, id);
	assert_int_equal(q.state, 1);
}

/* ---- neighbours that cannot be believed ---- */

static void
assert_edge_cut(struct house *h, const struct msg *m)
{
	struct msg got;

	try_send(&h->spool, h->edge, EDGE, m);
	assert_false(try_take(&h->spool, h->edge, EDGE, &got));
	(void)close(h->edge);
	h->edge = try_link(&h->spool, EDGE, 0);
	assert_true(try_take(&h->spool, h->edge, EDGE, &got));
	assert_int_equal(got.no, MSG_spool_room);
}

static void
test_edge_that_lies_is_cut(void **state)
{
	struct house *h = *state;
	char room[512];
	struct buf b = BUF_ON(room);
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	struct msg good = commit_of(id, rcpts_of(&b, 0, 2), STR("x\n"));
	struct msg bad[8];
	char hole[512];
	struct buf bh = BUF_ON(hole);
	char twice[512];
	struct buf bt = BUF_ON(twice);

	for (size_t i = 0; i < LENGTH(bad); i++)
		bad[i] = good;
	bad[0].mail_commit.id |= BIT(6); /* made by edge 1 */
	bad[1].mail_commit.size++;
	bad[2].mail_commit.hash++;
	bad[3].mail_commit.rcpts = (struct list){0};
	bad[4].mail_commit.rcpts = rcpts_of(&bh, 1, 3); /* numbers 1 and 2 */
	bad[5].mail_commit.rcpts =
		(struct list){2, (rcpts_of(&bt, 0, 1), rcpts_of(&bt, 0, 1)).wire}; /* 0 twice */
	bad[6].mail_commit.flags = MAIL_IN_FILE; /* and a body */
	bad[7] = (struct msg){
		.no = MSG_mail_rcpts, .mail_rcpts = {id | BIT(6), {0}}
        };
	for (size_t i = 0; i < LENGTH(bad); i++)
		assert_edge_cut(h, &bad[i]);
	try_send(&h->spool, h->edge, EDGE, &good);
	assert_int_equal(answer_to(h, id), RC_OK);
	struct item_queued q;
	assert_int_equal(queue(h, &q), 2);
}

static void
test_endless_recipients_are_cut(void **state)
{
	struct house *h = *state;
	static char room[16384];
	struct buf b = BUF_ON(room);
	struct msg m = {.no = MSG_mail_rcpts, .mail_rcpts.rcpts = rcpts_of(&b, 0, 100)};
	struct msg got;

	m.mail_rcpts.id = id_make(&h->ids, UINT64_C(1700000000000000));
	for (unsigned i = 0; i <= h->cfg.smtp_max_rcpt / 100; i++)
		try_send(&h->spool, h->edge, EDGE, &m);
	assert_false(try_take(&h->spool, h->edge, EDGE, &got));
	(void)close(h->edge);
	h->edge = try_link(&h->spool, EDGE, 0);
	assert_true(try_take(&h->spool, h->edge, EDGE, &got));
}

static void
test_results_of_others_are_cut(void **state)
{
	struct house *h = *state;
	struct msg got;
	struct item_queued q;
	uint64_t id = keep(h, 1, STR("x\n"));

	done(h, id, 0, 1, RC_OK); /* not out at all */
	assert_false(try_take(&h->spool, h->deliver, DELIVER, &got));
	replace_deliver(h);
	want(h, 1);
	(void)work(h);
	done(h, id, 1, 2, RC_OK); /* a recipient that it does not have */
	assert_false(try_take(&h->spool, h->deliver, DELIVER, &got));
	assert_int_equal(queue(h, &q), 1);
}

/* DESIGN, Storage: after one failed sync no row of any unsettled batch is deleted by anyone. */
static void
test_failed_sync_voids_everybody(void **state)
{
	struct house *h = *state;
	struct msg broken = {.no = MSG_work_broken, .work_broken.why = STR("syncfs: EIO")};
	struct msg credit = {.no = MSG_work_want, .work_want.messages = 1};
	struct msg m;
	int other = try_link(&h->spool, DELIVER, 1);
	uint64_t id = keep(h, 1, STR("x\n"));

	try_send(&h->spool, other, DELIVER, &credit);
	assert_true(try_take(&h->spool, other, DELIVER, &m));
	assert_int_equal(m.work.id, id);
	try_send(&h->spool, h->deliver, DELIVER, &broken);
	assert_true(try_take(&h->spool, other, DELIVER, &m));
	assert_int_equal(m.no, MSG_work_void);
	int was = h->deliver;
	h->deliver = other;
	done(h, id, 0, 1, RC_OK); /* too late to be believed */
	(void)close(was);
	replace_deliver(h);
	want(h, 1);
	struct msg_work w = work(h);
	assert_int_equal(w.id, id);
	assert_int_equal(w.again, 1);
	done(h, id, 0, 1, RC_OK);
	assert_queue_empties(h);
}

/* IO-3: below the reserve mail is refused, what is here goes out, and nobody restarts. */
static void
test_reserve_refuses_mail(void **state)
{
	struct house *h = *state;
	char room[256];
	struct buf b = BUF_ON(room);
	uint64_t kept = keep(h, 1, STR("x\n"));
	struct statvfs fs;
	struct msg m;

	assert_int_equal(statvfs(h->folder, &fs), 0);
	if ((uint64_t)fs.f_bavail * fs.f_frsize > RESERVE_MOST)
		skip(); /* no reserve that may be configured is larger */
	kill_it(h);
	h->cfg.spool_reserve = RESERVE_MOST;
	h->spool = try_start(SPOOL, &h->cfg, h->folder);
	h->edge = try_link(&h->spool, EDGE, 0);
	h->deliver = try_link(&h->spool, DELIVER, 0);
	h->control = try_link(&h->spool, CONTROL, 0);
	try_begin(&h->spool);
	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_spool_room);
	assert_int_equal(m.spool_room.open, 0);
	m = commit_of(id_make(&h->ids, UINT64_C(1700000000000000)), rcpts_of(&b, 0, 1),
	              STR("x\n"));
	try_send(&h->spool, h->edge, EDGE, &m);
	assert_true(try_take(&h->spool, h->edge, EDGE, &m));
	assert_int_equal(m.mail_reply.rc, RC_TEMP);
	assert_int_equal(m.mail_reply.full, 1);
	want(h, 1);
	assert_int_equal(work(h).id, kept);
	done(h, kept, 0, 1, RC_OK);
	assert_queue_empties(h);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_kept_delivered_gone),
		TEST(test_kept_survives_kill),
		TEST(test_dead_deliver_work_goes_out_again),
		TEST(test_no_credit_no_work),
		TEST(test_deferred_is_tried_again),
		TEST(test_refused_is_held),
		TEST(test_many_recipients),
		TEST(test_dropped_recipients_are_forgotten),
		TEST(test_id_is_kept_once),
		TEST(test_body_file_goes_out_and_away),
		TEST(test_body_file_must_be_there_and_whole),
		TEST(test_edge_that_lies_is_cut),
		TEST(test_endless_recipients_are_cut),
		TEST(test_results_of_others_are_cut),
		TEST(test_failed_sync_voids_everybody),
		TEST(test_reserve_refuses_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
