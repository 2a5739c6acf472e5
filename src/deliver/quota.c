/*
 * maildirsize. See quota.h.
 *
 *     file  = quota LF *( entry LF )       quota = octets "S" [ "," messages "C" ]
 *     entry = *blank octets *blank messages        both may be negative
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "deliver/layout.h"
#include "deliver/quota.h"

#define FILE_MAX 5120U      /* octets: a longer one is to be written anew */
#define OLD_SECONDS 900U    /* then it is counted again before mail waits */
#define FILES_MAX 10000000U /* messages in one mailbox */
#define TEMPORARY "tmp/" QUOTA_FILE ".new"

struct usage {
	int64_t octets;
	int64_t messages;
	unsigned entries; /* lines it was summed from */
	bool old;
};

/* ---- counting ---- */

/* What the name says (",S=123"), so that no file must be asked. */
static bool
size_in_name(struct str name, uint64_t *ret)
{
	size_t at = 0;

	for (; at + 3 <= name.n; at++)
		if (str_starts(str_slice(name, at, name.n), STR(",S="))) {
			struct str rest = str_slice(name, at + 3, name.n);
			size_t end = 0;

			while (end < rest.n && ascii_digit(rest.p[end]))
				end++;
			return str_u64(str_slice(rest, 0, end), INT32_MAX * 1024ULL, ret);
		}
	return false;
}

static void
closedirp(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir); /* only read from */
}

/* NULL: there is no such folder, or it cannot be read. */
static DIR *
open_dir(int at, const char *name)
{
	CLEANUP(fd_closep) int fd = folder_open(at, name);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir != NULL)
		(void)fd_take(&fd); /* the DIR's now */
	return dir;
}

static enum rc
count_files(int at, const char *name, struct usage *u, struct err *e)
{
	CLEANUP(closedirp) DIR *dir = open_dir(at, name);
	struct dirent *entry;
	struct stat st;
	uint64_t size;

	if (dir == NULL)
		return errno == ENOENT ? RC_OK : err_sys(e, "count %s", name);
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!size_in_name(str_of(entry->d_name), &size)) {
			if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
				continue; /* a reader has moved it */
			size = (uint64_t)st.st_size;
		}
		u->octets += (int64_t)size;
		if (++u->messages > FILES_MAX)
			return err_set(e, RC_TEMP, "over %u messages", FILES_MAX);
	}
	return errno == 0 ? RC_OK : err_sys(e, "count %s", name);
}

static enum rc
count_folder(int at, struct usage *u, struct err *e)
{
	if (count_files(at, "new", u, e) != RC_OK)
		return e->rc;
	return count_files(at, "cur", u, e);
}

/* The mailbox and its folders, which are `.Name` beside new and cur. */
static enum rc
count_mailbox(int fd, struct usage *u, struct err *e)
{
	CLEANUP(closedirp) DIR *dir = open_dir(fd, ".");
	struct dirent *entry;

	*u = (struct usage){.entries = 1};
	if (dir == NULL || count_folder(fd, u, e) != RC_OK)
		return dir == NULL ? err_sys(e, "read a mailbox") : e->rc;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		struct str name = str_of(entry->d_name);

		if (!str_starts(name, STR(".")) || str_eq(name, STR(".")) ||
		    str_eq(name, STR("..")))
			continue;
		CLEANUP(fd_closep) int sub = folder_open(fd, entry->d_name);
		if (sub >= 0 && count_folder(sub, u, e) != RC_OK)
			return e->rc;
	}
	return errno == 0 ? RC_OK : err_sys(e, "read a mailbox");
}

/* ---- the file ---- */

static bool
take_signed(struct str *line, int64_t *ret)
{
	bool minus;
	struct str word;
	uint64_t value;

	*line = str_trim(*line);
	minus = str_starts(*line, STR("-"));
	*line = str_slice(*line, minus, line->n);
	if (!str_cut(line, ' ', &word) || !str_u64(word, INT64_MAX / 4096, &value))
		return false;
	*ret = minus ? -(int64_t)value : (int64_t)value;
	return true;
}

/* False for what is not one of ours, for this quota: then the files are counted. */
static bool
parse(struct str text, uint64_t quota, struct usage *u)
{
	char room[40];
	struct buf want = BUF_ON(room);
	struct str line;
	int64_t octets;
	int64_t messages;

	buf_addf(&want, "%lluS", (unsigned long long)quota);
	if (!str_cut(&text, '\n', &line) || !str_eq(str_trim(line), buf_str(&want)))
		return false;
	while (str_cut(&text, '\n', &line)) {
		if (!take_signed(&line, &octets) || !take_signed(&line, &messages) ||
		    line.n > 0)
			return false;
		u->octets += octets;
		u->messages += messages;
		u->entries++;
	}
	return u->octets >= 0 && u->messages >= 0;
}

static bool
read_usage(int fd, uint64_t quota, struct usage *u)
{
	CLEANUP(fd_closep)
	int file = openat(fd, QUOTA_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char room[FILE_MAX];
	struct stat st;

	*u = (struct usage){.octets = 0};
	if (file < 0 || fstat(file, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	ssize_t n = pread(file, room, sizeof(room), 0);
	if (n <= 0 || n == (ssize_t)sizeof(room) || room[n - 1] != '\n')
		return false;
	u->old = (uint64_t)st.st_mtime + OLD_SECONDS < clock_wall_us() / 1000000;
	return parse((struct str){room, (size_t)n}, quota, u);
}

/* Without it the next delivery counts once more: that it cannot be written harms nobody. */
static void
write_usage(int fd, uint64_t quota, const struct usage *u)
{
	static const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	char room[120];
	struct buf b = BUF_ON(room);
	struct err e;

	(void)unlinkat(fd, TEMPORARY, 0); /* of one that was killed */
	CLEANUP(fd_closep) int file = openat(fd, TEMPORARY, flags, 0600);
	buf_addf(&b, "%lluS\n%lld %lld\n", (unsigned long long)quota, (long long)u->octets,
	         (long long)u->messages);
	if (file < 0)
		return;
	if (fd_write_all(file, buf_str(&b), &e) != RC_OK ||
	    renameat(fd, TEMPORARY, fd, QUOTA_FILE) != 0)
		(void)unlinkat(fd, TEMPORARY, 0);
}

static bool
has_room(const struct usage *u, uint64_t quota, uint64_t size)
{
	return size <= quota && (uint64_t)u->octets <= quota - size;
}

enum rc
quota_check(int fd, uint64_t quota, uint64_t size, struct err *e)
{
	struct usage u;
	bool known = read_usage(fd, quota, &u);

	if (known && has_room(&u, quota, size))
		return RC_OK;
	/* one entry, and young: nobody has added to what was counted just before */
	if (!known || u.entries > 1 || u.old) {
		if (count_mailbox(fd, &u, e) != RC_OK)
			return e->rc;
		write_usage(fd, quota, &u);
	}
	if (has_room(&u, quota, size))
		return RC_OK;
	return err_set(e, RC_TEMP, "over quota: %lld of %llu octets are in use, this has %llu",
	               (long long)u.octets, (unsigned long long)quota,
	               (unsigned long long)size);
}

void
quota_add(int fd, uint64_t size)
{
	CLEANUP(fd_closep)
	int file = openat(fd, QUOTA_FILE,
	                  O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char room[40];
	struct buf b = BUF_ON(room);
	struct err e;

	if (file < 0)
		return;
	buf_addf(&b, "%llu 1\n", (unsigned long long)size);
	if (fd_write_all(file, buf_str(&b), &e) != RC_OK)
		(void)unlinkat(fd, QUOTA_FILE, 0); /* half a line: count anew */
}
