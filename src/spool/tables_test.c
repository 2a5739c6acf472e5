/*
 * spool.db on real files: what is written is read, what is damaged is said, what is not ours
 * is left alone, and a full disk costs nothing that was promised.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/test.h"
#include "spool/tables.h"

#define NOW UINT64_C(1700000000000000)

struct room {
	char dir[64];
	char path[96];
	char log[104];
	struct tables *t;
};

static void
reopen(struct room *r)
{
	struct err e = {.text = ""};

	r->t = tables_close(r->t);
	if (tables_open(r->path, &r->t, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static int
setup(void **state)
{
	struct room *r = calloc(1, sizeof(*r));
	struct buf dir = BUF_ON(r->dir);
	struct buf path = BUF_ON(r->path);
	struct buf log = BUF_ON(r->log);

	buf_add(&dir, STR("/tmp/sekisho-tables-XXXXXX"));
	assert_non_null(mkdtemp(r->dir));
	buf_addf(&path, "%s/spool.db", r->dir);
	buf_addf(&log, "%s-wal", r->path);
	reopen(r);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct room *r = *state;

	r->t = tables_close(r->t);
	(void)unlink(r->path);
	(void)unlink(r->log);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

static struct mail_row
mail(uint64_t id, struct str body)
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

static struct rcpt_row
rcpt(uint64_t id, unsigned n, uint64_t next_us)
{
	return (struct rcpt_row){.id = id,
	                         .n = n,
	                         .next_us = next_us,
	                         .mailbox = STR("b@example.org"),
	                         .orig = STR("B@example.org"),
	                         .orcpt = STR("rfc822;b@example.org")};
}

static enum rc
put(struct tables *t, uint64_t id, struct str body, struct err *e)
{
	struct mail_row m = mail(id, body);
	struct rcpt_row r = rcpt(id, 0, NOW);

	if (tables_begin(t, e) != RC_OK || tables_put_mail(t, &m, e) != RC_OK)
		return e->rc;
	return tables_put_rcpt(t, &r, e);
}

static void
must_put(struct tables *t, uint64_t id, struct str body)
{
	struct err e = {.text = ""};

	if (put(t, id, body, &e) != RC_OK || tables_commit(t, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static void
test_each_start_has_its_own_number(void **state)
{
	struct room *r = *state;
	uint32_t boot;
	struct err e;

	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(tables_boot(r->t, &boot, &e), RC_OK);
		assert_int_equal(boot, i);
		reopen(r);
	}
}

/* ---- RCPT-02: whatever an envelope is, it is read as it was written ---- */

static uint64_t
chance(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Any octets, controls and quotes too. */
static struct str
any_text(uint64_t *seed, char *room, size_t most)
{
	size_t n = chance(seed) % (most + 1);

	for (size_t i = 0; i < n; i++)
		room[i] = (char)chance(seed);
	return (struct str){room, n};
}

static void
assert_same_mail(const struct mail_row *got, const struct mail_row *want)
{
	assert_int_equal(got->seq, want->seq);
	assert_int_equal(got->arrived_us, want->arrived_us);
	assert_int_equal(got->flags, want->flags);
	assert_int_equal(got->size, want->size);
	assert_int_equal(got->hash, want->hash);
	assert_int_equal(got->rcpts, want->rcpts);
	assert_memory_equal(&got->client, &want->client, sizeof(got->client));
	assert_true(str_eq(got->sender, want->sender));
	assert_true(str_eq(got->envid, want->envid));
	assert_true(str_eq(got->helo, want->helo));
	assert_true(str_eq(got->body, want->body));
}

static void
assert_same_rcpt(const struct rcpt_row *got, const struct rcpt_row *want)
{
	assert_int_equal(got->n, want->n);
	assert_int_equal(got->notify, want->notify);
	assert_int_equal(got->state, want->state);
	assert_int_equal(got->tries, want->tries);
	assert_int_equal(got->next_us, want->next_us);
	assert_true(str_eq(got->mailbox, want->mailbox));
	assert_true(str_eq(got->orig, want->orig));
	assert_true(str_eq(got->orcpt, want->orcpt));
	assert_true(str_eq(got->reply, want->reply));
}

static void
one_envelope(struct room *r, uint64_t *seed, uint64_t id)
{
	static char rooms[8][9000];
	struct err e = {.text = ""};
	struct mail_row got;
	struct rcpt_row got_rcpt;
	struct mail_row m = {.id = id,
	                     .seq = chance(seed) >> 1,
	                     .arrived_us = chance(seed) >> 1,
	                     .flags = (uint32_t)chance(seed),
	                     .rcpts = (unsigned)(chance(seed) % 10001),
	                     .sender = any_text(seed, rooms[0], 320),
	                     .envid = any_text(seed, rooms[1], 100),
	                     .helo = any_text(seed, rooms[2], 255),
	                     .body = any_text(seed, rooms[3], 9000)};
	struct rcpt_row rc = {.id = id,
	                      .n = (unsigned)(chance(seed) % 10000),
	                      .notify = chance(seed) & 15,
	                      .state = chance(seed) & 1 ? ROW_HELD : ROW_WAITING,
	                      .tries = (uint32_t)chance(seed),
	                      .next_us = chance(seed) >> 1,
	                      .mailbox = any_text(seed, rooms[4], 320),
	                      .orig = any_text(seed, rooms[5], 320),
	                      .orcpt = any_text(seed, rooms[6], 500),
	                      .reply = any_text(seed, rooms[7], 250)};

	for (size_t i = 0; i < sizeof(m.client.octets); i++)
		m.client.octets[i] = (uint8_t)chance(seed);
	m.size = m.body.n;
	m.hash = XXH3_64bits(m.body.p, m.body.n);
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_put_mail(r->t, &m, &e), RC_OK);
	assert_int_equal(tables_put_rcpt(r->t, &rc, &e), RC_OK);
	if (chance(seed) % 8 == 0) {
		assert_int_equal(tables_commit(r->t, &e), RC_OK);
		reopen(r);
	}
	if (tables_mail(r->t, id, &got, &e) != RC_OK)
		fail_msg("%s", e.text);
	assert_same_mail(&got, &m);
	tables_mail_end(r->t);
	tables_rcpts(r->t, id);
	assert_int_equal(tables_rcpt_next(r->t, &got_rcpt, &e), RC_OK);
	assert_same_rcpt(&got_rcpt, &rc);
	assert_int_equal(tables_rcpt_next(r->t, &got_rcpt, &e), RC_AGAIN);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
}

static void
test_envelopes_are_read_as_written(void **state)
{
	struct room *r = *state;
	uint64_t seed = UINT64_C(0x5e15e150);

	for (uint64_t id = 1; id <= 500; id++)
		one_envelope(r, &seed, id);
}

/* ---- rows ---- */

static void
test_due_rows_come_in_order_after_the_cursor(void **state)
{
	struct room *r = *state;
	static const struct due rows[] = {
		{30, 1, 0},
                {10, 2, 0},
                {10, 2, 1},
                {10, 3, 0},
                {20, 1, 1},
	};
	static const unsigned order[] = {1, 2, 3, 4, 0};
	struct due got[8];
	unsigned count;
	struct due at = {0};
	struct err e;

	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct rcpt_row row = rcpt(rows[i].id, rows[i].n, rows[i].us);
		assert_int_equal(tables_put_rcpt(r->t, &row, &e), RC_OK);
	}
	struct rcpt_row held = rcpt(9, 0, 5);
	held.state = ROW_HELD;
	assert_int_equal(tables_put_rcpt(r->t, &held, &e), RC_OK);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
	for (size_t i = 0; i < LENGTH(order); i++) {
		assert_int_equal(tables_due(r->t, at, 1, got, &count, &e), RC_OK);
		assert_int_equal(count, 1);
		assert_memory_equal(&got[0], &rows[order[i]], sizeof(got[0]));
		at = got[0];
	}
	assert_int_equal(tables_due(r->t, at, 8, got, &count, &e), RC_OK);
	assert_int_equal(count, 0);
}

static void
test_deferred_and_held_rows_keep_their_story(void **state)
{
	struct room *r = *state;
	struct rcpt_row row;
	struct err e;

	must_put(r->t, 7, STR("x"));
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_defer(r->t, 7, 0, NOW + 60, STR("not now"), &e), RC_OK);
	tables_rcpts(r->t, 7);
	assert_int_equal(tables_rcpt_next(r->t, &row, &e), RC_OK);
	assert_int_equal(row.tries, 1);
	assert_int_equal(row.next_us, NOW + 60);
	assert_str(row.reply, STR("not now"));
	tables_rcpts_end(r->t);
	assert_int_equal(tables_hold(r->t, 7, 0, STR("never"), &e), RC_OK);
	tables_rcpts(r->t, 7);
	assert_int_equal(tables_rcpt_next(r->t, &row, &e), RC_OK);
	assert_int_equal(row.state, ROW_HELD);
	assert_str(row.reply, STR("never"));
	tables_rcpts_end(r->t);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
}

static void
test_second_row_of_an_id_is_refused_alone(void **state)
{
	struct room *r = *state;
	struct mail_row m = mail(7, STR("other"));
	struct err e;

	must_put(r->t, 7, STR("first"));
	assert_int_equal(put(r->t, 8, STR("x"), &e), RC_OK);
	assert_int_equal(tables_put_mail(r->t, &m, &e), RC_PERM);
	assert_int_equal(e.sys, EEXIST);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
	assert_int_equal(tables_mail(r->t, 7, &m, &e), RC_OK);
	assert_str(m.body, STR("first"));
	assert_int_equal(tables_mail(r->t, 8, &m, &e), RC_OK);
	tables_mail_end(r->t);
}

static void
test_listing_goes_on_after_a_row(void **state)
{
	struct room *r = *state;
	struct listed l;
	struct err e;

	for (uint64_t id = 1; id <= 3; id++)
		must_put(r->t, id, STR("body"));
	tables_list(r->t, 1, 0);
	assert_int_equal(tables_list_next(r->t, &l, &e), RC_OK);
	assert_int_equal(l.rcpt.id, 2);
	assert_int_equal(l.size, 4);
	assert_str(l.sender, STR("a@example.net"));
	assert_int_equal(tables_list_next(r->t, &l, &e), RC_OK);
	assert_int_equal(tables_list_next(r->t, &l, &e), RC_AGAIN);
	tables_list_end(r->t);
}

/* ---- crashes ---- */

/* A copy of both files is what a kill leaves: the commit is in the log. */
static void
copy_file(const char *from, const char *to)
{
	static char room[1 << 20];
	size_t n;
	struct err e;
	CLEANUP(fd_closep) int in = open(from, O_RDONLY | O_CLOEXEC);
	CLEANUP(fd_closep) int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(in >= 0 && out >= 0);
	assert_int_equal(fd_read_all(in, room, sizeof(room), &n, &e), RC_OK);
	assert_int_equal(fd_write_all(out, (struct str){room, n}, &e), RC_OK);
}

/* Opens what was copied, with the log cut to <octets>; how many of 3 messages it has. */
static unsigned
messages_after_crash(const struct room *r, off_t octets)
{
	char path[128];
	char log[136];
	struct buf b = BUF_ON(path);
	struct buf bl = BUF_ON(log);
	struct tables *t;
	unsigned count = 0;
	struct err e = {.text = ""};

	buf_addf(&b, "%s.crash", r->path);
	buf_addf(&bl, "%s.crash-wal", r->path);
	copy_file(r->path, path);
	copy_file(r->log, log);
	assert_int_equal(truncate(log, octets), 0);
	if (tables_open(path, &t, &e) != RC_OK)
		fail_msg("%s", e.text);
	for (uint64_t id = 1; id <= 3; id++) {
		struct mail_row m;
		bool there = tables_mail(t, id, &m, &e) == RC_OK;

		/* whole or absent, and its recipient with it */
		assert_true(there || e.sys == ENOENT);
		tables_mail_end(t);
		assert_int_equal(tables_has_rcpts(t, id, &e) == RC_OK, there);
		assert_true(!there || count == id - 1);
		count += there;
	}
	(void)tables_close(t);
	(void)unlink(path);
	return count;
}

static void
test_torn_log_has_whole_batches_only(void **state)
{
	struct room *r = *state;
	struct stat st;
	unsigned most = 0;

	for (uint64_t id = 1; id <= 3; id++)
		must_put(r->t, id, STR("kept"));
	assert_int_equal(stat(r->log, &st), 0);
	for (off_t octets = 0; octets <= st.st_size; octets += 500) {
		unsigned count = messages_after_crash(r, octets);

		assert_true(count >= most); /* more of the log, no fewer messages */
		most = count;
	}
	assert_int_equal(messages_after_crash(r, st.st_size), 3);
}

static void
test_rolled_back_is_gone(void **state)
{
	struct room *r = *state;
	struct err e;

	must_put(r->t, 1, STR("kept"));
	assert_int_equal(put(r->t, 2, STR("not kept"), &e), RC_OK);
	tables_rollback(r->t);
	assert_true(tables_has_mail(r->t, 1));
	assert_false(tables_has_mail(r->t, 2));
	must_put(r->t, 3, STR("kept"));
	reopen(r);
	assert_true(tables_has_mail(r->t, 3));
	assert_false(tables_has_mail(r->t, 2));
}

static void
assert_tally(const struct room *r, uint64_t messages, uint64_t waiting, uint64_t held,
             uint64_t oldest)
{
	struct tally tally = tables_tally(r->t);
	uint64_t id = 99;
	struct err e;

	assert_true(tally.counted);
	assert_int_equal(tally.messages, messages);
	assert_int_equal(tally.waiting, waiting);
	assert_int_equal(tally.held, held);
	assert_int_equal(tables_oldest(r->t, &id, &e), RC_OK);
	assert_int_equal(id, oldest);
}

/* Each change moves the count as it moves the rows; a start counts them and finds the same. */
static void
test_rows_are_counted(void **state)
{
	struct room *r = *state;
	struct rcpt_row second = rcpt(2, 1, NOW);
	struct err e;

	assert_tally(r, 0, 0, 0, 0);
	must_put(r->t, 2, STR("two"));
	must_put(r->t, 1, STR("one"));
	assert_tally(r, 2, 2, 0, 1);
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_put_rcpt(r->t, &second, &e), RC_OK);
	assert_int_equal(tables_hold(r->t, 2, 0, STR("no"), &e), RC_OK);
	assert_int_equal(tables_hold(r->t, 2, 0, STR("no"), &e),
	                 RC_OK); /* it is held already */
	assert_int_equal(tables_drop_rcpt(r->t, 1, 0, &e), RC_OK);
	assert_int_equal(tables_drop_rcpt(r->t, 1, 9, &e), RC_OK); /* there is none */
	assert_int_equal(tables_drop_mail(r->t, 1, &e), RC_OK);
	assert_int_equal(tables_defer(r->t, 2, 1, NOW + 1, STR("later"), &e), RC_OK);
	assert_tally(r, 1, 1, 1, 2);
	assert_int_equal(tables_commit(r->t, &e), RC_OK);
	reopen(r);
	assert_tally(r, 1, 1, 1, 2);
	assert_int_equal(tables_begin(r->t, &e), RC_OK);
	assert_int_equal(tables_drop_rcpt(r->t, 2, 1, &e), RC_OK);
	assert_int_equal(put(r->t, 3, STR("three"), &e), RC_OK);
	tables_rollback(r->t);
	assert_tally(r, 1, 1, 1, 2);
}

/* ---- no room ---- */

static void
limit_files(rlim_t octets)
{
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
	now.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

/* IO-3: no room is said as such, what was kept stays, and with room again it goes on. */
static void
test_no_room_costs_only_its_batch(void **state)
{
	struct room *r = *state;
	static char big[60000];
	struct err e = {.rc = RC_OK};
	uint64_t id = 1;

	memset(big, 'x', sizeof(big));
	(void)signal(SIGXFSZ, SIG_IGN);
	limit_files(600000);
	while (e.rc == RC_OK && id < 100) {
		enum rc rc = put(r->t, id, (struct str){big, sizeof(big)}, &e);

		if (rc == RC_OK)
			rc = tables_commit(r->t, &e);
		e.rc = rc;
		id++;
	}
	assert_int_equal(e.rc, RC_TEMP);
	if (e.sys != ENOSPC)
		fail_msg("%s", e.text);
	tables_rollback(r->t);
	assert_in_range(id, 5, 11);
	assert_false(tables_has_mail(r->t, id - 1));
	assert_true(tables_has_mail(r->t, id - 2));
	limit_files(RLIM_INFINITY);
	must_put(r->t, id, (struct str){big, sizeof(big)});
	reopen(r);
	assert_true(tables_has_mail(r->t, id));
	assert_true(tables_has_mail(r->t, id - 2));
	assert_false(tables_has_mail(r->t, id - 1));
}

/* ---- not ours, damaged ---- */

static void
write_file(const char *path, struct str octets)
{
	struct err e;
	CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, octets, &e), RC_OK);
}

static void
run_sql(const struct room *r, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_newer_format_is_left_alone(void **state)
{
	struct room *r = *state;
	struct err e;

	r->t = tables_close(r->t);
	run_sql(r, "PRAGMA user_version = 2");
	assert_int_equal(tables_open(r->path, &r->t, &e), RC_PERM);
	assert_non_null(strstr(e.text, "newer sekisho"));
	run_sql(r, "PRAGMA user_version = 1");
	reopen(r);
}

static void
test_other_files_are_left_alone(void **state)
{
	struct room *r = *state;
	static const char text[] =
		"this is not a database, and long enough to be told from one";
	char got[sizeof(text)];
	size_t n;
	struct err e;

	r->t = tables_close(r->t);
	write_file(r->path, STR("this is not a database, and long enough to be told from one"));
	assert_int_equal(tables_open(r->path, &r->t, &e), RC_PERM);
	CLEANUP(fd_closep) int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, got, sizeof(got), &n, &e), RC_OK);
	assert_str(((struct str){got, n}), str_of(text));
}

/* Each sum covers what makes a delivery: sender, recipient, body. */
static void
test_damaged_rows_are_said(void **state)
{
	struct room *r = *state;
	static const struct {
		const char *damage;
		bool mail;
		bool rcpt;
	} rows[] = {
		{"UPDATE mail SET sender = 'b@example.net'",  true,  false},
		{"UPDATE mail SET size = size + 1",           true,  false},
		{"UPDATE mail SET flags = 16",                true,  false},
		{"UPDATE mail SET seq = 1",                   true,  false},
		{"UPDATE mail SET client = 'x'",              true,  false},
		{"UPDATE mail SET body = 'bode'",             true,  false},
		{"UPDATE mail SET sum = sum + 1",             true,  false},
		{"UPDATE rcpt SET mailbox = 'c@example.org'", false, true },
		{"UPDATE rcpt SET orig = 5",                  false, true },
		{"UPDATE rcpt SET orcpt = NULL",              false, true },
		{"UPDATE rcpt SET notify = 'text'",           false, false}, /* 0 as well */
		{"UPDATE rcpt SET notify = 4",                false, true },
		{"UPDATE rcpt SET n = 1",                     false, true },
	};
	struct mail_row m;
	struct rcpt_row rc;
	struct err e = {.rc = RC_OK};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		must_put(r->t, 1, STR("body"));
		r->t = tables_close(r->t);
		run_sql(r, rows[i].damage);
		reopen(r);
		enum rc got = tables_mail(r->t, 1, &m, &e);
		assert_int_equal(got, rows[i].mail ? RC_PERM : RC_OK);
		assert_true(got == RC_OK || e.sys == EBADMSG);
		tables_mail_end(r->t);
		tables_rcpts(r->t, 1);
		got = tables_rcpt_next(r->t, &rc, &e);
		assert_int_equal(got, rows[i].rcpt ? RC_PERM : RC_OK);
		assert_int_equal(rc.id, 1);
		tables_rcpts_end(r->t);
		r->t = tables_close(r->t);
		run_sql(r, "DELETE FROM mail; DELETE FROM rcpt");
		reopen(r);
	}
}

/*
 * IO-5: whichever octet of the file rots, what comes out is what went in, or is said to be
 * damaged, or is gone with the whole file refused; never another's mail.
 */
static void
test_rotten_octets_never_change_a_message(void **state)
{
	struct room *r = *state;
	struct stat st;
	struct mail_row m;
	struct err e;

	for (uint64_t id = 1; id <= 4; id++)
		must_put(r->t, id, STR("the body of a message"));
	r->t = tables_close(r->t);
	assert_int_equal(stat(r->path, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 13) {
		CLEANUP(fd_closep) int fd = open(r->path, O_RDWR | O_CLOEXEC);
		unsigned char was;
		unsigned char rotten;
		struct tables *t = NULL;
		char path[128];
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%s.rot", r->path);
		assert_int_equal(pread(fd, &was, 1, at), 1);
		copy_file(r->path, path);
		rotten = (unsigned char)(was ^ (1U << (at % 8)));
		CLEANUP(fd_closep) int copy = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(pwrite(copy, &rotten, 1, at), 1);
		if (tables_open(path, &t, &e) == RC_OK) {
			for (uint64_t id = 1; id <= 4; id++) {
				if (tables_mail(t, id, &m, &e) == RC_OK) {
					assert_str(m.sender, STR("a@example.net"));
					assert_str(m.body, STR("the body of a message"));
				}
				tables_mail_end(t);
			}
			(void)tables_close(t);
		}
		(void)unlink(path);
		buf_add(&b, STR("-wal"));
		(void)unlink(path);
	}
	reopen(r);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_each_start_has_its_own_number),
		TEST(test_envelopes_are_read_as_written),
		TEST(test_due_rows_come_in_order_after_the_cursor),
		TEST(test_deferred_and_held_rows_keep_their_story),
		TEST(test_second_row_of_an_id_is_refused_alone),
		TEST(test_listing_goes_on_after_a_row),
		TEST(test_torn_log_has_whole_batches_only),
		TEST(test_rolled_back_is_gone),
		TEST(test_rows_are_counted),
		TEST(test_no_room_costs_only_its_batch),
		TEST(test_newer_format_is_left_alone),
		TEST(test_other_files_are_left_alone),
		TEST(test_damaged_rows_are_said),
		TEST(test_rotten_octets_never_change_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
