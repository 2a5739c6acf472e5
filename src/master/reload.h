/*
 * sekisho.conf read again while we run. A wrong file changes nothing. A good one starts a new
 * generation of edges beside the old, lets the roles that keep mail take the new values in
 * place, and then hands the listening sockets over: at every moment somebody accepts from
 * each. The old edges serve their sessions to their end.
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include "base/defs.h"

struct house;
struct reload;

/* <path>: the file; it outlives us. NULL when memory is out. */
struct reload *reload_new(struct house *h, const char *path);
struct reload *reload_free(struct reload *r);

/*
 * Read the file again: now, or once the present reload is over. <ask>: control's, to be
 * answered then; 0: a signal. A signal's reload that finds no place for its edges is done once
 * older ones have left; an operator is told to try again.
 */
void reload_want(struct reload *r, uint32_t ask);

/* A process became ready, or ended: perhaps that was waited for. */
void reload_step(struct reload *r);

#endif
