/*
 * Octets as text: RFC 4648 §4, with padding.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* All of it or nothing; b->cut where there is no room. */
void base64_add(struct buf *b, struct str octets);

/*
 * Exactly what base64_add writes, into <room>. False: it is nothing of that, or longer than
 * <most> octets.
 */
bool base64_read(struct str text, char *room, size_t most, size_t *ret_n) MUST_CHECK;

#endif
