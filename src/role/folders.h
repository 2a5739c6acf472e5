/*
 * The folders below data_dir: whose they are, with which mode, and which is whose root.
 */
#ifndef ROLE_FOLDERS_H
#define ROLE_FOLDERS_H

#include "base/buf.h"
#include "base/err.h"
#include "ipc/proc.h"

struct cfg;

/* Make what is missing and set owners and modes, never through a symbolic link. */
enum rc folders_make(const struct cfg *c, struct err *e) MUST_CHECK;

/* The absolute path of the folder that is <p>'s root. */
void folder_of(const struct cfg *c, enum proc p, struct buf *b);

#endif
