/*
 * A disk that can lose power. See disk_fake.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spool/disk_fake.h"

#define SHOWN __attribute__((visibility("default")))
#define UNDONE_MAX 4096

struct disk_fake disk;

/* What a file had before a write that no sync has made durable. */
static struct undone {
	int fd;
	off_t at;
	off_t size; /* of the file */
	size_t n;   /* octets that were there */
	char *was;
} undone[UNDONE_MAX];
static unsigned undone_count;

static bool
chance(void)
{
	disk.seed = disk.seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (disk.seed >> 40 & 1) != 0;
}

/* A write that is lost: its octets, and the file's length where nothing later gave it more. */
static void
undo(const struct undone *u)
{
	struct stat st;

	(void)syscall(SYS_pwrite64, u->fd, u->was, u->n, u->at);
	if (fstat(u->fd, &st) == 0 && st.st_size == u->at + (off_t)u->n && u->size < st.st_size)
		(void)syscall(SYS_ftruncate, u->fd, u->size);
}

static void
cut_power(void)
{
	while (undone_count > 0) {
		undone_count--;
		if (chance())
			undo(&undone[undone_count]);
	}
	_exit(0);
}

/* The disk fails before this call, or the call itself does. */
static bool
step(void)
{
	disk.calls++;
	if (disk.calls == disk.cut_at)
		cut_power();
	return disk.calls == disk.fail_write;
}

/* Octets that were not there read as zeros: a hole is what a lost write leaves. */
static void
remember(int fd, off_t at, size_t n)
{
	struct stat st;

	if (undone_count == UNDONE_MAX || fstat(fd, &st) < 0)
		abort();
	struct undone *u = &undone[undone_count++];
	*u = (struct undone){.fd = fd, .at = at, .size = st.st_size, .n = n};
	u->was = calloc(1, n + 1);
	if (u->was == NULL || pread(fd, u->was, n, at) < 0)
		abort();
}

static ssize_t
fake_write(int fd, const void *p, size_t n, off_t at)
{
	if (step()) {
		errno = disk.fail_errno;
		return -1;
	}
	if (disk.cut_at > 0)
		remember(fd, at, n);
	return syscall(SYS_pwrite64, fd, p, n, at);
}

static int
fake_truncate(int fd, off_t to)
{
	struct stat st;

	if (step()) {
		errno = disk.fail_errno;
		return -1;
	}
	if (disk.cut_at > 0 && fstat(fd, &st) == 0 && st.st_size > to)
		remember(fd, to, (size_t)(st.st_size - to));
	return (int)syscall(SYS_ftruncate, fd, to);
}

static int
fake_sync(int fd)
{
	unsigned kept = 0;

	if (step()) {
		errno = disk.fail_errno;
		return -1;
	}
	if (++disk.syncs == disk.fail_sync) {
		errno = EIO;
		return -1;
	}
	if (disk.sync_is_empty)
		return 0;
	for (unsigned i = 0; i < undone_count; i++) {
		if (undone[i].fd == fd)
			free(undone[i].was);
		else
			undone[kept++] = undone[i];
	}
	undone_count = kept;
	return 0;
}

static ssize_t
fake_read(int fd, void *p, size_t n, off_t at)
{
	if (++disk.reads == disk.fail_read) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, p, n, at);
}

/* With 64-bit offsets the headers call the first three pread64, pwrite64, ftruncate64. */
/* clang-format off */
SHOWN ssize_t pread(int fd, void *p, size_t n, off_t at) { return fake_read(fd, p, n, at); }
SHOWN ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return fake_write(fd, p, n, at); }
SHOWN int ftruncate(int fd, off_t to) { return fake_truncate(fd, to); }
SHOWN int fdatasync(int fd) { return fake_sync(fd); }
SHOWN int fsync(int fd) { return fake_sync(fd); }
/* clang-format on */
