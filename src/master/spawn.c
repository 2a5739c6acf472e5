/*
 * Starting roles. See spawn.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cfg/cfg.h"
#include "master/house.h"
#include "master/spawn.h"
#include "role/folders.h"
#include "role/ids.h"

#define LOG_PIPE_OCTETS (1 << 20) /* a burst of lines while the reader takes a breath */

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
nursery_make(struct nursery *n, struct err *e)
{
	int ends[2];

	*n = (struct nursery){.log_out = STDERR_FILENO};
	if (find_roles(n, e) != RC_OK)
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
become(const struct nursery *n, const struct slot *s, int channel, char *const argv[],
       char *clock_text)
{
	char *const environment[] = {clock_text, NULL};
	bool logger = s->proc == LOGGER;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int sources[] = {
		logger ? n->log_read : null,
		logger ? n->log_out : null,
		logger ? n->log_out : n->log_write,
		channel,
		s->plan->fd,
	};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(027);
	if (null >= 0 && place(sources, (int)LENGTH(sources)))
		(void)execve(argv[0], argv, environment);
	_exit(EX_OSERR);
}

static void
lodge(const struct slot *s, uid_t *ret_uid, gid_t *ret_gid, struct buf *folder)
{
	if (s->lodging == NULL) {
		proc_ids(s->plan->cfg, s->proc, ret_uid, ret_gid);
		folder_of(s->plan->cfg, s->proc, folder);
		return;
	}
	*ret_uid = s->lodging->uid;
	*ret_gid = s->lodging->gid;
	buf_add(folder, str_of(s->lodging->folder));
}

enum rc
spawn(const struct nursery *n, const struct slot *s, int channel, pid_t *ret_pid, struct err *e)
{
	char path[sizeof(n->exe_dir) + 32];
	char number[3][16];
	char folder[4096];
	struct buf texts[] = {BUF_ON(path), BUF_ON(number[0]), BUF_ON(number[1]),
	                      BUF_ON(number[2]), BUF_ON(folder)};
	uid_t uid;
	gid_t gid;

	lodge(s, &uid, &gid, &texts[4]);
	buf_addf(&texts[0], "%s/sekisho-%s", n->exe_dir, proc_name(s->proc));
	buf_addf(&texts[1], "%u", s->index);
	buf_addf(&texts[2], "%u", uid);
	buf_addf(&texts[3], "%u", gid);
	if (texts[4].cut)
		return err_set(e, RC_PERM, "the folder's name is too long");
	char *user =
		s->lodging != NULL && s->lodging->user[0] != '\0' ? s->lodging->user : NULL;
	char *const argv[] = {path, number[0], number[1], number[2], folder, user, NULL};
	char *clock_text = NULL;
#if SEKISHO_FAULTS
	char shift[48];
	struct buf clock = BUF_ON(shift);

	buf_addf(&clock, CLOCK_SHIFT "=%lld", (long long)clock_shift_us);
	clock_text = shift;
#endif
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork for %s", proc_name(s->proc));
	if (pid == 0)
		become(n, s, channel, argv, clock_text);
	*ret_pid = pid;
	return RC_OK;
}
