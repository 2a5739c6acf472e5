/*
 * A file of the machine's, read whole while others may be writing it.
 */
#ifndef VAULT_MAPFILE_H
#define VAULT_MAPFILE_H

#include <stddef.h>

#include "base/err.h"

/*
 * All of <fd>, from its beginning, into *ret_p, which the caller frees. RC_AGAIN where it
 * changed meanwhile each time: read it later. RC_PERM where it is no regular file or longer
 * than <most>.
 */
enum rc mapfile_read(int fd, size_t most, char **ret_p, size_t *ret_n,
                     struct err *e) MUST_CHECK;

#endif
