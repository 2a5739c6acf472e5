/*
 * The processes and their channels. See proc.h and doc/ARCHITECTURE.md.
 */
#include <stddef.h>

#include "ipc/proc.h"

static const char *const names[PROC_COUNT] = {
	"master", "edge",    "vault",   "state",  "store",  "spool",
	"writer", "deliver", "control", "logger", "remote",
};

/* Exactly the pairs that msg.def has messages for; a test compares the two. */
static const struct {
	enum proc a;
	enum proc b;
} links[] = {
	{EDGE,    STATE  },
        {EDGE,    VAULT  },
        {EDGE,    WRITER },
        {EDGE,    SPOOL  },
        {EDGE,    STORE  },
	{SPOOL,   STORE  },
        {SPOOL,   DELIVER},
        {SPOOL,   REMOTE },
        {CONTROL, STORE  },
        {CONTROL, SPOOL  },
	{CONTROL, VAULT  },
        {CONTROL, STATE  },
        {CONTROL, EDGE   },
};

unsigned
proc_number(enum proc p)
{
	return (unsigned)__builtin_ctz((unsigned)p);
}

enum proc
proc_of(unsigned number)
{
	return (enum proc)(1U << number);
}

const char *
proc_name(enum proc p)
{
	return names[proc_number(p)];
}

bool
proc_linked(enum proc a, enum proc b)
{
	for (size_t i = 0; i < LENGTH(links); i++)
		if ((links[i].a == a && links[i].b == b) ||
		    (links[i].a == b && links[i].b == a))
			return true;
	return false;
}
