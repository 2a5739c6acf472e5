/*
 * Large bodies, which the writer left in files: they go out as descriptors, their files go
 * with the last row, and a file that is not what its row says is never delivered.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/test.h"
#include "proto/smtp.h"
#include "spool/house.h"

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
	struct msg m = house_commit(id, house_rcpts(&b, 0, 1), STR(""));

	m.mail_commit.flags = MAIL_IN_FILE;
	m.mail_commit.size = size;
	try_send(&h->spool, h->edge, EDGE, &m);
	return house_answer(h, id);
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
	house_kill(h);
	house_settle_in(h);
	house_want(h, 1);
	CLEANUP(fd_closep) int fd = file_work(h, id);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fd_read_all(fd, got, sizeof(got), &n, &e), RC_OK);
	assert_str(((struct str){got, n}), STR("a large body"));
	assert_true(has_body(h, id));
	house_done(h, id, 0, 1, RC_OK);
	house_queue_empties(h);
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
	(void)house_queue(h, NULL);
	make_body(h, id, STR("a large body"));
	assert_int_equal(commit_file(h, id, 12), RC_OK);
	/* lost afterwards: held, and the others go on */
	char path[128];
	struct buf b = BUF_ON(path);
	body_path(h, id, &b);
	assert_int_equal(unlink(path), 0);
	uint64_t other = house_keep(h, 1, STR("other\n"));
	house_want(h, 2);
	assert_int_equal(house_work(h).id, other);
	struct item_queued q;
	assert_int_equal(house_queue(h, &q), 2);
	assert_int_equal(q.id, id);
	assert_int_equal(q.state, 1);
}

/* What cannot be read now is put off with its reason, and holds up nobody. */
static void
test_body_file_that_cannot_be_read_waits(void **state)
{
	struct house *h = *state;
	uint64_t id = id_make(&h->ids, UINT64_C(1700000000000000));
	char path[128];
	struct buf b = BUF_ON(path);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct buf to = BUF_ON(sa.sun_path);
	struct item_queued q = {0};

	make_body(h, id, STR("a large body"));
	assert_int_equal(commit_file(h, id, 12), RC_OK);
	body_path(h, id, &b);
	assert_int_equal(unlink(path), 0);
	buf_add(&to, buf_str(&b));
	CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM, 0); /* opened: ENXIO */
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	uint64_t other = house_keep(h, 1, STR("other\n"));
	house_want(h, 1); /* what was put off has not cost it */
	assert_int_equal(house_work(h).id, other);
	for (int i = 0; i < 300 && q.tries == 0; i++) {
		assert_int_equal(house_queue(h, &q), 2);
		(void)usleep(10000);
	}
	assert_int_equal(q.id, id);
	assert_int_equal(q.state, 0);
	assert_true(str_starts(q.reply, STR("open ")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_body_file_goes_out_and_away),
		TEST(test_body_file_must_be_there_and_whole),
		TEST(test_body_file_that_cannot_be_read_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
