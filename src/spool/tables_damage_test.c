/*
 * spool.db after a crash, damaged, or not ours: whole batches or nothing, what is damaged is
 * said, and what is not ours is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/test.h"
#include "spool/tables_room.h"

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

/* ---- crashes: a copy of both files is what a kill leaves, the commit being in the log ---- */

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
		room_must_put(r->t, id, STR("kept"));
	assert_int_equal(stat(r->log, &st), 0);
	for (off_t octets = 0; octets <= st.st_size; octets += 500) {
		unsigned count = messages_after_crash(r, octets);

		assert_true(count >= most); /* more of the log, no fewer messages */
		most = count;
	}
	assert_int_equal(messages_after_crash(r, st.st_size), 3);
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
	run_sql(r, "PRAGMA user_version = 3");
	assert_int_equal(tables_open(r->path, &r->t, &e), RC_PERM);
	assert_non_null(strstr(e.text, "newer sekisho"));
	run_sql(r, "PRAGMA user_version = 2");
	room_reopen(r);
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
		room_must_put(r->t, 1, STR("body"));
		r->t = tables_close(r->t);
		run_sql(r, rows[i].damage);
		room_reopen(r);
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
		room_reopen(r);
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
		room_must_put(r->t, id, STR("the body of a message"));
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
	room_reopen(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_torn_log_has_whole_batches_only),
		TEST(test_newer_format_is_left_alone),
		TEST(test_other_files_are_left_alone),
		TEST(test_damaged_rows_are_said),
		TEST(test_rotten_octets_never_change_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
