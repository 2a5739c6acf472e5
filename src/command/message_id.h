/*
 * Message ids as operators paste them.
 */
#ifndef COMMAND_MESSAGE_ID_H
#define COMMAND_MESSAGE_ID_H

#include "base/str.h"

/*
 * An id as it stands in a reply ("250 2.0.0 kept as 06d..."), a log line (id=06d...) or a
 * Received field (id 06d...;): letters in either case, with what stuck to it there. False:
 * none.
 */
bool message_id_read(struct str s, uint64_t *ret) MUST_CHECK;

#endif
