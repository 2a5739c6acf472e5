/*
 * What was decided and why, by name: reasons.def as an enum and a table.
 */
#ifndef POLICY_REASON_H
#define POLICY_REASON_H

#include "base/defs.h"

enum reason {
	REASON_NONE, /* nothing decided yet; the only one that is 0 */
#define REASON(name, verdict, code, dsn, text) REASON_##name,
#include "policy/reasons.def"
#undef REASON
	REASON_COUNT
};

enum verdict { VERDICT_ACCEPT, VERDICT_DEFER, VERDICT_REJECT, VERDICT_DISCARD };

struct reason_row {
	const char *name;
	enum verdict verdict;
	uint16_t code;
	const char *dsn;
	const char *text;
};

/* Not for REASON_NONE. */
const struct reason_row *reason_row(enum reason r);

/* "accept", "defer", "reject", "discard": as in the log. */
const char *verdict_name(enum verdict v);

#endif
