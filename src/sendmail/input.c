/*
 * Standard input. See input.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "proto/header.h"
#include "sendmail/input.h"

#define CHUNK 65536U
#define MEMORY_MAX (1U << 20) /* octets of the body in memory */

struct inside {
	bool dot;
	bool ended; /* by the dot */
	bool in_body;
	size_t line;  /* in head: where the present line begins */
	bool start;   /* nothing of the present line has been passed on */
	char held[2]; /* of a line whose next octets decide */
	size_t held_n;
	bool open; /* what was passed on last did not end a line */
	char chunk[CHUNK];
	char *memory;
	size_t memory_n;
	int file; /* -1: all is in memory */
	size_t at;
};

/* ---- the body ---- */

/* Without a name: it goes with us, however we end. */
static enum rc
open_file(struct inside *i, struct err *e)
{
	static const char *const folders[] = {"/var/tmp", "/tmp"};

	for (size_t n = 0; n < LENGTH(folders) && i->file < 0; n++)
		i->file = open(folders[n], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (i->file < 0)
		i->file = memfd_create("sekisho-sendmail", MFD_CLOEXEC);
	return i->file < 0 ? err_sys(e, "make room for the message") : RC_OK;
}

/* What memory holds goes into the file. */
static enum rc
spill(struct inside *i, struct err *e)
{
	if (i->file < 0 && open_file(i, e) != RC_OK)
		return e->rc;
	struct str held = {i->memory, i->memory_n};
	i->memory_n = 0;
	return fd_write_all(i->file, held, e);
}

static enum rc
add_body(struct input *in, struct str s, struct err *e)
{
	struct inside *i = in->inside;

	if (s.n > INPUT_BODY_MAX - in->body)
		return err_set(e, RC_PERM, "the message is longer than any server takes");
	in->body += s.n;
	for (size_t n = 0; n < s.n; n++)
		in->lines += s.p[n] == '\n';
	if (s.n > MEMORY_MAX - i->memory_n && spill(i, e) != RC_OK)
		return e->rc;
	if (s.n > MEMORY_MAX)
		return fd_write_all(i->file, s, e);
	memcpy(i->memory + i->memory_n, s.p, s.n);
	i->memory_n += s.n;
	return RC_OK;
}

/* ---- the header ---- */

static bool
is_field(struct str line)
{
	struct header_field f;

	return header_next(&line, &f);
}

/* What stands behind the header, from the present line on, is body. */
static enum rc
end_head(struct input *in, bool blank, struct err *e)
{
	struct inside *i = in->inside;
	struct str rest = str_slice(buf_str(&in->head), i->line, in->head.n);

	i->in_body = true;
	if (!blank && add_body(in, rest, e) != RC_OK)
		return e->rc;
	in->head.n = i->line;
	in->head.p[in->head.n] = '\0';
	return RC_OK;
}

/* A whole line of the header is there. */
static enum rc
head_line(struct input *in, struct err *e)
{
	struct inside *i = in->inside;
	struct str line = str_slice(buf_str(&in->head), i->line, in->head.n);
	bool mbox = str_starts(line, STR("From ")) || str_starts(line, STR(">From "));
	bool folded = i->line > 0 && (line.p[0] == ' ' || line.p[0] == '\t');

	if (line.n == 1)
		return end_head(in, true, e);
	if (i->line == 0 && mbox)
		in->head.n = 0;
	else if (!folded && !is_field(line))
		return end_head(in, false, e);
	i->line = in->head.n;
	return RC_OK;
}

static enum rc
add_head(struct input *in, struct str s, struct err *e)
{
	struct inside *i = in->inside;

	if (s.n >= in->head.cap - in->head.n) {
		struct str line = str_slice(buf_str(&in->head), i->line, in->head.n);
		bool folded =
			i->line > 0 && (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t');

		if (folded || is_field(line))
			return err_set(e, RC_PERM, "the header is over %u octets",
			               INPUT_HEAD_MAX);
		return end_head(in, false, e) == RC_OK ? add_body(in, s, e) : e->rc;
	}
	buf_add(&in->head, s);
	return s.p[s.n - 1] == '\n' ? head_line(in, e) : RC_OK;
}

/* A line, or a piece of one; an LF only at its end. */
static enum rc
pass_on(struct input *in, struct str s, struct err *e)
{
	struct inside *i = in->inside;

	if (s.n == 0)
		return RC_OK;
	i->start = s.p[s.n - 1] == '\n';
	i->open = !i->start;
	return i->in_body ? add_body(in, s, e) : add_head(in, s, e);
}

/* ---- lines ---- */

static enum rc
pass_held(struct input *in, struct err *e)
{
	struct inside *i = in->inside;
	size_t n = i->held_n;

	i->held_n = 0;
	return pass_on(in, (struct str){i->held, n}, e);
}

/* The octets of a line up to its LF, which is left out. */
static enum rc
end_line(struct input *in, struct str s, struct err *e)
{
	struct inside *i = in->inside;
	bool dot = i->dot && i->start;

	if (s.n > 0 && s.p[s.n - 1] == '\r') {
		s.n--;
	} else if (s.n == 0 && i->held_n > 0 && i->held[i->held_n - 1] == '\r') {
		i->held_n--;
	}
	if (dot && i->held_n + s.n == 1 && (i->held_n == 1 ? i->held[0] : s.p[0]) == '.') {
		i->held_n = 0;
		i->ended = true;
		return RC_OK;
	}
	if (pass_held(in, e) != RC_OK || pass_on(in, s, e) != RC_OK)
		return e->rc;
	return pass_on(in, STR("\n"), e);
}

/* The beginning or middle of a line: an end that may be half of something waits. */
static enum rc
part_of_line(struct input *in, struct str s, struct err *e)
{
	struct inside *i = in->inside;
	size_t keep = s.n > 0 && s.p[s.n - 1] == '\r';

	if (i->start && i->held_n == 0 && s.n > 0 && s.n - keep == 1 && s.p[0] == '.')
		keep = s.n; /* ".", or "." CR */
	if (i->start && i->held_n == 1 && i->held[0] == '.' && s.n == 1 && keep == 1) {
		i->held[i->held_n++] = '\r';
		return RC_OK;
	}
	if (s.n > 0 && pass_held(in, e) != RC_OK)
		return e->rc;
	if (pass_on(in, str_slice(s, 0, s.n - keep), e) != RC_OK)
		return e->rc;
	memcpy(i->held, s.p + s.n - keep, keep);
	i->held_n += keep;
	return RC_OK;
}

static enum rc
take(struct input *in, struct str s, struct err *e)
{
	struct inside *i = in->inside;

	while (s.n > 0 && !i->ended) {
		size_t lf = str_find(s, '\n');
		enum rc rc = lf < s.n ? end_line(in, str_slice(s, 0, lf), e)
		                      : part_of_line(in, s, e);

		if (rc != RC_OK)
			return rc;
		s = str_slice(s, lf + 1, s.n);
	}
	return RC_OK;
}

static enum rc
finish(struct input *in, struct err *e)
{
	struct inside *i = in->inside;

	if (!i->ended && i->held_n > 0 && end_line(in, STR_NONE, e) != RC_OK)
		return e->rc;
	if (i->open && end_line(in, STR_NONE, e) != RC_OK)
		return e->rc;
	i->in_body = true;
	return input_rewind(in, e);
}

enum rc
input_read(struct input *in, int fd, bool dot, struct err *e)
{
	*in = (struct input){
		.head = {.p = malloc(INPUT_HEAD_MAX), .cap = INPUT_HEAD_MAX},
		.inside = calloc(1, sizeof(*in->inside))
        };
	struct inside *i = in->inside;
	ssize_t n = 1;

	if (i != NULL) {
		i->file = -1;
		i->memory = malloc(MEMORY_MAX);
	}
	if (i == NULL || i->memory == NULL || in->head.p == NULL)
		return err_set(e, RC_TEMP, "no memory for the message");
	buf_clear(&in->head);
	i->dot = dot;
	i->start = true;
	while (n > 0 && !i->ended) {
		n = read(fd, i->chunk, sizeof(i->chunk));
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n < 0)
			return err_sys(e, "read the message");
		if (take(in, (struct str){i->chunk, (size_t)n}, e) != RC_OK)
			return e->rc;
	}
	return finish(in, e);
}

/* ---- reading it again ---- */

enum rc
input_rewind(struct input *in, struct err *e)
{
	struct inside *i = in->inside;

	i->at = 0;
	if (i->file >= 0 && i->memory_n > 0 && spill(i, e) != RC_OK)
		return e->rc;
	if (i->file >= 0 && lseek(i->file, 0, SEEK_SET) < 0)
		return err_sys(e, "read the message again");
	return RC_OK;
}

enum rc
input_next(struct input *in, struct str *ret, struct err *e)
{
	struct inside *i = in->inside;

	if (i->file < 0) {
		*ret = str_slice((struct str){i->memory, i->memory_n}, i->at, i->memory_n);
		i->at = i->memory_n;
		return RC_OK;
	}
	ssize_t n = read(i->file, i->chunk, sizeof(i->chunk));
	if (n < 0)
		return err_sys(e, "read the message again");
	*ret = (struct str){i->chunk, (size_t)n};
	return RC_OK;
}

void
input_free(struct input *in)
{
	free(in->head.p);
	if (in->inside != NULL) {
		free(in->inside->memory);
		fd_closep(&in->inside->file);
	}
	free(in->inside);
	*in = (struct input){.body = 0};
}
