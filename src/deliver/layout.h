/*
 * Where mail lies. One of two:
 *
 *   all virtual mailboxes    DOMAIN/USER below the working directory, written in .tmp-INDEX
 *   one user of the machine  Maildir below the working directory, the user's home; written in
 *                            its tmp/, for readers take a folder with a dot for a mailbox
 *
 * Everything in a user's home is the user's own doing. So each folder is opened for itself,
 * no link is followed, no file is opened that was there before, and none waits.
 */
#ifndef DELIVER_LAYOUT_H
#define DELIVER_LAYOUT_H

#include <limits.h>

#include "base/err.h"
#include "base/str.h"

#define LAYOUT_MAILDIR "Maildir"
#define LAYOUT_USER_MAX 64 /* octets, as msg.def has it */
#define LAYOUT_CLEAN_MAX \
	1000U /* entries of a user's tmp/ looked at, however many there are \
	       */

struct layout {
	int fd;      /* mailboxes lie below it, a user's is it; what is synced */
	int home_fd; /* a user's home, O_PATH; -1: virtual */
	int tmp_fd;  /* where files are written; -1: to be opened again */
	bool moved;  /* another folder stands in Maildir's place: this process may not enter it
	              */
	struct str user; /* empty: virtual */
	char user_room[LAYOUT_USER_MAX];
	char tmp[16];            /* the folder's name below fd */
	char file[NAME_MAX + 1]; /* what is written there, one at a time */
};

/*
 * <user>: empty for virtual mailboxes; <host> is the name that this machine's files have. The
 * temporary folder is made where it is missing; what is left of an earlier process is removed.
 * On failure nothing is open.
 */
enum rc layout_open(struct layout *l, struct str user, unsigned index, struct str host,
                    struct err *e) MUST_CHECK;
void layout_close(struct layout *l);

/* The temporary file, new and empty. */
enum rc layout_create(struct layout *l, int *ret_fd, struct err *e) MUST_CHECK;

/* After layout_create: the file there is no more. */
void layout_remove(struct layout *l);

/* An error said that something is not as it was: open it again before the next use. */
void layout_doubt(struct layout *l);

/* The folders on the way to a mailbox, its own last. */
struct way {
	int domain_fd; /* -1: there is none on the way */
	int fd;
};

/*
 * To the mailbox's folder, made where it is missing if <make>; without, -1 in *ret where a
 * part of it is missing. RC_PERM where it is no mailbox, or another user's.
 */
enum rc layout_enter(struct layout *l, struct str mailbox, bool make, struct way *ret,
                     struct err *e) MUST_CHECK;
void way_close(struct way *w); /* for CLEANUP */

/* A folder and nothing else: a link is not followed, a FIFO there is an error and no wait. */
int folder_open(int at, const char *name);
enum rc folder_make(int at, const char *name, struct err *e) MUST_CHECK;
enum rc folder_open_or_make(int at, const char *name, int *ret_fd, struct err *e) MUST_CHECK;

#endif
