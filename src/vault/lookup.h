/*
 * What stands for an address, table after table: alias sections of sekisho.conf, virtual
 * tables, alias files; and who catches all. No walk: resolve.c follows what is found.
 */
#ifndef VAULT_LOOKUP_H
#define VAULT_LOOKUP_H

#include "cfg/cfg.h"
#include "vault/maps.h"

/* An alias; or who catches all, whose name is empty. */
struct entry {
	struct str domain;
	struct str name;
	const struct str *texts;       /* of sekisho.conf: its targets, canonical; else NULL */
	const struct map_target *rows; /* of a file: its targets */
	unsigned count;
	bool forwards; /* the first target is all of another domain: no alias to come back to */
	struct mark *mark; /* NULL: there is no such entry */
};

/* A domain as it was asked for, and whose mailboxes it has. */
struct place {
	struct str asked; /* also "", for an address literal's */
	const struct cfg_domain *domain;
};

struct lookup {
	const struct cfg *cfg;
	const struct maps *maps; /* NULL: no files */
	struct mark *marks;      /* of each domain in turn: its aliases, then its catch_all */
	unsigned *first;         /* of each domain: where its marks start */
};

/* False when memory is out. */
bool lookup_init(struct lookup *l, const struct cfg *cfg, const struct maps *maps) MUST_CHECK;
void lookup_end(struct lookup *l);

/* In the order in which they are asked. */
enum lookup_step { LOOKUP_SECTION, LOOKUP_VIRTUAL, LOOKUP_FILE, LOOKUP_STEPS };

/*
 * The entry of that step for <local>, which is in lower case. *ret_missing: a file that might
 * have one is not known.
 */
struct entry lookup_find(const struct lookup *l, enum lookup_step step, struct str local,
                         const struct place *at, bool *ret_missing);

/* Who catches what nothing else of the domain takes. */
struct entry lookup_catch_all(const struct lookup *l, const struct place *at);

/* A file that might have named anybody of this domain was not usable whole. */
bool lookup_is_partial(const struct lookup *l, const struct cfg_domain *d);

/* Where an address of a file without a domain belongs. */
const struct cfg_domain *lookup_own(const struct cfg *cfg);

#endif
