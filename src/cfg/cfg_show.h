/*
 * The configuration as text: what cfg_read_text reads back as the same.
 */
#ifndef CFG_CFG_SHOW_H
#define CFG_CFG_SHOW_H

#include "base/buf.h"

struct cfg;

/*
 * Every value in effect, above each what it does, its bounds and its default. The home domain
 * comes first among the domains, as it must. b->cut where <b> has no room.
 */
void cfg_show(const struct cfg *c, struct buf *b);

/* The part behind the rows of cfg.def: sections, and lists of files. */
void cfg_show_sections(const struct cfg *c, struct buf *b);

#endif
