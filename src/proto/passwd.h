/*
 * The users of the machine: passwd(5).
 */
#ifndef PROTO_PASSWD_H
#define PROTO_PASSWD_H

#include "base/str.h"

#define PASSWD_UID_MAX 4294967294U /* the highest is no user's: (uid_t)-1 */

struct passwd_row {
	struct str name;
	uint32_t uid;
	uint32_t gid;
	struct str home; /* whatever stands there */
};

/*
 * The next line that names a user; lines that do not (comments, NIS's `+` and `-`, anything
 * malformed) are passed over, as getpwent(3) does. False at the end of *in.
 */
bool passwd_next(struct str *in, struct passwd_row *ret) MUST_CHECK;

#endif
