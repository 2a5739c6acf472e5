/*
 * The domains and addresses that are ours, as relay.h wants them.
 */
#ifndef EDGE_OURS_H
#define EDGE_OURS_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/relay.h"

struct cfg;

/* Arrays are <arena>'s, texts <c>'s. RC_TEMP: memory is out. */
enum rc ours_know(struct relay_ours *ret, struct arena *arena, const struct cfg *c,
                  struct err *e) MUST_CHECK;

#endif
