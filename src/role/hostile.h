/*
 * SBX-1: a taken-over role, played by the role itself. Only in builds with -Dhostile=true.
 */
#ifndef ROLE_HOSTILE_H
#define ROLE_HOSTILE_H

#include "ipc/sandbox.h"

/*
 * argv: name, "hostile", uid, gid, folder, perhaps "user". Go behind <w> once for each way to
 * break out and try it; print a line each: the way, TAB, "killed", "done", or the errno's name.
 * Returns a sysexits code.
 */
int hostile_main(const struct walls *w, int argc, char **argv);

#endif
