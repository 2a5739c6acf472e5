/*
 * Which uid and gid each role runs as: the system user _sekisho-ROLE where it exists, else
 * uid_base and the role's number (cfg.def).
 */
#ifndef ROLE_IDS_H
#define ROLE_IDS_H

#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "ipc/proc.h"

struct cfg;

/* For processes outside the walls (it asks the user database). Both 0 when we are not root. */
void proc_ids(const struct cfg *c, enum proc p, uid_t *ret_uid, gid_t *ret_gid);

/*
 * A user and a group by name or number; an empty one is (uid_t)-1 or (gid_t)-1, as chown takes
 * for "as it is". RC_PERM for a name that the machine does not have.
 */
enum rc ids_of_names(struct str user, struct str group, uid_t *ret_uid, gid_t *ret_gid,
                     struct err *e) MUST_CHECK;

#endif
