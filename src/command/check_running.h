/*
 * sekisho check, third part: what the server that runs makes of it.
 */
#ifndef COMMAND_CHECK_RUNNING_H
#define COMMAND_CHECK_RUNNING_H

#include <jansson.h>

#include "base/defs.h"

struct cfg;

/* Where it differs from what is in force. */
struct changes {
	bool running;    /* there is a server, and it told us */
	json_t *reload;  /* names of options that a reload puts in force; "sections" is one of
	                    them */
	json_t *restart; /* those that need a restart */
};

/* No server at the configuration's socket, or not ours to ask, or <c> is NULL: not running. */
void check_running(const struct cfg *c, struct changes *ret);
void changes_free(struct changes *c);

#endif
