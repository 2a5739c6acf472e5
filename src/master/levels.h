/*
 * How much each role writes to the log, until the next reload or restart.
 */
#ifndef MASTER_LEVELS_H
#define MASTER_LEVELS_H

#include "ipc/msg.h"

struct house;
struct slot;

/* As the configuration says, all of them. */
void levels_reset(struct house *h);

/* enum log_level of that process. */
unsigned levels_of(const struct slot *s);

/* It has become ready: tell it what is not as its configuration says. */
void levels_tell(const struct slot *s);

/* An operator's wish, which is answered. */
void levels_set(struct house *h, const struct msg_log_ask *m);

#endif
