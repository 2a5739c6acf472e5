/*
 * The content of a message on its way: from the client's octets into memory, from there to a
 * writer where it is long, and its envelope to the spool.
 */
#ifndef EDGE_BODY_H
#define EDGE_BODY_H

#include "edge/reply.h"
#include "proto/content.h"

struct session;

/* Start: our Received field stands on top. False when memory is out. */
bool body_begin(struct session *s, enum content_kind kind) MUST_CHECK;

/* Within DATA: take what s->in has. False where nothing more can be done with it now. */
bool body_data(struct session *s);

/* Within a BDAT chunk, likewise. */
bool body_chunk(struct session *s);

/* The content is whole: hand it over and ask spool to keep it. Runs for "." and "LAST". */
struct reply body_end(struct session *s, struct str unused);

/* A writer has taken an item, or made the file durable: go on handing over. */
struct reply body_go_on(struct session *s);

/* commit.c: ask spool to keep the message. */
struct reply body_commit(struct session *s);

#endif
