/*
 * What a backup is: a folder with the files of data_dir under the names they have there, and
 * a list of them with sizes and sums, written last. See backup.c, restore.c.
 */
#ifndef COMMAND_BACKUP_FILE_H
#define COMMAND_BACKUP_FILE_H

#include <jansson.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "ipc/proc.h"

#define BACKUP_FORMAT 1 /* of the list; a newer one is refused */
#define BACKUP_LIST "backup.json"

/* The databases: who owns them, where they lie, which version of each we know. */
struct backup_db {
	const char *verb; /* of control */
	enum proc owner;
	const char *folder; /* in data_dir, and in the backup */
	const char *name;
	uint32_t version; /* PRAGMA user_version */
};
extern const struct backup_db backup_dbs[3];

/* What was copied. */
struct backup_sum {
	uint64_t size;
	uint64_t hash; /* XXH3 */
};

/*
 * All octets of <from> to <to> (-1: they are only read), synced. The sum in *ret.
 */
enum rc backup_copy(int from, int to, struct backup_sum *ret, struct err *e) MUST_CHECK;

/*
 * A file to read, below <dir>: regular, with one name, not through a link. A role's folder is
 * its own to fill: what lies there must not lead elsewhere.
 */
enum rc backup_open(int dir, const char *name, int *ret_fd, struct err *e) MUST_CHECK;

/* A folder below <dir>, not through a link. */
enum rc backup_folder(int dir, const char *name, int *ret_fd, struct err *e) MUST_CHECK;

/* A file that must not be there yet, mode 0600. */
enum rc backup_create(int dir, const char *name, int *ret_fd, struct err *e) MUST_CHECK;

#endif
