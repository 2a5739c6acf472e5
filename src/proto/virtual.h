/*
 * Virtual alias tables, virtual(5) of Postfix: `address target, target`.
 */
#ifndef PROTO_VIRTUAL_H
#define PROTO_VIRTUAL_H

#include "proto/lines.h"
#include "proto/targets.h"

enum virtual_kind {
	VIRTUAL_ADDRESS, /* user@domain */
	VIRTUAL_USER,    /* user: in every domain of this machine's own */
	VIRTUAL_DOMAIN,  /* @domain: who has nothing else there */
};

struct virtual_row {
	unsigned line;
	enum virtual_kind kind;
	struct address of; /* its local part in lower case; parts it does not have are "" */
	struct targets targets; /* one at least */
	const char *problem;    /* NULL; or why this line is no row: nothing else is filled */
};

/* False at the end. <l> from lines_of; texts live until the next call. */
bool virtual_next(struct lines *l, struct virtual_row *ret) MUST_CHECK;

#endif
