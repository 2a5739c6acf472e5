/*
 * deliver: pulls work from the spool by credit, writes it into Maildirs, and reports it done
 * once a sync of the whole batch has made it durable. Its folder is mail/, or the home of the
 * one user of the machine that it was started for.
 */
#include "deliver/layout.h"
#include "deliver/work.h"
#include "role/role.h"

/* Beyond those of every role: files in its own folder, and syncs. */
static const char *const calls[] = {
	"openat",   "mkdirat",  "newfstatat", "fstat", "lseek",  "getdents64",
	"unlinkat", "renameat", "pread64",    "fsync", "syncfs", NULL,
};

static const struct walls walls = {.folder = FOLDER_FILES,
                                   .files = 512, /* FOLDERS_MAX, and as many bodies to come */
                                   .writes = true,
                                   .calls = calls};

static const struct walls walls_of_user = {.folder = FOLDER_FILES,
                                           .files = 64, /* one mailbox */
                                           .writes = true,
                                           .calls = calls,
                                           .only = LAYOUT_MAILDIR};

static enum rc
open_work(struct role *r, struct err *e)
{
	return work_open(r, NULL, e);
}

int
main(int argc, char **argv)
{
	static const struct role_def def = {
		.me = DELIVER,
		.walls = &walls,
		.walls_of_user = &walls_of_user,
		.open = open_work,
		.peer_up = work_peer_up,
		.peer_down = work_peer_down,
		.turn = work_turn,
		.drain = work_drain,
		.close = work_close,
		.handlers = work_handlers,
	};

	return role_main(&def, argc, argv);
}
