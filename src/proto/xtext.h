/*
 * xtext, RFC 3461 §4: printable ASCII in which `+`, `=` and others travel as +HH.
 */
#ifndef PROTO_XTEXT_H
#define PROTO_XTEXT_H

#include "base/buf.h"

/*
 * Add <in> decoded. False, with nothing added, where it is not xtext (hexadecimal digits are
 * upper case, §4) or where an octet decodes to anything but printable ASCII: an encoded NUL
 * or CR LF ended up in the queue files of others. False with b->cut where there is no room.
 */
bool xtext_add_decoded(struct buf *b, struct str in) MUST_CHECK;

/* Add <in>, whatever its octets are, encoded. */
void xtext_add(struct buf *b, struct str in);

#endif
