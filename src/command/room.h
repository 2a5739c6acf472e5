/*
 * Into a role's room: a command that opens a role's file does so as that role would, so that
 * what it makes there belongs to the role and a fault of ours reaches no further.
 */
#ifndef COMMAND_ROOM_H
#define COMMAND_ROOM_H

#include "base/err.h"
#include "ipc/proc.h"

struct cfg;

/*
 * Make the folders of data_dir where they are missing and make <p>'s the working directory.
 * As root: also the root, and from here on the process is the role's uid and gid. There is no
 * way back.
 */
enum rc room_enter(const struct cfg *cfg, enum proc p, struct err *e) MUST_CHECK;

#endif
