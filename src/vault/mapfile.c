/*
 * A file read whole. See mapfile.h.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault/mapfile.h"

#define TRIES 3

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static enum rc
look(int fd, size_t most, struct stat *ret, struct err *e)
{
	if (fstat(fd, ret) < 0)
		return err_sys(e, "stat");
	if (!S_ISREG(ret->st_mode))
		return err_set(e, RC_PERM, "it is not a regular file");
	if (ret->st_size < 0 || (uint64_t)ret->st_size > most)
		return err_set(e, RC_PERM, "it is longer than %zu octets", most);
	return RC_OK;
}

/* Up to <n> octets; fewer where the file has become shorter. */
static enum rc
read_octets(int fd, char *p, size_t n, size_t *ret_n, struct err *e)
{
	size_t at = 0;

	while (at < n) {
		ssize_t got = pread(fd, p + at, n - at, (off_t)at);

		if (got < 0)
			return err_sys(e, "read");
		if (got == 0)
			break;
		at += (size_t)got;
	}
	*ret_n = at;
	return RC_OK;
}

static enum rc
try_read(int fd, size_t most, char **ret_p, size_t *ret_n, struct err *e)
{
	struct stat was;
	struct stat now;

	if (look(fd, most, &was, e) != RC_OK)
		return e->rc;
	char *p = malloc((size_t)was.st_size + 1);
	if (p == NULL)
		return err_sys(e, "read");
	if (read_octets(fd, p, (size_t)was.st_size, ret_n, e) == RC_OK &&
	    look(fd, most, &now, e) == RC_OK) {
		if (now.st_size == was.st_size && *ret_n == (size_t)was.st_size &&
		    same_time(&now.st_mtim, &was.st_mtim)) {
			*ret_p = p;
			return RC_OK;
		}
		(void)err_set(e, RC_AGAIN, "it is being written");
	}
	free(p);
	return e->rc;
}

enum rc
mapfile_read(int fd, size_t most, char **ret_p, size_t *ret_n, struct err *e)
{
	enum rc rc = RC_AGAIN;

	for (unsigned i = 0; i < TRIES && rc == RC_AGAIN; i++)
		rc = try_read(fd, most, ret_p, ret_n, e);
	return rc;
}
