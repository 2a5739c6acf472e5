/*
 * master: makes folders, sockets and channels, starts each role, replaces one that died, and
 * lets all finish in order. It reads nothing that comes from outside.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

struct cfg;

/* Takes <c>, which was read from <path>: SIGHUP and operators have that read again. Runs until
 * SIGTERM or SIGINT has drained the house. Returns a sysexits code. */
int master_run(struct cfg *c, const char *path);

#endif
