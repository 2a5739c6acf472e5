/*
 * The queue as the operator sees it: one row a recipient that is not done.
 */
#ifndef COMMAND_QUEUE_H
#define COMMAND_QUEUE_H

#include "command/client.h"

/*
 * All rows in order, or only message <id>'s where it is not 0, page by page. Returns as
 * client_ask does.
 */
int queue_walk(struct client *c, uint64_t id, client_row *row, void *arg,
               struct err *e) MUST_CHECK;

/* One row in words, for a message that is shown by itself. */
void queue_print_row(const json_t *row);

#endif
