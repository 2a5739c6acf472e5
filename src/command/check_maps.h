/*
 * sekisho check, second half: the files that vault reads, with vault's own parsers.
 */
#ifndef COMMAND_CHECK_MAPS_H
#define COMMAND_CHECK_MAPS_H

#include "base/buf.h"

struct cfg;

/*
 * "FILE:LINE: ..." or "FILE:LINE: warning: ..." for all that alias_files and virtual_files
 * have wrong. False where something of it could not be used: vault would keep what it has, or,
 * just started, answer 451 for whom it could concern.
 */
bool check_maps(const struct cfg *c, struct buf *report) MUST_CHECK;

#endif
