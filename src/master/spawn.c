/*
 * Starting roles. See spawn.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "cfg/cfg.h"
#include "master/spawn.h"
#include "role/folders.h"
#include "role/ids.h"

#define LOG_PIPE_OCTETS (1 << 20) /* a burst of lines while the reader takes a breath */

static enum rc
config_seal(const struct cfg *c, int *ret_fd, struct err *e)
{
	CLEANUP(fd_closep)
	int fd = memfd_create("sekisho-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *room = malloc(CFG_OCTETS_MAX);
	struct buf b = {.p = room, .cap = CFG_OCTETS_MAX};

	if (fd < 0 || room == NULL) {
		free(room);
		return err_sys(e, "room for the configuration");
	}
	e->rc = RC_OK;
	if (cfg_encode(c, &b, e) == RC_OK)
		e->rc = fd_write_all(fd, buf_str(&b), e);
	free(room);
	if (e->rc != RC_OK)
		return e->rc;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
	    0)
		return err_sys(e, "seal the configuration");
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

/* Beside our own executable (build folder), or in ../libexec/sekisho (installed). */
static enum rc
find_roles(struct nursery *n, struct err *e)
{
	static const char *const tails[] = {"", "/../libexec/sekisho"};
	char self[2048];
	char probe[sizeof(n->exe_dir) + 32];
	ssize_t got = readlink("/proc/self/exe", self, sizeof(self));

	if (got <= 0 || (size_t)got >= sizeof(self))
		return err_sys(e, "find our own executable");
	struct str dir = {self, (size_t)got};
	dir = str_slice(dir, 0, str_rfind(dir, '/'));
	for (size_t i = 0; i < LENGTH(tails); i++) {
		struct buf b = BUF_ON(n->exe_dir);
		struct buf p = BUF_ON(probe);

		buf_addf(&b, "%.*s%s", STR_FMT(dir), tails[i]);
		buf_addf(&p, "%s/sekisho-edge", n->exe_dir);
		if (access(probe, X_OK) == 0)
			return RC_OK;
	}
	return err_set(e, RC_PERM, "no sekisho-edge beside %.*s nor in its ../libexec/sekisho",
	               STR_FMT(dir));
}

enum rc
nursery_make(struct nursery *n, const struct cfg *c, struct err *e)
{
	int ends[2];

	*n = (struct nursery){.cfg = c, .log_out = STDERR_FILENO};
	if (find_roles(n, e) != RC_OK || config_seal(c, &n->config, e) != RC_OK)
		return e->rc;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "log pipe");
	n->log_read = ends[0];
	n->log_write = ends[1];
	(void)fcntl(n->log_write, F_SETPIPE_SZ, LOG_PIPE_OCTETS); /* smaller does as well */
	return fd_nonblock(n->log_write, e);
}

/*
 * dup2 could overwrite a descriptor that is still to be placed: first all go above the fixed
 * numbers, then down to them.
 */
static bool
place(const int *sources, int count)
{
	int high[8];

	for (int i = 0; i < count; i++) {
		high[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 16);
		if (high[i] < 0)
			return false;
	}
	for (int i = 0; i < count; i++)
		if (dup2(high[i], i) < 0)
			return false;
	return true;
}

/* In the child, between fork and exec: only calls that are safe there. */
static _Noreturn void
become(const struct nursery *n, bool logger, int channel, char *const argv[])
{
	char *const environment[] = {NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int sources[] = {
		logger ? n->log_read : null,
		logger ? n->log_out : null,
		logger ? n->log_out : n->log_write,
		channel,
		n->config,
	};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(027);
	if (null >= 0 && place(sources, (int)LENGTH(sources)))
		(void)execve(argv[0], argv, environment);
	_exit(EX_OSERR);
}

enum rc
spawn(const struct nursery *n, enum proc p, unsigned index, int channel, pid_t *ret_pid,
      struct err *e)
{
	char path[sizeof(n->exe_dir) + 32];
	char number[3][16];
	char folder[4096];
	struct buf texts[] = {BUF_ON(path), BUF_ON(number[0]), BUF_ON(number[1]),
	                      BUF_ON(number[2]), BUF_ON(folder)};
	uid_t uid;
	gid_t gid;

	proc_ids(n->cfg, p, &uid, &gid);
	buf_addf(&texts[0], "%s/sekisho-%s", n->exe_dir, proc_name(p));
	buf_addf(&texts[1], "%u", index);
	buf_addf(&texts[2], "%u", uid);
	buf_addf(&texts[3], "%u", gid);
	folder_of(n->cfg, p, &texts[4]);
	char *const argv[] = {path, number[0], number[1], number[2], folder, NULL};
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork for %s", proc_name(p));
	if (pid == 0)
		become(n, p == LOGGER, channel, argv);
	*ret_pid = pid;
	return RC_OK;
}
