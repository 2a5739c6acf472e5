/*
 * Lines and replies of `sendmail -bs`. See speak.h.
 */
#include <string.h>

#include "proto/smtp.h"
#include "sendmail/speak.h"

void
speak_start(struct speak *s)
{
	*s = (struct speak){.at = SPEAK_ASKED, .owed = 1};
}

bool
speak_waits(const struct speak *s)
{
	return s->at == SPEAK_ASKED && s->owed > 0;
}

/* ---- what the program says ---- */

/* As the server reads it (edge/verbs.c), so that both see a chunk or none. */
static void
end_command(struct speak *s, struct str line)
{
	struct smtp_command c;
	struct smtp_bdat chunk;

	s->owed++;
	if (smtp_split(line, &c) != NULL)
		return;
	if (str_ieq(c.verb, STR("DATA")))
		s->at = SPEAK_ASKED;
	if (!str_ieq(c.verb, STR("BDAT")) || smtp_bdat_parse(c.arg, &chunk) != NULL)
		return;
	s->left = chunk.size;
	if (s->left > 0)
		s->at = SPEAK_CHUNK;
}

/* The line end has gone to the server. */
static void
end_line(struct speak *s)
{
	struct str line = {s->line, s->line_n};
	bool whole = s->line_n <= sizeof(s->line); /* no longer one means anything to us */

	s->line_n = 0;
	s->cr = false;
	if (whole && line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (s->at == SPEAK_CONTENT) {
		if (!whole || !str_eq(line, STR(".")))
			return;
		s->at = SPEAK_COMMAND;
		s->owed++;
		return;
	}
	end_command(s, whole ? line : STR_NONE);
}

static void
add_to_line(struct speak *s, struct str octets)
{
	for (size_t i = 0; i < octets.n && s->line_n + i < sizeof(s->line); i++)
		s->line[s->line_n + i] = octets.p[i];
	s->line_n += octets.n;
	if (octets.n > 0)
		s->cr = octets.p[octets.n - 1] == '\r';
}

/* A line up to its end, or as much of it as has come. Returns how many octets that is. */
static size_t
say_line(struct speak *s, struct str in, struct buf *out)
{
	size_t lf = str_find(in, '\n');

	add_to_line(s, str_slice(in, 0, lf));
	buf_add(out, str_slice(in, 0, lf));
	if (lf == in.n)
		return lf;
	buf_add(out, s->cr ? STR("\n") : STR("\r\n"));
	end_line(s);
	return lf + 1;
}

static size_t
say_chunk(struct speak *s, struct str in, struct buf *out)
{
	size_t n = in.n < s->left ? in.n : (size_t)s->left;

	buf_add(out, str_slice(in, 0, n));
	s->left -= n;
	if (s->left == 0)
		s->at = SPEAK_COMMAND;
	return n;
}

void
speak_say(struct speak *s, struct str *in, struct buf *out)
{
	while (in->n > 0 && !speak_waits(s)) {
		size_t n =
			s->at == SPEAK_CHUNK ? say_chunk(s, *in, out) : say_line(s, *in, out);

		*in = str_slice(*in, n, in->n);
	}
}

/* ---- what the server says ---- */

/* "250-..." is not the last line of its reply, "250 ..." is: RFC 5321 §4.2.1. */
static void
end_reply(struct speak *s)
{
	bool last = s->reply_n < sizeof(s->reply) || s->reply[3] != '-';
	bool go_on = s->reply_n >= 3 && memcmp(s->reply, "354", 3) == 0;

	s->reply_n = 0;
	if (!last)
		return;
	s->owed -= s->owed > 0; /* a 421 is owed to nobody */
	if (s->at == SPEAK_ASKED && s->owed == 0)
		s->at = go_on ? SPEAK_CONTENT : SPEAK_COMMAND;
}

void
speak_hear(struct speak *s, struct str octets)
{
	for (size_t i = 0; i < octets.n; i++) {
		if (octets.p[i] == '\n')
			end_reply(s);
		else if (s->reply_n < sizeof(s->reply))
			s->reply[s->reply_n++] = octets.p[i];
	}
}
