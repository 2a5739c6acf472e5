/*
 * writer as a process, behind its walls: a body gets its name only whole and synced, and
 * never another's.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/test.h"
#include "cfg/cfg.h"
#include "role/try.h"

#define ID UINT64_C(0x1234567890000) /* maker 0 */

struct house {
	char folder[64];
	int dir;
	struct cfg cfg;
	struct try writer;
	int edge;
};

static void
start(struct house *h)
{
	h->writer = try_start(WRITER, &h->cfg, h->folder);
	h->edge = try_link(&h->writer, EDGE, 0);
	try_begin(&h->writer);
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct buf folder = BUF_ON(h->folder);

	buf_add(&folder, STR("/tmp/sekisho-writer-XXXXXX"));
	assert_non_null(mkdtemp(h->folder));
	h->dir = open(h->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(h->dir >= 0);
	try_config(&h->cfg);
	h->cfg.message_size = 100000;
	start(h);
	*state = h;
	return 0;
}

static unsigned
count_files(const struct house *h)
{
	DIR *d = opendir(h->folder);
	unsigned count = 0;
	struct dirent *entry;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		count += !str_eq(str_of(entry->d_name), STR(".")) &&
		         !str_eq(str_of(entry->d_name), STR(".."));
	(void)closedir(d);
	return count;
}

static int
teardown(void **state)
{
	struct house *h = *state;

	(void)close(h->edge);
	assert_int_equal(try_stop(&h->writer), 0);
	(void)unlinkat(h->dir, id_text(ID).c, 0);
	(void)close(h->dir);
	assert_int_equal(rmdir(h->folder), 0);
	free(h);
	return 0;
}

static struct msg_body_reply
reply(struct house *h)
{
	struct msg m;

	assert_true(try_take(&h->writer, h->edge, EDGE, &m));
	assert_int_equal(m.no, MSG_body_reply);
	assert_int_equal(m.body_reply.session, 5);
	assert_int_equal(m.body_reply.id, ID);
	return m.body_reply;
}

static enum rc
item(struct house *h, struct str octets)
{
	struct msg m = {
		.no = MSG_body_item, .body_item = {5, ID, octets}
        };

	try_send(&h->writer, h->edge, EDGE, &m);
	struct msg_body_reply r = reply(h);
	assert_int_equal(r.end, 0);
	return (enum rc)r.rc;
}

static enum rc
end(struct house *h, uint64_t size)
{
	struct msg m = {
		.no = MSG_body_end, .body_end = {5, ID, size}
        };

	try_send(&h->writer, h->edge, EDGE, &m);
	struct msg_body_reply r = reply(h);
	assert_int_equal(r.end, 1);
	return (enum rc)r.rc;
}

static void
assert_file(const struct house *h, struct str want)
{
	char got[256];
	size_t n;
	struct stat st;
	struct err e;
	CLEANUP(fd_closep) int fd = openat(h->dir, id_text(ID).c, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0); /* nobody but owner and group, no x */
	assert_int_equal(fd_read_all(fd, got, sizeof(got), &n, &e), RC_OK);
	assert_str(((struct str){got, n}), want);
}

static void
test_whole_body_gets_its_name(void **state)
{
	struct house *h = *state;

	assert_int_equal(item(h, STR("one ")), RC_OK);
	assert_int_equal(item(h, STR("two")), RC_OK);
	assert_int_equal(faccessat(h->dir, id_text(ID).c, F_OK, 0), -1);
	assert_int_equal(end(h, 7), RC_OK);
	assert_file(h, STR("one two"));
	assert_int_equal(count_files(h), 1);
}

static void
test_wrong_size_leaves_nothing(void **state)
{
	struct house *h = *state;

	assert_int_equal(item(h, STR("one")), RC_OK);
	assert_int_equal(end(h, 4), RC_TEMP);
	assert_int_equal(count_files(h), 0);
	assert_int_equal(end(h, 3), RC_TEMP); /* there is nothing to end */
}

/* An id that was used once may name a message that was accepted. */
static void
test_finished_body_is_never_replaced_or_dropped(void **state)
{
	struct house *h = *state;
	struct msg drop = {.no = MSG_body_drop, .body_drop.id = ID};

	assert_int_equal(item(h, STR("first")), RC_OK);
	assert_int_equal(end(h, 5), RC_OK);
	assert_int_equal(item(h, STR("other")), RC_OK);
	assert_int_equal(end(h, 5), RC_TEMP);
	try_send(&h->writer, h->edge, EDGE, &drop);
	assert_int_equal(end(h, 5), RC_TEMP);
	assert_file(h, STR("first"));
	assert_int_equal(count_files(h), 1);
}

static void
test_drop_and_lost_edge_leave_nothing(void **state)
{
	struct house *h = *state;
	struct msg drop = {.no = MSG_body_drop, .body_drop.id = ID};

	assert_int_equal(item(h, STR("one")), RC_OK);
	try_send(&h->writer, h->edge, EDGE, &drop);
	assert_int_equal(end(h, 3), RC_TEMP);
	assert_int_equal(count_files(h), 0);

	assert_int_equal(item(h, STR("one")), RC_OK);
	(void)close(h->edge);
	h->edge = try_link(&h->writer, EDGE, 0);
	assert_int_equal(end(h, 3), RC_TEMP); /* the new edge has no such body */
	for (int i = 0; i < 100 && count_files(h) > 0; i++)
		(void)usleep(10000);
	assert_int_equal(count_files(h), 0);
}

static void
test_hostile_edge_is_cut(void **state)
{
	struct house *h = *state;
	static char many[61440];
	struct msg_body_item bad[] = {
		{5, ID | BIT(6), STR("of edge 1")},
		{5, ID,          {many, 61440}   },
		{5, ID,          {many, 61440}   },
		{5, ID,          {many, 61440}   },
	};
	struct msg m = {.no = MSG_body_item, .body_item = bad[0]};

	try_send(&h->writer, h->edge, EDGE, &m);
	assert_false(try_take(&h->writer, h->edge, EDGE, &m));
	(void)close(h->edge);
	h->edge = try_link(&h->writer, EDGE, 0);
	for (size_t i = 1; i < LENGTH(bad); i++) {
		m = (struct msg){.no = MSG_body_item, .body_item = bad[i]};
		try_send(&h->writer, h->edge, EDGE, &m);
	}
	(void)reply(h);
	(void)reply(h);
	assert_false(try_take(&h->writer, h->edge, EDGE, &m));
}

/* What a killed writer left is cleared by the one in its place. */
static void
test_start_clears_its_own(void **state)
{
	struct house *h = *state;
	static const char *const names[] = {".0-0000000000001", ".1-0000000000001"};

	for (size_t i = 0; i < LENGTH(names); i++)
		(void)close(openat(h->dir, names[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	(void)close(h->edge);
	assert_int_equal(try_stop(&h->writer), 0);
	start(h);
	assert_int_equal(faccessat(h->dir, names[0], F_OK, 0), -1);
	assert_int_equal(unlinkat(h->dir, names[1], 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_body_gets_its_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_size_leaves_nothing, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_finished_body_is_never_replaced_or_dropped,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(test_drop_and_lost_edge_leave_nothing, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(test_hostile_edge_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_clears_its_own, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
