/*
 * The role against a spool that the test plays: what is answered, when, and when it leaves.
 */
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <event2/event.h>

#include "base/test.h"
#include "cfg/cfg.h"
#include "deliver/batch.h"
#include "deliver/work.h"

#define BODY "Subject: hi\n\nhello\n"
#define FILES "example.org/*/new/*"
#define RUNNING (-1)

/* What role.c has there, as far as this role uses it. */
struct role_inside {
	int status; /* RUNNING until role_quit */
};

struct scene {
	char home[64];
	struct event_base *base;
	struct channel *ours;
	struct channel *spool; /* the other end */
	char heard[8192];      /* what the spool got, a line a message */
	struct buf b;
	struct role role;
	struct role_inside inside;
	struct cfg cfg;
};

static struct {
	int error; /* of each sync */
	unsigned syncs;
	struct scene *scene;
	size_t heard_before; /* octets heard when the last sync began */
} world;

void
role_tick(struct role *r)
{
	(void)r; /* the test says what time it is */
}

void
role_quit(struct role *r, int status)
{
	r->inside->status = status;
}

/* ---- the disk ---- */

static int
our_sync(int fd)
{
	(void)fd;
	world.syncs++;
	world.heard_before = world.scene->b.n;
	errno = world.error;
	return world.error == 0 ? 0 : -1;
}

static uint64_t
our_now_ms(void)
{
	return 1;
}

static const struct disk_calls disk_calls = {our_sync, our_sync, our_now_ms};

static unsigned
count_files(void)
{
	glob_t g;
	unsigned count = glob(FILES, 0, NULL, &g) == 0 ? (unsigned)g.gl_pathc : 0;

	globfree(&g);
	return count;
}

/* ---- the spool ---- */

static void
hear_results(struct buf *b, const struct msg_work_done *done)
{
	struct list results = done->results;
	struct item_result result;

	buf_addf(b, "done %" PRIu64, done->id);
	while (item_next_result(&results, &result))
		buf_addf(b, " %u=%u", result.n, result.rc);
	buf_addc(b, '\n');
}

static void
spool_got(void *arg, struct channel *c, const struct msg *m)
{
	struct scene *s = arg;

	(void)c;
	if (m->no == MSG_work_done)
		hear_results(&s->b, &m->work_done);
	else if (m->no == MSG_work_want)
		buf_addf(&s->b, "want %u\n", m->work_want.messages);
	else
		buf_addf(&s->b, "%s\n", msg_name(m->no));
	assert_false(s->b.cut);
}

static void
spool_down(void *arg, struct channel *c, const char *why)
{
	struct scene *s = arg;

	(void)why;
	s->spool = channel_free(c);
}

static void
ours_got(void *arg, struct channel *c, const struct msg *m)
{
	struct scene *s = arg;

	assert_non_null(work_handlers[m->no]);
	work_handlers[m->no](&s->role, c, m);
}

static void
ours_down(void *arg, struct channel *c, const char *why)
{
	struct scene *s = arg;

	(void)why;
	work_peer_down(&s->role, c);
	if (s->ours == c)
		s->ours = NULL;
	(void)channel_free(c);
}

static void
link_up(struct scene *s)
{
	int ends[2];
	struct err e;

	assert_int_equal(channel_pair(ends, &e), RC_OK);
	s->ours = channel_new(s->base, ends[0], DELIVER, SPOOL, 0,
	                      (struct channel_use){ours_got, ours_down, s});
	s->spool = channel_new(s->base, ends[1], SPOOL, DELIVER, 0,
	                       (struct channel_use){spool_got, spool_down, s});
	work_peer_up(&s->role, s->ours);
}

/* Everybody's events until nothing moves; the role's turn comes after each. */
static void
loop(struct scene *s)
{
	for (int i = 0; i < 10; i++) {
		assert_true(event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
		if (s->inside.status == RUNNING)
			work_turn(&s->role);
	}
}

static void
hears(struct scene *s, const char *want)
{
	loop(s);
	assert_string_equal(s->heard, want);
	buf_clear(&s->b);
}

static int
start_for(void **state, const char *user)
{
	static struct scene s;
	struct err e;

	memset(&s, 0, sizeof(s));
	memset(&world, 0, sizeof(world));
	world.scene = &s;
	(void)snprintf(s.home, sizeof(s.home), "/tmp/sekisho-work-XXXXXX");
	if (mkdtemp(s.home) == NULL || chdir(s.home) != 0)
		return -1;
	s.b = BUF_ON(s.heard);
	s.base = event_base_new();
	s.inside.status = RUNNING;
	s.cfg.hostname = STR("mail.example.org");
	s.role = (struct role){.me = DELIVER,
	                       .user = str_of(user),
	                       .cfg = &s.cfg,
	                       .base = s.base,
	                       .now_ms = 100000,
	                       .inside = &s.inside};
	if (work_open(&s.role, &disk_calls, &e) != RC_OK)
		return -1;
	link_up(&s);
	hears(&s, "want 256\n");
	*state = &s;
	return 0;
}

static int
start(void **state)
{
	return start_for(state, "");
}

static int
start_user(void **state)
{
	return start_for(state, "u0");
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int
stop(void **state)
{
	struct scene *s = *state;

	work_close(&s->role);
	(void)channel_free(s->ours);
	(void)channel_free(s->spool);
	event_base_free(s->base);
	if (chdir("/") != 0)
		return -1;
	return nftw(s->home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct list
rcpts_of(struct buf *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char mailbox[64];

		(void)snprintf(mailbox, sizeof(mailbox), "u%u@example.org", i);
		struct item_rcpt to = {
			.n = (uint16_t)i, .mailbox = str_of(mailbox), .orig = str_of(mailbox)};

		assert_true(item_add_rcpt(b, &to));
	}
	return (struct list){count, buf_str(b)};
}

static void
send_work(struct scene *s, const struct msg *m)
{
	struct err e;

	if (channel_send(s->spool, m, &e) != RC_OK)
		fail_msg("%s", e.text);
}

static void
give(struct scene *s, unsigned id, unsigned rcpts)
{
	char room[4096];
	struct buf b = BUF_ON(room);

	send_work(s, &(struct msg){
			     .no = MSG_work,
			     .work = {.id = id,
	                              .seq = id,
	                              .size = sizeof(BODY) - 1,
	                              .hash = XXH3_64bits(BODY, sizeof(BODY) - 1),
	                              .sender = STR("s@example.net"),
	                              .rcpts = rcpts_of(&b, rcpts),
	                              .body = STR(BODY)}
        });
}

/* ---- what is promised ---- */

static void
test_done_is_said_after_the_sync_and_asks_for_more(void **state)
{
	struct scene *s = *state;

	give(s, 1, 1);
	give(s, 2, 3);
	hears(s, "done 1 0=0\ndone 2 0=0 1=0 2=0\nwant 2\n");
	assert_int_equal(world.syncs, 1);
	assert_int_equal(world.heard_before, 0);
	assert_int_equal(count_files(), 4);
}

static void
test_a_body_may_come_in_a_file(void **state)
{
	struct scene *s = *state;
	char room[4096];
	struct buf b = BUF_ON(room);
	int body = memfd_create("body", MFD_CLOEXEC);

	assert_int_equal(write(body, BODY, sizeof(BODY) - 1), sizeof(BODY) - 1);
	send_work(s, &(struct msg){
			     .no = MSG_work_file,
			     .work_file = {.id = 9,
	                                   .seq = 9,
	                                   .size = sizeof(BODY) - 1,
	                                   .hash = XXH3_64bits(BODY, sizeof(BODY) - 1),
	                                   .rcpts = rcpts_of(&b, 2),
	                                   .body = body}
        });
	(void)close(body);
	hears(s, "done 9 0=0 1=0\nwant 1\n");
	assert_int_equal(count_files(), 2);
}

/* Each outcome once, and each message's credit once, wherever the batches end. */
static void
test_a_message_may_end_in_another_batch_than_it_began(void **state)
{
	struct scene *s = *state;
	unsigned messages = 0;
	unsigned outcomes = 0;

	for (unsigned id = 1; id <= 10; id++)
		give(s, id, 30);
	loop(s);
	for (struct str in = buf_str(&s->b), line; str_cut(&in, '\n', &line);) {
		uint64_t n = 0;

		if (str_starts(line, STR("want ")) &&
		    str_u64(str_slice(line, 5, line.n), 10, &n))
			messages += (unsigned)n;
		for (size_t i = 0; i < line.n; i++)
			outcomes += line.p[i] == '=';
	}
	assert_int_equal(messages, 10);
	assert_int_equal(outcomes, 300);
	assert_int_equal(count_files(), 300);
	assert_true(world.syncs >= 300 / BATCH_MAX);
}

static void
test_a_failed_sync_is_told_and_the_role_leaves(void **state)
{
	struct scene *s = *state;

	world.error = EIO;
	give(s, 1, 2);
	give(s, 2, 1);
	hears(s, "done 1 0=2 1=2\ndone 2 0=2\nwork_broken\n");
	assert_int_equal(s->inside.status, EX_IOERR);
	assert_int_equal(count_files(), 0);
	assert_int_equal(world.syncs, 1);
}

static void
test_after_a_failed_sync_in_a_message_the_rest_is_not_tried(void **state)
{
	struct scene *s = *state;

	world.error = EIO;
	for (unsigned id = 1; id <= 10; id++)
		give(s, id, 30);
	loop(s);
	assert_int_equal(s->inside.status, EX_IOERR);
	assert_int_equal(world.syncs, 1);
	assert_int_equal(count_files(), 0);
	assert_null(strstr(s->heard, "=0"));
	assert_non_null(strstr(s->heard, "work_broken\n"));
}

/* Before the turn's sync: its handler runs after the work's, in one turn. */
static void
test_void_takes_the_batch_back_and_says_nothing(void **state)
{
	struct scene *s = *state;

	give(s, 1, 2);
	send_work(s, &(struct msg){.no = MSG_work_void});
	give(s, 2, 2);
	hears(s, "");
	assert_int_equal(s->inside.status, EX_IOERR);
	assert_int_equal(count_files(), 0);
	assert_int_equal(world.syncs, 0);
}

static void
test_drain_settles_and_leaves(void **state)
{
	struct scene *s = *state;

	give(s, 1, 1);
	assert_true(event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
	s->role.draining = true;
	work_drain(&s->role, 1000);
	give(s, 2, 1);
	hears(s, "done 1 0=0\n");
	assert_int_equal(s->inside.status, EX_OK);
	assert_int_equal(count_files(), 1);
}

/* Its outcomes are nobody's: the new spool gives all its work again. */
static void
test_a_new_spool_hears_nothing_of_the_old_ones_work(void **state)
{
	struct scene *s = *state;
	struct channel *old_spool = s->spool;
	struct channel *old_ours = s->ours;

	give(s, 1, 1);
	assert_true(event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
	link_up(s);
	hears(s, "want 256\n");
	work_peer_down(&s->role, old_ours);
	(void)channel_free(old_ours);
	(void)channel_free(old_spool);
	give(s, 2, 1);
	hears(s, "done 2 0=0\nwant 1\n");
}

static void
test_a_spool_that_left_is_waited_for(void **state)
{
	struct scene *s = *state;

	s->spool = channel_free(s->spool);
	loop(s);
	assert_null(s->ours);
	assert_int_equal(s->inside.status, RUNNING);
	link_up(s);
	give(s, 1, 1);
	hears(s, "want 256\ndone 1 0=0\nwant 1\n");
}

/* Many such processes share a disk: what comes within one moment shares a sync. */
static void
test_a_users_process_syncs_so_often_at_most(void **state)
{
	struct scene *s = *state;

	give(s, 1, 1);
	hears(s, "done 1 0=0\nwant 1\n"); /* after a pause at once */
	s->role.now_ms += 10;
	give(s, 2, 1);
	hears(s, "");
	give(s, 3, 1);
	hears(s, "");
	assert_int_equal(world.syncs, 1);
	s->role.now_ms += 30;
	hears(s, "done 2 0=0\ndone 3 0=0\nwant 2\n");
	assert_int_equal(world.syncs, 2);
	give(s, 4, 1);
	loop(s);
	work_drain(&s->role, 1000); /* who leaves does not wait */
	hears(s, "done 4 0=0\n");
}

static void
test_the_turn_that_syncs_comes_by_itself(void **state)
{
	struct scene *s = *state;

	give(s, 1, 1);
	hears(s, "done 1 0=0\nwant 1\n");
	give(s, 2, 1);
	hears(s, "");
	assert_true(event_base_loop(s->base, EVLOOP_ONCE) >= 0); /* waits for the timer alone */
	s->role.now_ms += 40;
	hears(s, "done 2 0=0\nwant 1\n");
}

#define USER_TEST(name) cmocka_unit_test_setup_teardown(name, start_user, stop)
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_done_is_said_after_the_sync_and_asks_for_more),
		TEST(test_a_body_may_come_in_a_file),
		TEST(test_a_message_may_end_in_another_batch_than_it_began),
		TEST(test_a_failed_sync_is_told_and_the_role_leaves),
		TEST(test_after_a_failed_sync_in_a_message_the_rest_is_not_tried),
		TEST(test_void_takes_the_batch_back_and_says_nothing),
		TEST(test_drain_settles_and_leaves),
		TEST(test_a_new_spool_hears_nothing_of_the_old_ones_work),
		TEST(test_a_spool_that_left_is_waited_for),
		USER_TEST(test_a_users_process_syncs_so_often_at_most),
		USER_TEST(test_the_turn_that_syncs_comes_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
