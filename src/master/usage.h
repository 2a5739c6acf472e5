/*
 * What the processes take of the machine, for `sekisho status`. Only master can see all of
 * them; what it reads are the kernel's own numbers.
 */
#ifndef MASTER_USAGE_H
#define MASTER_USAGE_H

#include "base/defs.h"

struct house;

/* Tell control, which asked. */
void usage_tell(struct house *h, uint32_t ask);

#endif
