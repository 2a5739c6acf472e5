/*
 * Start one role: fork, exec, its descriptors at fixed numbers (role.c).
 */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <sys/types.h>

#include "base/err.h"
#include "ipc/proc.h"

struct slot;

#define LODGER_MAX 64 /* octets of a user's name, as msg.def has it */

/* Where every role comes from. */
struct nursery {
	char exe_dir[4096]; /* where the role executables lie */
	int log_read;       /* the log pipe */
	int log_write;
	int log_out; /* where logger writes: our standard error */
};

/* Whom a process runs as and which folder is its root, where that is not its role's. */
struct lodging {
	uid_t uid;
	gid_t gid;
	char folder[4096];
	char user[LODGER_MAX +
	          1]; /* of the machine, whose home the folder is; empty: nobody's */
};

/* Find the executables, make the log pipe. */
enum rc nursery_make(struct nursery *n, struct err *e) MUST_CHECK;

/* <channel> is the role's end to master, still the caller's. */
enum rc spawn(const struct nursery *n, const struct slot *s, int channel, pid_t *ret_pid,
              struct err *e) MUST_CHECK;

#endif
