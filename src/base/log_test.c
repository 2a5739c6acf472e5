/*
 * The log. See log.h.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/logfmt.h"
#include "base/test.h"

/* A log into a pipe, read from the other end. */
struct pipe_log {
	int reader;
	int writer;
	char room[8 * PIPE_BUF];
	struct str left; /* read, not yet given out as lines */
};

static int
log_setup(void **ret)
{
	static struct pipe_log log;
	struct err e;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	log = (struct pipe_log){.reader = ends[0], .writer = ends[1]};
	log_open(log.writer, "tester", LOG_INFO);
	*ret = &log;
	return fd_nonblock(log.writer, &e) == RC_OK ? 0 : -1;
}

static int
log_teardown(void **state)
{
	struct pipe_log *log = *state;

	log_open(STDERR_FILENO, "tester", LOG_INFO); /* forgets what is held */
	fd_closep(&log->reader);
	fd_closep(&log->writer);
	return 0;
}

/* The next line without its LF; empty when there is none. */
/* The one field that differs each time, with the space behind it, is looked at and left out. */
static struct str
without_time(struct str line)
{
	static char room[LOG_LINE_MAX];
	struct buf b = BUF_ON(room);
	struct str head = STR_NONE;
	struct str rest = line;

	if (line.n == 0)
		return line;
	for (int words = 0; words < 2; words++) {
		assert_true(str_cut(&rest, ' ', &head));
		buf_add(&b, head);
		buf_addc(&b, ' ');
	}
	assert_true(str_cut(&rest, ' ', &head));
	assert_true(str_starts(head, STR("time=2")));
	assert_int_equal(head.n, strlen("time=2026-11-23T01:02:03.456789Z"));
	buf_add(&b, rest);
	return buf_str(&b);
}

static struct str
next_line(struct pipe_log *log)
{
	struct str line = STR_NONE;

	if (log->left.n == 0) {
		ssize_t got = read(log->reader, log->room, sizeof(log->room));

		log->left = (struct str){log->room, got < 0 ? 0 : (size_t)got};
	}
	(void)str_cut(&log->left, '\n', &line);
	return without_time(line);
}

static void
test_a_line(void **state)
{
	log_put(LOG_WARN, "decision",
	        KVS(kv_num("session", 7), kv_id("id", 10), kv_text("reason", "no_such_user"),
	            kv_text("reply", "no such user"), kv_text("empty", ""),
	            kv_str("none", STR_NONE), kv_text("sum", "1=1")));
	log_flush();
	assert_str(next_line(*state),
	           STR("level=warn role=tester event=decision session=7 id=000000000000a "
	               "reason=no_such_user reply=\"no such user\" empty=\"\" none=\"\" "
	               "sum=\"1=1\""));
	assert_str(next_line(*state), STR_NONE);
}

static void
test_levels_above_the_most_are_silent(void **state)
{
	log_say(LOG_DEBUG, "quiet", "x");
	log_set_level(LOG_ERROR);
	log_say(LOG_WARN, "quiet", "x");
	log_say(LOG_ERROR, "loud", "x");
	log_flush();
	assert_str(next_line(*state), STR("level=error role=tester event=loud text=x"));
	assert_str(next_line(*state), STR_NONE);
}

static void
check_reads_back(struct pipe_log *log, struct str sent)
{
	char room[LOG_LINE_MAX];
	struct buf value = BUF_ON(room);
	struct str key;
	struct str written;

	log_put(LOG_INFO, "e", KVS(kv_str("v", sent), kv_text("last", "z")));
	log_flush();
	struct str line = next_line(log);

	assert_true(str_is_utf8(line));
	assert_true(str_is_printable(line));
	for (int i = 0; i < 3; i++) /* level, role, event */
		assert_true(logfmt_next(&line, &key, &written));
	assert_true(logfmt_next(&line, &key, &written));
	assert_str(key, STR("v"));
	logfmt_add_value(&value, written);
	assert_str(buf_str(&value), sent);
	assert_true(logfmt_next(&line, &key, &written));
	assert_str(key, STR("last"));
	assert_int_equal(line.n, 0);
	assert_str(next_line(log), STR_NONE); /* one event, one line */
}

/* LOG-01: each octet alone, inside text, and behind text that is UTF-8. */
static void
test_every_octet_reads_back(void **state)
{
	for (int i = 0; i < 256; i++) {
		char alone[] = {(char)i};
		char inside[] = {'a', (char)i, 'b'};
		char behind[] = {'\xc3', '\xbc', (char)i};

		check_reads_back(*state, (struct str){alone, sizeof(alone)});
		check_reads_back(*state, (struct str){inside, sizeof(inside)});
		check_reads_back(*state, (struct str){behind, sizeof(behind)});
	}
	for (int i = 0; i < 65536; i += 7) { /* pairs: sequences whole, halved, overlong */
		char pair[] = {(char)(i >> 8), (char)i};

		check_reads_back(*state, (struct str){pair, sizeof(pair)});
	}
}

/* The longest values a peer has for itself do not push out what we say of them. */
static void
test_long_values_leave_room_for_the_others(void **state)
{
	static char hostile[2000];
	struct str sent = {hostile, sizeof(hostile)};

	memset(hostile, '\x1b', sizeof(hostile));
	log_put(LOG_INFO, "decision",
	        KVS(kv_str("helo", sent), kv_str("from", sent), kv_str("rcpt", sent),
	            kv_text("reason", "no_such_user")));
	log_flush();
	struct str line = next_line(*state);

	assert_true(str_iends(line, STR(" cut=rcpt reason=no_such_user")));
	assert_true(line.n > 3 * (size_t)LOG_VALUE_MAX);
	assert_true(line.n < LOG_LINE_MAX);
}

static void
test_a_field_without_room_is_left_out_whole(void **state)
{
	static char longest[LOG_VALUE_MAX];
	struct str v = {longest, sizeof(longest)};

	memset(longest, 'x', sizeof(longest));
	log_put(LOG_INFO, "e",
	        KVS(kv_str("a", v), kv_str("b", v), kv_str("c", v), kv_str("d", v),
	            kv_str("f", v), kv_str("g", v), kv_text("small", "y")));
	log_flush();
	struct str line = next_line(*state);

	assert_true(line.n < LOG_LINE_MAX);
	assert_true(str_iends(line, STR("xxx small=y")));
	assert_int_equal(str_find(line, '\0'), line.n);
}

/* Fill the pipe, so that nothing more goes in. Returns the octets that lie in it. */
static size_t
fill(struct pipe_log *log)
{
	static const char junk[PIPE_BUF] = "";
	size_t n = 0;
	ssize_t wrote;

	while ((wrote = write(log->writer, junk, sizeof(junk))) > 0)
		n += (size_t)wrote;
	return n;
}

static void
empty(struct pipe_log *log)
{
	while (read(log->reader, log->room, sizeof(log->room)) > 0)
		;
	log->left = STR_NONE;
}

static void
test_a_full_pipe_drops_and_counts(void **state)
{
	struct pipe_log *log = *state;

	assert_true(fill(log) > 0);
	for (int i = 0; i < 5; i++)
		log_say(LOG_INFO, "lost", "x");
	log_flush();
	/* this one tells of five, and is lost itself */
	log_say(LOG_INFO, "lost", "x");
	log_flush();
	empty(log);
	log_say(LOG_INFO, "kept", "x");
	log_say(LOG_INFO, "kept", "y");
	log_flush();
	assert_str(next_line(log), STR("level=info role=tester dropped=6 event=kept text=x"));
	assert_str(next_line(log), STR("level=info role=tester event=kept text=y"));
}

/* More than a pipe's atomic write: pieces end at line ends, and nothing is lost or torn. */
static void
test_many_lines_leave_in_whole_pieces(void **state)
{
	struct pipe_log *log = *state;
	unsigned lines = 0;

	for (unsigned i = 0; i < 200; i++)
		log_put(LOG_INFO, "n", KVS(kv_num("i", i), kv_text("t", "some more text")));
	log_flush();
	for (struct str line = next_line(log); line.n > 0; line = next_line(log)) {
		char want[100];
		struct buf b = BUF_ON(want);

		buf_addf(&b, "level=info role=tester event=n i=%u t=\"some more text\"", lines);
		assert_str(line, buf_str(&b));
		lines++;
	}
	assert_int_equal(lines, 200);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, log_setup, log_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(test_a_line),
		LOG_TEST(test_levels_above_the_most_are_silent),
		LOG_TEST(test_every_octet_reads_back),
		LOG_TEST(test_long_values_leave_room_for_the_others),
		LOG_TEST(test_a_field_without_room_is_left_out_whole),
		LOG_TEST(test_a_full_pipe_drops_and_counts),
		LOG_TEST(test_many_lines_leave_in_whole_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
