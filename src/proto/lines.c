/*
 * Logical lines. See lines.h.
 */
#include "proto/lines.h"

bool
lines_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct lines
lines_of(struct str text, char *room)
{
	return (struct lines){.rest = text, .room = room};
}

static struct str
without_end(struct str s)
{
	while (s.n > 0 && lines_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Nothing but blanks, or a comment. */
static bool
is_nothing(struct str s)
{
	size_t at = 0;

	while (at < s.n && lines_blank(s.p[at]))
		at++;
	return at == s.n || s.p[at] == '#';
}

/* Does what follows belong to the line before it? A comment may: who knows what is behind. */
static bool
goes_on(struct str rest)
{
	return rest.n > 0 && (rest.p[0] == '#' || lines_blank(rest.p[0]));
}

bool
lines_next(struct lines *l, struct line *ret)
{
	struct buf joined = {.p = l->room, .cap = LINES_ROOM};
	struct str one;

	buf_clear(&joined);
	*ret = (struct line){.number = 0};
	while ((ret->number == 0 || goes_on(l->rest)) && str_cut(&l->rest, '\n', &one)) {
		l->number++;
		if (is_nothing(one))
			continue;
		if (ret->number == 0)
			ret->number = l->number;
		buf_add(&joined, without_end(one));
	}
	ret->text = buf_str(&joined);
	ret->cut = joined.cut;
	return ret->number > 0;
}
