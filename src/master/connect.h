/*
 * Outgoing connections, for roles that can make no socket.
 */
#ifndef MASTER_CONNECT_H
#define MASTER_CONNECT_H

#include "ipc/msg.h"

struct slot;

#define CONNECTS_MAX \
	200U /* a second and process: a remote that was taken over floods nobody \
	      */

/* What is counted of one process. */
struct connects {
	uint64_t second;
	unsigned count;
};

/*
 * connect_ask: connect to an endpoint of the configuration that <s> was started with, and hand
 * it the socket at once, connected or not yet: master waits for nobody.
 */
void connect_for(struct slot *s, const struct msg *m);

#endif
