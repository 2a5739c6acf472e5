/*
 * passwd(5). See passwd.h.
 *
 *     row = name ":" password ":" uid ":" gid ":" gecos ":" home ":" shell
 */
#include "proto/passwd.h"

#define FIELDS 7

static bool
read_row(struct str line, struct passwd_row *ret)
{
	struct str field[FIELDS];
	uint64_t uid;
	uint64_t gid;

	for (unsigned i = 0; i < FIELDS; i++) {
		size_t end = str_find(line, ':');

		if (end == line.n && i + 1 < FIELDS)
			return false;
		field[i] = str_slice(line, 0, end);
		line = str_slice(line, end + 1, line.n);
	}
	if (field[0].n == 0 || field[0].p[0] == '+' || field[0].p[0] == '-' ||
	    field[0].p[0] == '#' || !str_u64(field[2], PASSWD_UID_MAX, &uid) ||
	    !str_u64(field[3], PASSWD_UID_MAX, &gid))
		return false;
	*ret = (struct passwd_row){field[0], (uint32_t)uid, (uint32_t)gid, field[5]};
	return true;
}

bool
passwd_next(struct str *in, struct passwd_row *ret)
{
	struct str line;

	while (str_cut(in, '\n', &line))
		if (read_row(line, ret))
			return true;
	return false;
}
