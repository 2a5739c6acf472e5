/*
 * For tests: one role's real executable, behind its real walls, with the test as its master
 * and its neighbours.
 */
#ifndef ROLE_TRY_H
#define ROLE_TRY_H

#include <sys/types.h>

#include "ipc/msg.h"

struct cfg;

struct
try {
	enum proc me;
	pid_t pid;
	int master; /* our end of its channel 3 */
};

/* Every option at its default; texts, listens and domains are the test's. */
void try_config(struct cfg *cfg);

/* Start sekisho-ROLE, which lies beside the test's executable, in <folder>. */
struct try try_start(enum proc me, const struct cfg *cfg, const char *folder);

/* Give it a neighbour; our end. To be closed by the caller. */
int try_link(const struct try *t, enum proc peer, unsigned index);

/* As that neighbour, or as MASTER over t->master. */
void try_send(const struct try *t, int fd, enum proc from, const struct msg *m);

/* The next message to that neighbour, its texts living until the next call; a descriptor in
 * it is the caller's. False: the channel's end, or nothing for 5 s. */
bool try_take(const struct try *t, int fd, enum proc to, struct msg *ret);

/* It is ready: all its walls stand, and begin was said. */
void try_begin(const struct try *t);

/* New values, as by a reload. */
void try_reload(const struct try *t, const struct cfg *cfg);

/* Drain it; the exit status, or -1 where a signal ended it. */
int try_stop(struct try *t);

#endif
