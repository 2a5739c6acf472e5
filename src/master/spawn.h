/*
 * Start one role: fork, exec, its descriptors at fixed numbers (role.c).
 */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <sys/types.h>

#include "base/err.h"
#include "ipc/proc.h"

struct cfg;

/* What every role is started with. */
struct nursery {
	const struct cfg *cfg;
	char exe_dir[4096]; /* where the role executables lie */
	int config;         /* sealed memfd: the encoded configuration */
	int log_read;       /* the log pipe */
	int log_write;
	int log_out; /* where logger writes: our standard error */
};

/* Find the executables, encode the configuration, make the log pipe. */
enum rc nursery_make(struct nursery *n, const struct cfg *c, struct err *e) MUST_CHECK;

/* <channel> is the role's end to master, still the caller's. */
enum rc spawn(const struct nursery *n, enum proc p, unsigned index, int channel, pid_t *ret_pid,
              struct err *e) MUST_CHECK;

#endif
