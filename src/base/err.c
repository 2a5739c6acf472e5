/*
 * Error texts. See err.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

enum rc
err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	e->rc = rc;
	e->sys = 0;
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt,
	                ap); /* a long text is cut: it is for a log */
	va_end(ap);
	return rc;
}

static enum rc
rc_of_errno(int number)
{
	switch (number) {
	case EAGAIN:
	case EINTR:
		return RC_AGAIN;
	case EPERM:
	case EACCES:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case EINVAL:
	case ENAMETOOLONG:
	case EBADF:
		return RC_PERM;
	default:
		return RC_TEMP;
	}
}

enum rc
err_sys(struct err *e, const char *fmt, ...)
{
	int number = errno;
	char doing[160];
	char name[64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(doing, sizeof(doing), fmt, ap);
	va_end(ap);
	e->rc = rc_of_errno(number);
	e->sys = number;
	/* GNU strerror_r: thread-safe, and never fails */
	(void)snprintf(e->text, sizeof(e->text), "%s: %s", doing,
	               strerror_r(number, name, sizeof(name)));
	return e->rc;
}

enum rc
err_in(struct err *e, const char *fmt, ...)
{
	char was[sizeof(e->text)];
	va_list ap;

	memcpy(was, e->text, sizeof(was));
	struct buf b = BUF_ON(e->text);
	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	buf_add(&b, STR(": "));
	/* as much of the cause as there is room for: it is for a log */
	buf_add(&b, str_slice(str_of(was), 0, sizeof(e->text) - 1 - b.n));
	return e->rc;
}
