/*
 * The tables beside accounts.db: the machine's users, alias files, virtual tables. master
 * sends a descriptor of each at the start and again whenever the file changes (msg map).
 *
 * A table that cannot be used leaves the one before it in place. Where there has been none, it
 * is missing: what it might have said is not known, and mail it could lead waits (4xx).
 */
#ifndef VAULT_MAPS_H
#define VAULT_MAPS_H

#include "vault/map.h"
#include "vault/users.h"

struct maps;

/* How much of what the tables of one kind say is known. */
enum maps_known {
	MAPS_ALL,
	MAPS_PARTLY, /* a file has lines that could not be used, and there was none before it */
	MAPS_MISSING /* a file was not read yet, or is not there */
};

/* <cfg> must outlive it, or maps_reconfigure says what comes in its place. NULL when memory is
 * out. */
struct maps *maps_new(const struct cfg *cfg);

/* Tables of files that <cfg> names as well are kept. False when memory is out: nothing changed.
 */
bool maps_reconfigure(struct maps *m, const struct cfg *cfg) MUST_CHECK;

/* NULL is fine; returns NULL. */
struct maps *maps_free(struct maps *m);

/* The file as it is now; <number> in its list of the configuration. <fd> is closed. False for a
 * file that the configuration does not have. */
bool maps_take(struct maps *m, enum cfg_map kind, unsigned number, int fd) MUST_CHECK;

/* It cannot be opened; <removed>: because it is not there. */
bool maps_lose(struct maps *m, enum cfg_map kind, unsigned number, bool removed,
               struct str why) MUST_CHECK;

enum maps_known maps_known(const struct maps *m, enum cfg_map kind);

/* The first row for exactly that, in the order of the files. */
struct map_row *maps_find(const struct maps *m, enum cfg_map kind, struct str local,
                          struct str domain);

/* <local> in lower case. */
enum user_kind maps_user(const struct maps *m, struct str local);

/* NULL: there are none, or they are not known. */
const struct users *maps_users(const struct maps *m);

#endif
