/*
 * The log of one process. See log.h.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/id.h"
#include "base/log.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* The process's one log: the globals that main.c would hold, kept where the lines gather. */
static struct {
	int fd;
	const char *role;
	enum log_level most;
	uint64_t dropped; /* lines lost that no line has told of */
	uint64_t told;    /* lines lost that lines in <held> tell of */
	struct buf held;
	char room[PIPE_BUF + 1];
} out = {.fd = STDERR_FILENO, .role = "sekisho", .most = LOG_INFO};

void
log_open(int fd, const char *role, enum log_level most)
{
	out.fd = fd;
	out.role = role;
	out.most = most;
	out.held = BUF_ON(out.room);
}

void
log_set_level(enum log_level most)
{
	out.most = most;
}

static bool
needs_quotes(struct str s)
{
	if (s.n == 0)
		return true;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == '=' ||
		    s.p[i] == '\\' || (unsigned char)s.p[i] >= 0x7f)
			return true;
	return false;
}

/* False where only the beginning is shown. */
static bool
add_quoted(struct buf *b, struct str s)
{
	char room[LOG_VALUE_MAX + 1];
	struct buf shown = BUF_ON(room);
	size_t octets = s.n < LOG_VALUE_MAX ? s.n : LOG_VALUE_MAX;

	buf_add_escaped(&shown, str_slice(s, 0, octets));
	if (shown.cut) {
		octets = LOG_VALUE_MAX / 4; /* fits whatever they are */
		buf_add_escaped(&shown, str_slice(s, 0, octets));
	}
	buf_addc(b, '"');
	buf_add(b, buf_str(&shown));
	buf_addc(b, '"');
	return octets == s.n;
}

/* False where only the beginning is shown. */
static bool
add_value(struct buf *b, const struct kv *f)
{
	struct id_text id;

	switch (f->type) {
	case KV_NUM:
		buf_addf(b, "%llu", (unsigned long long)f->u);
		break;
	case KV_ID:
		id = id_text(f->u);
		buf_add(b, str_of(id.c));
		break;
	case KV_STR:
		if (f->s.n > LOG_VALUE_MAX || needs_quotes(f->s))
			return add_quoted(b, f->s);
		buf_add(b, f->s);
		break;
	case KV_END_TYPE:
		break;
	}
	return true;
}

/* A field that does not fit is left out whole: half a value would be another value. */
static void
add_field(struct buf *b, const struct kv *f)
{
	size_t was = b->n;
	bool was_cut = b->cut;

	b->cut = false;
	buf_addf(b, " %s=", f->key);
	if (!add_value(b, f))
		buf_addf(b, " cut=%s", f->key);
	if (b->cut) {
		b->n = was;
		b->p[was] = '\0';
	}
	b->cut = b->cut || was_cut;
}

void
log_fields(struct buf *b, const char *event, const struct kv *fields)
{
	buf_addf(b, "event=%s", event);
	for (const struct kv *f = fields; f->type != KV_END_TYPE; f++)
		add_field(b, f);
}

static void
hold_line(struct str line)
{
	if (out.held.p == NULL)
		out.held = BUF_ON(out.room);
	if (line.n > out.held.cap - 1 - out.held.n)
		log_flush();
	buf_add(&out.held, line);
}

void
log_put(enum log_level level, const char *event, const struct kv *fields)
{
	char room[LOG_LINE_MAX];
	struct buf b = BUF_ON(room);

	if (level > out.most)
		return;
	b.cap--; /* for the LF */
	buf_addf(&b, "level=%s role=%s time=", level_names[level], out.role);
	date_add_rfc3339(&b, clock_wall_us());
	buf_addc(&b, ' ');
	if (out.dropped > 0)
		buf_addf(&b, "dropped=%llu ", (unsigned long long)out.dropped);
	out.told += out.dropped;
	out.dropped = 0;
	log_fields(&b, event, fields);
	b.cap++;
	b.cut = false;
	buf_addc(&b, '\n');
	hold_line(buf_str(&b));
}

void
log_say(enum log_level level, const char *event, const char *text)
{
	log_put(level, event, KVS(kv_text("text", text)));
}

static uint64_t
count_lines(struct str s)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < s.n; i++)
		lines += s.p[i] == '\n';
	return lines;
}

void
log_flush(void)
{
	if (out.held.n == 0)
		return;
	ssize_t wrote;

	do
		wrote = write(out.fd, out.held.p, out.held.n);
	while (wrote < 0 && errno == EINTR);
	/* At most PIPE_BUF: the pipe takes all of it or nothing. */
	if (wrote < 0)
		out.dropped += out.told + count_lines(buf_str(&out.held));
	out.told = 0;
	buf_clear(&out.held);
}
