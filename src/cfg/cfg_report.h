/*
 * What was found in a configuration file, one line each: "FILE:LINE: KEY: text".
 */
#ifndef CFG_CFG_REPORT_H
#define CFG_CFG_REPORT_H

#include "base/buf.h"

struct cfg_report {
	struct buf *out;
	const char *path;
	unsigned errors;
};

/* <line> 0: it is the whole file's. <key> may be NULL. */
void cfg_report_error(struct cfg_report *r, unsigned line, const char *key, const char *fmt,
                      ...) PRINTF(4, 5);
void cfg_report_warning(struct cfg_report *r, unsigned line, const char *key, const char *fmt,
                        ...) PRINTF(4, 5);

/* What was given, fit for one line: shortened, quoted and escaped. */
struct cfg_given {
	char c[256];
};
struct cfg_given cfg_given(struct str s);

#endif
