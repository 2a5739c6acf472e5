/*
 * Leaving in order.
 */
#ifndef MASTER_LEAVE_H
#define MASTER_LEAVE_H

struct house;

/* Somebody ended: is this phase over, is the house empty? */
void leave_step(struct house *h);

#endif
