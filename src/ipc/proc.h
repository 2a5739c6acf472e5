/*
 * The processes of the house, and who may talk to whom.
 */
#ifndef IPC_PROC_H
#define IPC_PROC_H

#include "base/defs.h"

/* Bits, so that msg.def can name several. */
enum proc {
	MASTER = 1 << 0,
	EDGE = 1 << 1,
	VAULT = 1 << 2,
	STATE = 1 << 3,
	STORE = 1 << 4,
	SPOOL = 1 << 5,
	WRITER = 1 << 6,
	DELIVER = 1 << 7,
	CONTROL = 1 << 8,
	LOGGER = 1 << 9,
	REMOTE = 1 << 10,
};
#define PROC_COUNT 11
#define PEERS_MAX 64 /* of one role at once; an edge's index is in its ids: ID_MAKER_MAX */
#define ANY ((1 << PROC_COUNT) - 1 - MASTER)

/* Sessions of one edge at once, refused ones until they are closed among them: what state
 * expects of an honest one. Below the descriptors that a process may have. */
#define EDGE_SESSIONS_MAX 19500U

/* Delivers with this number and above are each for one user of the machine; those below write
 * virtual mailboxes. */
#define DELIVER_USERS 32U

/* 0 to PROC_COUNT - 1: an index for tables, and what travels in a message. */
unsigned proc_number(enum proc p);
enum proc proc_of(unsigned number);

/* "edge": the name of the folder, the executable and the system user's suffix. */
const char *proc_name(enum proc p);

/* Whether the house has a channel between these two (either order); master links to all. */
bool proc_linked(enum proc a, enum proc b);

#endif
