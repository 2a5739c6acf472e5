/*
 * Files of the machine that vault reads: opened here, whose root is the machine's, and never
 * read here.
 */
#ifndef MASTER_MAPS_H
#define MASTER_MAPS_H

#include <sys/stat.h>

#include "cfg/cfg.h"

#define WATCHED_MAX (1U + 2U * CFG_FILES_MOST)

struct event;
struct house;
struct slot;

/* One file, and what vault was last told of it. */
struct watched {
	enum cfg_map kind;
	unsigned number;
	const char *path; /* of the plan of vault */
	struct stat was;  /* of what was sent */
	bool sent;
	struct stat seen; /* what it has become, where <waits> */
	bool waits;       /* for a second look that finds it the same */
	bool young;      /* it had changed just before: another change may have the same time */
	unsigned absent; /* looks in a row that did not find it */
	int told;        /* errno that vault knows of; 0: none */
};

struct maps_watch {
	struct watched files[WATCHED_MAX];
	unsigned count;
	unsigned plan; /* number of the plan whose files these are; 0: none yet */
	struct event *tick;
};

/* Look at them from now on. False when memory is out. */
bool maps_watch(struct house *h) MUST_CHECK;

/* Everything to a vault that has just been started, before it is told to begin. */
void maps_send_all(struct slot *vault);

#endif
