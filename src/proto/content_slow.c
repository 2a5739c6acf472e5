/*
 * See content_slow.h.
 */
#include <string.h>

#include "proto/content_slow.h"

static bool
is(struct str s, size_t at, const char *octets)
{
	struct str with = str_of(octets);

	return at + with.n <= s.n && memcmp(s.p + at, with.p, with.n) == 0;
}

void
content_read_slowly(struct str in, bool dots, struct content_slow *r)
{
	bool start = true;

	for (size_t i = 0; i < in.n;) {
		bool was_start = start;

		start = false;
		if (dots && was_start && is(in, i, ".\r\n")) {
			r->end = true;
			r->taken = i + 3;
			r->framing += 3;
			return;
		}
		if (dots && was_start && in.p[i] == '.') {
			i++;
			r->framing++;
			/* what follows is in the line; a CR LF there would have been the end */
			continue;
		}
		if (is(in, i, "\r\n")) {
			r->p[r->n++] = '\n';
			start = i == 0 || in.p[i - 1] != '\r';
			i += 2;
			continue;
		}
		if (in.p[i] == '\r' && i + 1 == in.n && dots)
			break; /* what it is the next octet would say */
		r->p[r->n++] = (char)(in.p[i] == '\r' ? ' ' : in.p[i]);
		i++;
	}
	r->taken = in.n;
}
