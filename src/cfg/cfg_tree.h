/*
 * sekisho.conf as a tree of keys, values and lines: what libconfuse understood, and all of it
 * that the rest of us ever sees.
 */
#ifndef CFG_CFG_TREE_H
#define CFG_CFG_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "cfg/cfg_report.h"
#include "cfg/cfg_schema.h"

struct cfg_value {
	struct cfg_value *next; /* in the order of the file; a list is several of one key */
	const struct cfg_key *key;
	struct str text; /* NUL-terminated */
	unsigned line;
};

struct cfg_node {
	struct cfg_node *next;
	const struct cfg_key *key; /* NULL: the file itself */
	enum cfg_scope scope;
	struct str title;
	unsigned line; /* where it opens */
	struct cfg_value *values;
	struct cfg_value **values_end;
	struct cfg_node *nodes;
	struct cfg_node **nodes_end;
};

/*
 * <clean> is what cfg_text_clean made, <n> octets. The tree lies in <a>. RC_PERM with a report
 * for bad syntax, RC_TEMP where memory is out.
 */
enum rc cfg_tree_read(char *clean, size_t n, struct arena *a, struct cfg_node **ret,
                      struct cfg_report *r) MUST_CHECK;

/* The (first) value of that key, or NULL. */
const struct cfg_value *cfg_tree_value(const struct cfg_node *n, const char *key);

#endif
