/*
 * A message from standard input, all of it before the server is bothered: a program may take
 * hours to write it (cron does). Memory holds the header and a mebibyte; the rest lies in a
 * file without a name.
 */
#ifndef SENDMAIL_INPUT_H
#define SENDMAIL_INPUT_H

#include "base/buf.h"
#include "base/err.h"

#define INPUT_HEAD_MAX (4U << 20)          /* octets of a header */
#define INPUT_BODY_MAX (UINT64_C(1) << 31) /* octets: what message_size can be at most */

/* Lines end in LF, whatever they ended in; the last one too. */
struct input {
	struct buf head;
	uint64_t body;  /* octets */
	uint64_t lines; /* of the body */
	struct inside *inside;
};

/*
 * Read <fd> to its end, or where <dot> to a line with a dot alone. Lines in front that begin
 * with "From " (mbox) are left out. RC_PERM for what is too long, RC_TEMP where the machine
 * has no room.
 */
enum rc input_read(struct input *in, int fd, bool dot, struct err *e) MUST_CHECK;

/* Once more from its beginning. */
enum rc input_rewind(struct input *in, struct err *e) MUST_CHECK;

/* The next octets of the body; empty at its end. They live until the next call. */
enum rc input_next(struct input *in, struct str *ret, struct err *e) MUST_CHECK;

void input_free(struct input *in);

#endif
