/*
 * Where a row of an alias file or a virtual table leads: the list on its right side, as
 * aliases(5) and virtual(5) have it (RFC 822 addresses, commands, files).
 */
#ifndef PROTO_TARGETS_H
#define PROTO_TARGETS_H

#include "proto/address.h"

enum target_kind {
	TARGET_ADDRESS, /* of a mailbox; without a domain where domain.name is "" */
	TARGET_DOMAIN,  /* "@other.example": the same local part there */
	TARGET_NOTHING, /* /dev/null: what comes is thrown away */
	TARGET_COMMAND, /* "|program" */
	TARGET_FILE,    /* "/file" */
	TARGET_INCLUDE, /* ":include:/file" */
	TARGET_BAD,     /* <problem> says why */
};

struct target {
	enum target_kind kind;
	struct str text;        /* as it stands there */
	const char *problem;    /* of TARGET_BAD */
	struct address address; /* of TARGET_ADDRESS; of TARGET_DOMAIN its domain alone */
};

/* A walk over a list: {.rest = the list}. */
struct targets {
	struct str rest;
	struct str words; /* up to the next comma, not yet taken */
};

/*
 * Between two stands a comma or a blank; comments in parentheses are skipped; of
 * `Phrase <address>` the address counts. False at the end. Every octet is read a fixed number
 * of times.
 */
bool targets_next(struct targets *t, struct target *ret) MUST_CHECK;

/*
 * All of <s>, quoted or not, as a local part alone or as local@domain; in the first case
 * ret->domain.name is "".
 */
enum fault target_address(struct str s, struct address *ret) MUST_CHECK;

/* Where the word at the start of <s> ends: at <stop> or, where that is a blank, at any; not
 * within quotes or a comment. s.n where nothing ends it. */
size_t target_word(struct str s, char stop);

#endif
