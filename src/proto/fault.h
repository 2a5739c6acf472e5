/*
 * Why octets are not an address. Which reply a fault becomes depends on whose address it is,
 * so the parsers of addresses and domains return faults, and those of commands problems.
 */
#ifndef PROTO_FAULT_H
#define PROTO_FAULT_H

#include "proto/problem.h"

enum fault {
	FAULT_none, /* all is well; the only one that is 0 */
#define FAULT(name, code, of_sender, of_recipient, text) FAULT_##name,
#include "proto/fault.def"
#undef FAULT
};

enum path_of { PATH_OF_SENDER, PATH_OF_RECIPIENT };

/* NULL for FAULT_none. */
const struct smtp_problem *fault_problem(enum fault f, enum path_of whose);

/* The text alone, for the configuration's and operator's errors; never NULL. */
const char *fault_text(enum fault f);

#endif
