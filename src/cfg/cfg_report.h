/*
 * What was found in a configuration file: kept while reading, printed in the order of the
 * file, one line each: "FILE:LINE: KEY: text".
 */
#ifndef CFG_CFG_REPORT_H
#define CFG_CFG_REPORT_H

#include "base/arena.h"
#include "base/buf.h"

#define CFG_PLACE_OCTETS 512
#define CFG_REPORT_MOST 200U /* kept; how many more there were is said */

/* One of the files that are read as one: lines are counted through all of them. */
struct cfg_source {
	const char *path;
	struct str text;
	unsigned line; /* the number of its first one */
};

struct cfg_finding {
	unsigned line; /* 0: the whole file's */
	unsigned order;
	struct str text;
};

struct cfg_report {
	struct arena *arena;              /* has the texts */
	const struct cfg_source *sources; /* in their order; the first is sekisho.conf itself */
	unsigned source_count;
	struct cfg_finding kept[CFG_REPORT_MOST];
	unsigned found; /* kept or not */
	unsigned errors;
};

/* <line> 0: it is the whole file's. <key> may be NULL. */
void cfg_report_error(struct cfg_report *r, unsigned line, const char *key, const char *fmt,
                      ...) PRINTF(4, 5);
void cfg_report_warning(struct cfg_report *r, unsigned line, const char *key, const char *fmt,
                        ...) PRINTF(4, 5);

/* By file and line, what is no line's last. Lines that do not fit are left out whole. */
void cfg_report_print(struct cfg_report *r, struct buf *out);

/* Where <line> is, for a text about <here>: "line 7", or "FILE:7" where that is another file.
 */
struct cfg_place {
	char c[CFG_PLACE_OCTETS];
};
struct cfg_place cfg_report_place(const struct cfg_report *r, unsigned here, unsigned line);

/* What was given, fit for one line: shortened, quoted and escaped. */
struct cfg_given {
	char c[256];
};
struct cfg_given cfg_given(struct str s);

#endif
