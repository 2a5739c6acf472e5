/*
 * Errors: mail's own return codes, and one text that grows as it travels up.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/defs.h"

enum rc {
	RC_OK,
	RC_AGAIN, /* come back when there is room or data */
	RC_TEMP,  /* later: 4yz */
	RC_PERM,  /* never: 5yz */
};

struct err {
	enum rc rc;
	int sys; /* errno where the failure was the system's, else 0 */
	char text[240];
};

/* Each returns the code it set, so that a failure is one return statement. */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...) PRINTF(3, 4);

/* From errno: EAGAIN and EINTR are RC_AGAIN; EPERM, ENOENT and their like RC_PERM; else
 * RC_TEMP. */
enum rc err_sys(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Put what the caller was doing in front: "commit 4f1c: open 4f1c: No such file or directory".
 */
enum rc err_in(struct err *e, const char *fmt, ...) PRINTF(2, 3);

#endif
