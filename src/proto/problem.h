/*
 * What the peer did wrong, ready to be a reply: reply code (RFC 5321 §4.2), enhanced status
 * code (RFC 3463) and text. Parsers of proto/ return a pointer to one, NULL where all is
 * well. All are constants: they are never freed and may be kept.
 */
#ifndef PROTO_PROBLEM_H
#define PROTO_PROBLEM_H

#include "base/defs.h"

struct smtp_problem {
	uint16_t code;
	const char *dsn;
	const char *text; /* printable ASCII, under 100 octets; never what the peer sent */
};

#endif
