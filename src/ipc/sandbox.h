/*
 * The walls of a role (RELIABILITY 6.2): put up in one fixed order, each verified, each
 * reported to master as a bit.
 */
#ifndef IPC_SANDBOX_H
#define IPC_SANDBOX_H

#include <sys/types.h>

#include "base/err.h"
#include "ipc/proc.h"

enum wall {
	WALL_UID = 1 << 0,        /* a uid and gid of its own, no other group */
	WALL_CHROOT = 1 << 1,     /* its folder, or an empty one, is the only mount there is */
	WALL_NAMESPACES = 1 << 2, /* network, mounts, IPC, host name of its own: all empty */
	WALL_LIMITS = 1 << 3,     /* rlimits */
	WALL_CAPS = 1 << 4,       /* no capability, bounding set included */
	WALL_NEW_PRIVS = 1 << 5,  /* NO_NEW_PRIVS */
	WALL_LANDLOCK = 1 << 6,
	WALL_SECCOMP = 1 << 7,
	WALL_ALL = (1 << 8) - 1,
};

/* What a folder of the role's may be used for. */
enum folder_use { FOLDER_EMPTY, FOLDER_FILES };

/*
 * One role's profile: a constant beside its main.c. <calls> lists, by name, the system calls
 * beyond those every role has (sandbox.c); it ends in NULL. Every path the role uses is
 * relative to its folder, which is its root and its working directory.
 */
struct walls {
	enum folder_use folder;
	unsigned files; /* RLIMIT_NOFILE */
	bool writes;    /* may files grow? else RLIMIT_FSIZE is 0 */
	const char *const *calls;
	const char *only; /* NULL, or: the folder is a user's home, and of it no more than this
	                     folder, made where it is missing, may be used */
};

/*
 * Go behind the walls: <folder> becomes the root. A user's home is looked up with the user's
 * rights alone, and must be the user's. uid 0 means "stay who I am" (we run
 * unprivileged); then what needs root is left out and missing in *ret_walls.
 *
 * RC_TEMP or RC_PERM when a wall that should stand does not: the role must exit.
 */
enum rc walls_up(const struct walls *w, const char *folder, uid_t uid, gid_t gid,
                 unsigned *ret_walls, struct err *e) MUST_CHECK;

/* "uid chroot ...": the names of the bits in <walls>, for a log line. */
struct buf;
void walls_names(struct buf *b, unsigned walls);

#endif
