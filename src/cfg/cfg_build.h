/*
 * From the tree to struct cfg: shared by the files that each check one part of it. Every
 * part reports all it finds and goes on; a report with errors is never handed out.
 */
#ifndef CFG_CFG_BUILD_H
#define CFG_CFG_BUILD_H

#include "cfg/cfg.h"
#include "cfg/cfg_report.h"
#include "cfg/cfg_tree.h"

#define CFG_LISTENS_MOST 64U

struct cfg_build {
	struct cfg *c;       /* what becomes of it */
	struct arena *keeps; /* c's own */
	struct arena *temp;  /* gone after the reading */
	const struct cfg_node *file;
	struct cfg_report *report;
	const struct cfg_node **sections; /* of each of c->domains, NULL for an implied one */
	struct cfg_endpoint *endpoints;   /* of each of c->domains, before they are gathered */
	unsigned **alias_lines;           /* of each of c->domains, of each of its aliases */
};

/* As cfg_read_text of cfg.h, of several files read as one; sets the lines they begin with. */
enum rc cfg_read_sources(struct cfg_source *sources, unsigned count, struct cfg **ret,
                         struct buf *report) MUST_CHECK;

/* Each returns false only where memory is out. */
bool cfg_build_options(struct cfg_build *b) MUST_CHECK;
bool cfg_build_files(struct cfg_build *b) MUST_CHECK;
bool cfg_build_listens(struct cfg_build *b) MUST_CHECK;
bool cfg_build_domains(struct cfg_build *b) MUST_CHECK;
bool cfg_build_mailboxes(struct cfg_build *b) MUST_CHECK; /* after the domains: whose, where */
bool cfg_build_aliases(struct cfg_build *b) MUST_CHECK;   /* after the domains */
bool cfg_build_locals(struct cfg_build *b) MUST_CHECK;    /* after the domains */
bool cfg_check_aliases(struct cfg_build *b) MUST_CHECK;   /* after the aliases: loops, growth */

/* A path from / without "." and "..": what lies below a folder is below it. */
bool cfg_is_absolute(struct str path) MUST_CHECK;

/*
 * The canonical form of an address of ours, or of a local part of <d>; reported where <v> is
 * none. False where memory is out.
 */
bool cfg_build_target(struct cfg_build *b, const struct cfg_domain *d,
                      const struct cfg_value *v, struct str *ret) MUST_CHECK;

/* What is wrong with a path from the root, or that without slashes at its end in *path. */
void cfg_build_path(struct cfg_build *b, const char *key, struct str *path);

/* A section with the canonical form of its title, to be sorted. */
struct cfg_named {
	struct str name;
	const struct cfg_node *node; /* NULL: implied */
	unsigned order;              /* in the file */
};

/*
 * Sort by name, and within a name by order; keep the first of each name. All others are
 * reported as sections <key> that stand there twice, implied ones silently left out. Returns
 * how many are left.
 */
unsigned cfg_build_unique(struct cfg_build *b, struct cfg_named *named, unsigned count,
                          const char *key);

/* How many sections <n> has of that key. */
unsigned cfg_build_count(const struct cfg_node *n, const char *key);

/* The next section of that key from <n> on, <n> included; NULL past the last. */
const struct cfg_node *cfg_build_next(const struct cfg_node *n, const char *key);

#endif
