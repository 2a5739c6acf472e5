/*
 * Files of backups. See backup_file.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fd.h"
#include "command/backup_file.h"
#include "spool/tables.h"
#include "store/records.h"
#include "vault/accounts.h"

const struct backup_db backup_dbs[3] = {
	{"copy_spool",    SPOOL, "spool",    "spool.db",    TABLES_FORMAT   },
	{"copy_accounts", VAULT, "accounts", ACCOUNTS_FILE, ACCOUNTS_VERSION},
	{"copy_journal",  STORE, "journal",  RECORDS_FILE,  RECORDS_VERSION },
};

static enum rc
write_all(int fd, const char *p, size_t n, struct err *e)
{
	while (n > 0) {
		ssize_t wrote = write(fd, p, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_sys(e, "write");
		p += wrote;
		n -= (size_t)wrote;
	}
	return RC_OK;
}

enum rc
backup_copy(int from, int to, struct backup_sum *ret, struct err *e)
{
	static char room[1U << 20];
	struct backup_sum sum = {0};
	XXH3_state_t state;
	ssize_t n;

	(void)XXH3_64bits_reset(&state); /* fails for NULL alone, as does the next */
	while ((n = read(from, room, sizeof(room))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		(void)XXH3_64bits_update(&state, room, (size_t)n);
		sum.size += (uint64_t)n;
		if (to >= 0 && write_all(to, room, (size_t)n, e) != RC_OK)
			return e->rc;
	}
	if (to >= 0 && fsync(to) < 0)
		return err_sys(e, "sync");
	sum.hash = XXH3_64bits_digest(&state);
	*ret = sum;
	return RC_OK;
}

enum rc
backup_open(int dir, const char *name, int *ret_fd, struct err *e)
{
	struct stat st;
	CLEANUP(fd_closep)
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", name);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", name);
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		return err_set(e, RC_PERM, "%s is no regular file with one name", name);
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

enum rc
backup_folder(int dir, const char *name, int *ret_fd, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open folder %s", name);
	*ret_fd = fd;
	return RC_OK;
}

enum rc
backup_create(int dir, const char *name, int *ret_fd, struct err *e)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "create %s", name);
	*ret_fd = fd;
	return RC_OK;
}
