/*
 * How much a mailbox may hold: Maildir++'s `maildirsize`, which IMAP servers keep as well
 * (https://www.courier-mta.org/imap/README.maildirquota.html; Dovecot's "maildir" quota).
 *
 * The file says what may be held, and then line by line what came and went. It is a sum that
 * others add to, not a truth: before mail waits because of it, the files are counted.
 */
#ifndef DELIVER_QUOTA_H
#define DELIVER_QUOTA_H

#include "base/err.h"

#define QUOTA_FILE "maildirsize"

/*
 * Is there room for <size> octets more in the mailbox whose folder <fd> is, and which may hold
 * <quota>? RC_TEMP where not: the owner may make room before the message is given up.
 */
enum rc quota_check(int fd, uint64_t quota, uint64_t size, struct err *e) MUST_CHECK;

/* That much has come. Where it cannot be written down, the files are counted next time. */
void quota_add(int fd, uint64_t size);

#endif
