/*
 * Recipients as they gather from arguments and header fields, in their order.
 */
#ifndef SENDMAIL_RCPTS_H
#define SENDMAIL_RCPTS_H

#include "base/err.h"
#include "base/str.h"

#define RCPTS_MOST 100000U

struct rcpts {
	char **names; /* owned: local@domain, or a local part alone */
	size_t count;
	size_t cap;
};

/* All addresses of a list (address_list.h). RC_PERM where it cannot be read or has too many. */
enum rc rcpts_add(struct rcpts *r, struct str list, struct err *e) MUST_CHECK;

void rcpts_free(struct rcpts *r);

#endif
