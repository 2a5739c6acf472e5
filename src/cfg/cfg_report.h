/*
 * What was found in a configuration file: kept while reading, printed in the order of the
 * file, one line each: "FILE:LINE: KEY: text".
 */
#ifndef CFG_CFG_REPORT_H
#define CFG_CFG_REPORT_H

#include "base/arena.h"
#include "base/buf.h"

#define CFG_REPORT_MOST 200U /* kept; how many more there were is said */

struct cfg_finding {
	unsigned line; /* 0: the whole file's */
	unsigned order;
	struct str text;
};

struct cfg_report {
	struct arena *arena; /* has the texts */
	struct cfg_finding kept[CFG_REPORT_MOST];
	unsigned found; /* kept or not */
	unsigned errors;
};

/* <line> 0: it is the whole file's. <key> may be NULL. */
void cfg_report_error(struct cfg_report *r, unsigned line, const char *key, const char *fmt,
                      ...) PRINTF(4, 5);
void cfg_report_warning(struct cfg_report *r, unsigned line, const char *key, const char *fmt,
                        ...) PRINTF(4, 5);

/* By line, what is the whole file's last. Lines that do not fit are left out whole. */
void cfg_report_print(struct cfg_report *r, const char *path, struct buf *out);

/* What was given, fit for one line: shortened, quoted and escaped. */
struct cfg_given {
	char c[256];
};
struct cfg_given cfg_given(struct str s);

#endif
