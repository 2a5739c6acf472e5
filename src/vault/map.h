/*
 * One alias file or virtual table in memory: its rows by what they are asked for by.
 */
#ifndef VAULT_MAP_H
#define VAULT_MAP_H

#include "base/err.h"
#include "base/table.h"
#include "cfg/cfg.h"
#include "proto/targets.h"

#define MAP_OCTETS_MAX (8U << 20)      /* of the file */
#define MAP_MEMORY_MAX (64UL << 20)    /* of what becomes of it */
#define MAP_TARGETS_MAX CFG_ALIAS_MOST /* of one row */

struct map;

/* What a walk over aliases knows of one of them, beyond what it says. See resolve.c. */
struct mark {
	uint64_t walk; /* the last walk that came here */
	bool open;     /* in that walk: its targets are being followed */
	bool told;     /* its astray targets were reported */
};

struct map_target {
	enum target_kind kind;
	struct str text;   /* as written */
	struct str local;  /* of an address: without quoting, case as given */
	struct str domain; /* of an address, empty where it has none, and of a TARGET_DOMAIN */
};

struct map_row {
	struct str local;  /* lower case; empty: anybody of the domain */
	struct str domain; /* one form; empty: every domain that the table is for */
	struct map_target *to;
	unsigned to_count;
	unsigned line;
	struct mark mark;
	struct map_row *next; /* of those in the same place */
};

/*
 * What was found in line <line> (0: in the whole file). <bad>: this line could not be used;
 * otherwise it could, but something of it does nothing.
 */
typedef void map_report(void *arg, unsigned line, bool bad, const char *text);

/*
 * Read all of <text>, which the map does not keep. *ret_bad: how many lines could not be used.
 * RC_PERM for more than MAP_MEMORY_MAX, RC_TEMP where memory is out: no map then.
 */
enum rc map_read(const struct cfg *cfg, enum cfg_map kind, struct str text, map_report *report,
                 void *arg, struct map **ret, unsigned *ret_bad, struct err *e) MUST_CHECK;

/* The row for exactly that, or NULL. <local> in lower case. */
struct map_row *map_find(const struct map *m, struct str local, struct str domain);

unsigned map_count(const struct map *m);

/* NULL is fine; returns NULL. */
struct map *map_free(struct map *m);

#endif
