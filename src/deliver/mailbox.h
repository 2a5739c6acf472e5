/*
 * Which folder a mailbox is: DOMAIN/USER below the mail folder.
 *
 * The mailbox comes from the spool, which had it from the vault, which had it from a
 * configuration: nobody's word makes it a path. Two mailboxes never share a folder, and no
 * mailbox is a folder of ours (`.tmp-0`), `.` or `..`.
 */
#ifndef DELIVER_MAILBOX_H
#define DELIVER_MAILBOX_H

#include "base/err.h"
#include "base/str.h"

#define MAILBOX_NAME_MAX 255 /* octets, NAME_MAX of every file system we know */

struct mailbox_path {
	char domain[MAILBOX_NAME_MAX +
	            1];                  /* lower case letters, digits, hyphens, single dots */
	char user[MAILBOX_NAME_MAX + 1]; /* `/`, `%`, controls and a leading dot are %XX */
};

/*
 * From canonical local@domain. RC_PERM, *ret untouched, for no or an empty local part, a
 * domain that is not canonical letters, digits and hyphens, or a name too long for a file.
 */
enum rc mailbox_path_of(struct str mailbox, struct mailbox_path *ret, struct err *e) MUST_CHECK;

#endif
