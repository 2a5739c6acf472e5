/*
 * Faults as replies. See fault.h.
 */
#include "proto/fault.h"

/* clang-format off */
static const struct smtp_problem rows[][2] = {
	[FAULT_none] = {{0, "", ""}, {0, "", ""}},
#define FAULT(name, code, of_sender, of_recipient, text) \
	[FAULT_##name] = {{code, of_sender, text}, {code, of_recipient, text}},
#include "proto/fault.def"
#undef FAULT
};
/* clang-format on */

const struct smtp_problem *
fault_problem(enum fault f, enum path_of whose)
{
	return f == FAULT_none ? NULL : &rows[f][whose];
}

const char *
fault_text(enum fault f)
{
	return rows[f][PATH_OF_SENDER].text;
}
