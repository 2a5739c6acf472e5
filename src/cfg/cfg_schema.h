/*
 * What may stand in sekisho.conf: the rows of cfg.def and section.def as tables.
 */
#ifndef CFG_CFG_SCHEMA_H
#define CFG_CFG_SCHEMA_H

#include "base/str.h"

/* Where a key may stand. */
enum cfg_scope {
	SCOPE_root,
	SCOPE_listen,
	SCOPE_domain,
	SCOPE_alias,
	SCOPE_local,
	SCOPE_COUNT
};

enum cfg_key_kind { KEY_VALUE, KEY_LIST, KEY_SECTION };

struct cfg_key {
	enum cfg_scope in;
	enum cfg_key_kind kind;
	const char *name;
	enum cfg_scope opens; /* of a KEY_SECTION: what its inside is */
	const char *initial;  /* of a choice within a section; else NULL */
	const char *choices;  /* likewise */
	const char *doc;
};

#define CFG_KEY_MOST 64 /* all of them; asserted */

/* How to walk all keys: cfg_key_at(0), cfg_key_at(1) ... until NULL. */
const struct cfg_key *cfg_key_at(size_t at);

/* The key's number for cfg_key_at. */
size_t cfg_key_number(const struct cfg_key *key);

/* NULL where that scope has no such key. */
const struct cfg_key *cfg_key_find(enum cfg_scope in, struct str name);

/* The key that <name> may be a slip of the pen for (up to two letters), or NULL. */
const struct cfg_key *cfg_key_nearest(enum cfg_scope in, struct str name);

enum cfg_row_kind { ROW_TEXT, ROW_NUMBER, ROW_CHOICE };

/* A row of cfg.def. What a kind does not have is NULL or 0. */
struct cfg_row {
	enum cfg_row_kind kind;
	const char *name;
	size_t at;           /* offset of the member in struct cfg */
	const char *initial; /* of texts and choices */
	uint64_t number;     /* a number's default */
	uint64_t min;
	uint64_t max;
	const char *unit;
	const char *choices;
	const char *doc;
};

/* As cfg_key_at, in the order of the file. */
const struct cfg_row *cfg_row_at(size_t at);

/* The member of <c> that the row is for: struct str, uint64_t or unsigned by its kind. */
struct cfg;
void *cfg_row_member(const struct cfg_row *row, struct cfg *c);
const void *cfg_row_value(const struct cfg_row *row, const struct cfg *c);

#endif
