/*
 * Which uid and gid each role runs as: the system user _sekisho-ROLE where it exists, else
 * uid_base and the role's number (cfg.def).
 */
#ifndef ROLE_IDS_H
#define ROLE_IDS_H

#include <sys/types.h>

#include "ipc/proc.h"

struct cfg;

/* For processes outside the walls (it asks the user database). Both 0 when we are not root. */
void proc_ids(const struct cfg *c, enum proc p, uid_t *ret_uid, gid_t *ret_gid);

#endif
