/*
 * copy_ask: what a role that owns a database answers. See db/db_copy.h.
 */
#ifndef ROLE_COPYING_H
#define ROLE_COPYING_H

#include "db/db_copy.h"
#include "ipc/channel.h"

/* <db> is NULL where there is none just now: RC_TEMP. */
void copying_answer(struct db_copy *copy, sqlite3 *db, struct channel *from,
                    const struct msg_copy_ask *m, uint64_t now_ms);

#endif
