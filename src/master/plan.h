/*
 * A configuration that processes are started with: they of one generation share it. It lives as
 * long as somebody holds it.
 */
#ifndef MASTER_PLAN_H
#define MASTER_PLAN_H

#include "base/err.h"

struct cfg;

struct plan {
	struct cfg *cfg; /* owned */
	int fd;          /* sealed memfd: the same, encoded */
	uint32_t octets; /* of that */
	unsigned number; /* the generation's; the first is 1 */
	unsigned holders;
};

/* Takes <cfg>, on failure too; the caller is the first holder. */
enum rc plan_new(struct cfg *cfg, unsigned number, struct plan **ret, struct err *e) MUST_CHECK;

struct plan *plan_hold(struct plan *p);

/* NULL is fine; returns NULL. */
struct plan *plan_drop(struct plan *p);

#endif
