/*
 * Alias files, aliases(5) of Postfix and sendmail: `name: target, target`.
 */
#ifndef PROTO_ALIASES_H
#define PROTO_ALIASES_H

#include "proto/lines.h"
#include "proto/targets.h"

struct aliases_row {
	unsigned line;
	char name[LOCAL_MAX + 1]; /* local part without quoting, ASCII letters in lower case */
	struct targets targets;   /* one at least */
	const char *problem; /* NULL; or why this line is no alias: nothing else is filled */
};

/* False at the end. <l> from lines_of; texts live until the next call. */
bool aliases_next(struct lines *l, struct aliases_row *ret) MUST_CHECK;

#endif
