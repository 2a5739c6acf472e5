/*
 * The role's messages: work comes from the spool by credit, goes into a batch, and is reported
 * done after the batch's sync, which every loop turn ends with. The functions are role.h's.
 */
#ifndef DELIVER_WORK_H
#define DELIVER_WORK_H

#include "role/role.h"

/* Messages the spool may have on their way to us: two batches, so that no sync starves us. */
#define WORK_CREDIT 256U

struct disk_calls;

/* The working directory is the mail folder. <disk_calls>: NULL outside of tests. */
enum rc work_open(struct role *r, const struct disk_calls *disk_calls,
                  struct err *e) MUST_CHECK;
void work_close(struct role *r);

void work_turn(struct role *r);
void work_peer_up(struct role *r, struct channel *c);
void work_peer_down(struct role *r, struct channel *c);
void work_drain(struct role *r, uint64_t most_ms);

extern role_handler *const work_handlers[MSG_NO_MAX];

#endif
