/*
 * Channels between neighbours: a fresh pair of ends whenever one of them is started, or two
 * that live have cut each other off.
 */
#ifndef MASTER_LINK_H
#define MASTER_LINK_H

#include "ipc/msg.h"

struct slot;

/* To all neighbours that run. A neighbour that dies meanwhile is no error: its replacement is
 * linked again. */
enum rc link_all(struct slot *s, struct err *e) MUST_CHECK;

/* <s> lost its channel to a neighbour. One that died is linked when it is replaced. */
void link_again(struct slot *s, const struct msg_relink *m);

#endif
