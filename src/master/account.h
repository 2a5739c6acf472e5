/*
 * Users of the machine, as far as master must know them: whether mail may be delivered to one,
 * as whom, and where the home is.
 */
#ifndef MASTER_ACCOUNT_H
#define MASTER_ACCOUNT_H

#include "base/err.h"
#include "base/str.h"

struct cfg;
struct lodging;

#define ACCOUNT_PASSWD "/etc/passwd"
#define ACCOUNT_OCTETS_MAX (16U << 20) /* of that file */

/*
 * Whom a process for <user> runs as, from a text as passwd(5) has it. RC_PERM: no such user,
 * or none that mail is delivered to (the uid's range, root's uid and gid, a uid that is a
 * role's, a home that is no path): whoever asks, master looks for itself. RC_TEMP: we do not
 * run as root, and the user is somebody else.
 */
enum rc account_find(const struct cfg *c, struct str passwd, struct str user,
                     struct lodging *ret, struct err *e) MUST_CHECK;

/* The same, from the file of that name. RC_TEMP where it cannot be read. */
enum rc account_read(const struct cfg *c, const char *path, struct str user,
                     struct lodging *ret, struct err *e) MUST_CHECK;

#endif
