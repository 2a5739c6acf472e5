/*
 * Message ids as operators paste them. See message_id.h.
 */
#include "command/message_id.h"
#include "base/id.h"

/* Punctuation that stands around an id in text. */
static bool
is_around(char c)
{
	struct str around = STR(" \t\r\n<>()[]\"',;.:");

	return str_find(around, c) < around.n;
}

bool
message_id_read(struct str s, uint64_t *ret)
{
	while (s.n > 0 && is_around(s.p[0]))
		s = str_slice(s, 1, s.n);
	while (s.n > 0 && is_around(s.p[s.n - 1]))
		s = str_slice(s, 0, s.n - 1);
	if (str_istarts(s, STR("id=")) || str_istarts(s, STR("id ")))
		s = str_trim(str_slice(s, 3, s.n));
	return id_parse(s, ret) && *ret > 0 && *ret <= INT64_MAX;
}
