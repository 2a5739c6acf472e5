/*
 * Descriptors. See fd.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

void
fd_closep(int *fd)
{
	int keep = errno;

	if (*fd >= 0)
		(void)close(*fd); /* Linux has closed it whatever this says */
	*fd = -1;
	errno = keep;
}

int
fd_take(int *fd)
{
	int was = *fd;

	*fd = -1;
	return was;
}

enum rc
fd_write_all(int fd, struct str s, struct err *e)
{
	while (s.n > 0) {
		ssize_t wrote = write(fd, s.p, s.n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return err_sys(e, "write %zu octets", s.n);
		s = str_slice(s, (size_t)wrote, s.n);
	}
	return RC_OK;
}

enum rc
fd_read_all(int fd, char *p, size_t cap, size_t *ret_n, struct err *e)
{
	size_t n = 0;

	for (;;) {
		char past;
		ssize_t got = n < cap ? read(fd, p + n, cap - n) : read(fd, &past, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "read");
		if (got == 0)
			break;
		if (n == cap)
			return err_set(e, RC_PERM, "longer than %zu octets", cap);
		n += (size_t)got;
	}
	*ret_n = n;
	return RC_OK;
}

enum rc
fd_nonblock(int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(e, "set O_NONBLOCK");
	return RC_OK;
}
