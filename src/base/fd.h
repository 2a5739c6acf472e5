/*
 * Descriptors with one owner.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

/* For CLEANUP(fd_closep): closes *fd unless it is negative, and keeps errno. */
void fd_closep(int *fd);

/* Hand the descriptor on: *fd becomes -1. */
int fd_take(int *fd);

/* Write all of <s>, however many calls it takes. */
enum rc fd_write_all(int fd, struct str s, struct err *e) MUST_CHECK;

/* Read up to <cap> octets until end of file. RC_PERM where the file is longer. */
enum rc fd_read_all(int fd, char *p, size_t cap, size_t *ret_n, struct err *e) MUST_CHECK;

enum rc fd_nonblock(int fd, struct err *e) MUST_CHECK;

#endif
