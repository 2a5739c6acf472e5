/*
 * Options that a running server cannot change: what stands on disk, and who the roles are.
 * A reload keeps their old values; `sekisho check` says that they need a restart.
 */
#ifndef CFG_CFG_FIXED_H
#define CFG_CFG_FIXED_H

#include "base/buf.h"

struct cfg;
struct cfg_row;

bool cfg_row_is_fixed(const struct cfg_row *row);

/* Whether the two have the same value for it. */
bool cfg_row_same(const struct cfg_row *row, const struct cfg *a, const struct cfg *b);

/*
 * <next> gets the fixed values of <running>; each that was another one is a warning in
 * <report>, as of the file <path>. False when memory is out.
 */
bool cfg_keep_fixed(struct cfg *next, const struct cfg *running, const char *path,
                    struct buf *report) MUST_CHECK;

#endif
