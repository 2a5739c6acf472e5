/*
 * See reason.h.
 */
#include <assert.h>

#include "policy/reason.h"

static const struct reason_row rows[REASON_COUNT] = {
/* clang-format off */
#define REASON(name, verdict, code, dsn, text) \
	[REASON_##name] = {#name, VERDICT_##verdict, code, dsn, text},
#include "policy/reasons.def"
#undef REASON
	/* clang-format on */
};

const struct reason_row *
reason_row(enum reason r)
{
	assert(r > REASON_NONE && r < REASON_COUNT);
	return &rows[r];
}

const char *
verdict_name(enum verdict v)
{
	static const char *const names[] = {"accept", "defer", "reject", "discard"};

	return names[v];
}
