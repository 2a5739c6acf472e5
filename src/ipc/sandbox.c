/*
 * Walls: namespaces, chroot, limits, capabilities, uid, NO_NEW_PRIVS, Landlock, seccomp, in
 * that order (RELIABILITY 6.2). See sandbox.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "ipc/sandbox.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define DATA_OCTETS_MAX (UINT64_C(1) << 30) /* heap of one role: RLIMIT_DATA */

static const char *const wall_names[] = {
	"uid", "chroot", "namespaces", "limits", "caps", "no_new_privs", "landlock", "seccomp",
};

void
walls_names(struct buf *b, unsigned walls)
{
	for (unsigned i = 0; i < LENGTH(wall_names); i++)
		if (walls & BIT(i))
			buf_addf(b, "%s%s", b->n > 0 ? " " : "", wall_names[i]);
}

/* ---- namespaces, root, limits ---- */

static enum rc
own_namespaces(struct err *e)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return err_sys(e, "leave the namespaces");
	return RC_OK;
}

/* Where the machine itself lives in a chroot, "/" is no mount and cannot be pivoted away from.
 */
static bool
root_is_mount(void)
{
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/*
 * The folder becomes the root of our mount namespace, and the only mount in it: a chroot would
 * leave all the machine's mounts within reach of a way out, and keep each busy after the
 * operator has unmounted it.
 */
static enum rc
pivot_to(const struct walls *w, const char *folder, struct err *e)
{
	unsigned long how = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (w->folder == FOLDER_EMPTY)
		how |= MS_RDONLY;
	if (mount(folder, folder, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(e, "bind %s", folder);
	if (chdir(folder) < 0 || mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | how, NULL) < 0)
		return err_sys(e, "restrict %s", folder);
	/* the old root lies on top of the new one afterwards: pivot_root(2), NOTES */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return err_sys(e, "make %s the root", folder);
	return RC_OK;
}

static enum rc
own_root(const struct walls *w, const char *folder, bool privileged, struct err *e)
{
	if (privileged && root_is_mount())
		return pivot_to(w, folder, e);
	if (chdir(folder) < 0)
		return err_sys(e, "enter %s", folder);
	if (privileged && (chroot(".") < 0 || chdir("/") < 0))
		return err_sys(e, "chroot to %s", folder);
	return RC_OK;
}

static enum rc
limit(int which, const char *name, rlim_t most, struct err *e)
{
	struct rlimit now;

	if (getrlimit((__rlimit_resource_t)which, &now) < 0)
		return err_sys(e, "read the limit of %s", name);
	if (most > now.rlim_max)
		most = now.rlim_max;
	now = (struct rlimit){most, most};
	if (setrlimit((__rlimit_resource_t)which, &now) < 0)
		return err_sys(e, "limit %s", name);
	return RC_OK;
}

static enum rc
own_limits(const struct walls *w, struct err *e)
{
	if (limit(RLIMIT_CORE, "core", 0, e) != RC_OK ||
	    limit(RLIMIT_NPROC, "nproc", 0, e) != RC_OK ||
	    limit(RLIMIT_NOFILE, "nofile", w->files, e) != RC_OK)
		return e->rc;
	if (!w->writes && limit(RLIMIT_FSIZE, "fsize", 0, e) != RC_OK)
		return e->rc;
	/* a sanitizer's shadow is counted as data */
	if (!SANITIZED && limit(RLIMIT_DATA, "data", DATA_OCTETS_MAX, e) != RC_OK)
		return e->rc;
	return RC_OK;
}

/* ---- a user's home ---- */

/*
 * From here on files are looked up with the user's rights: what root may not enter (NFS) the
 * user may, and a link that the user put on the way leads nowhere the user could not go.
 */
static enum rc
look_up_as(uid_t uid, gid_t gid, struct err *e)
{
	if (setgroups(0, NULL) < 0)
		return err_sys(e, "leave our groups");
	(void)setfsgid(gid); /* these two say nothing of success */
	(void)setfsuid(uid);
	if ((gid_t)setfsgid((gid_t)-1) != gid || (uid_t)setfsuid((uid_t)-1) != uid)
		return err_set(e, RC_PERM, "look up files as uid %u", uid);
	return RC_OK;
}

/* An automounter mounts it while our mounts are still everybody's; it would not afterwards. */
static enum rc
wake_home(const char *folder, struct err *e)
{
	CLEANUP(fd_closep) int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "home %s", folder) : RC_OK;
}

static enum rc
find_home(const struct walls *w, const char *folder, uid_t uid, gid_t gid, struct err *e)
{
	if (w->only == NULL)
		return RC_OK;
	if (uid != 0 && look_up_as(uid, gid, e) != RC_OK)
		return e->rc;
	return wake_home(folder, e);
}

static enum rc
check_home(const struct walls *w, const char *folder, uid_t uid, struct err *e)
{
	struct stat st;

	if (w->only == NULL)
		return RC_OK;
	if (stat(".", &st) < 0)
		return err_sys(e, "home %s", folder);
	if (st.st_uid != (uid != 0 ? uid : geteuid()))
		return err_set(e, RC_TEMP, "home %s is uid %u's", folder, st.st_uid);
	return RC_OK;
}

/* As the user. One that died in between has made it and not synced: so this asks each time. */
static enum rc
make_only(const struct walls *w, struct err *e)
{
	if (w->only == NULL)
		return RC_OK;
	if (mkdir(w->only, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s in the home folder", w->only);
	CLEANUP(fd_closep) int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home < 0)
		return err_sys(e, "open the home folder");
	if (fsync(home) < 0)
		return err_sys(e, "sync the home folder");
	return RC_OK;
}

/* ---- who we are ---- */

static enum rc
no_bounding_set(struct err *e)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(e, "drop capability %d from the bounding set", cap);
	return RC_OK;
}

static enum rc
no_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &head, none) < 0)
		return err_sys(e, "drop capabilities");
	return RC_OK;
}

static enum rc
own_uid(uid_t uid, gid_t gid, struct err *e)
{
	uid_t real;
	uid_t effective;
	uid_t saved;

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become uid %u gid %u", uid, gid);
	if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid ||
	    saved != uid || setuid(0) == 0)
		return err_set(e, RC_PERM, "uid %u did not hold", uid);
	return RC_OK;
}

/* ---- Landlock ---- */

/* As the newest ABI we know has it; older kernels read the front part they know. */
struct ruleset {
	uint64_t access_fs;
	uint64_t access_net;
	uint64_t scoped;
};

#define ACCESS_READ \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | \
	 LANDLOCK_ACCESS_FS_WRITE_FILE)
#define ACCESS_CHANGE \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)
#define ACCESS_REFER (UINT64_C(1) << 13)    /* ABI 2: rename between folders */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */

/* What each ABI added: the number of file-system rights, network rights, scopes. */
static const struct {
	unsigned fs;
	unsigned net;
	unsigned scopes;
} landlock_abis[] = {
	{0,  0, 0},
        {13, 0, 0},
        {14, 0, 0},
        {15, 0, 0},
        {15, 2, 0},
        {16, 2, 0},
        {16, 2, 2}
};

static enum rc
landlock_allow_folder(int ruleset, const char *name, uint64_t allowed, struct err *e)
{
	CLEANUP(fd_closep)
	int here = open(name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = {.allowed_access = allowed,
	                                             .parent_fd = here};

	if (here < 0)
		return err_sys(e, "open folder %s", name);
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) <
	    0)
		return err_sys(e, "add a Landlock rule");
	return RC_OK;
}

/* *ret_stands is false, without an error, where the kernel has no Landlock. */
static enum rc
own_landlock(const struct walls *w, bool *ret_stands, struct err *e)
{
	long abi =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t allowed = ACCESS_READ | ACCESS_CHANGE | ACCESS_REFER | ACCESS_TRUNCATE;

	*ret_stands = false;
	if (abi < 1)
		return RC_OK;
	if (abi >= (long)LENGTH(landlock_abis))
		abi = (long)LENGTH(landlock_abis) - 1;
	struct ruleset all = {
		.access_fs = (UINT64_C(1) << landlock_abis[abi].fs) - 1,
		.access_net = (UINT64_C(1) << landlock_abis[abi].net) - 1,
		.scoped = (UINT64_C(1) << landlock_abis[abi].scopes) - 1,
	};
	size_t size = abi >= 6   ? sizeof(all)
	              : abi >= 4 ? 2 * sizeof(uint64_t)
	                         : sizeof(uint64_t);
	CLEANUP(fd_closep)
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
	if (ruleset < 0)
		return err_sys(e, "make a Landlock ruleset");
	if (w->folder == FOLDER_FILES &&
	    landlock_allow_folder(ruleset, w->only != NULL ? w->only : ".",
	                          allowed & all.access_fs, e) != RC_OK)
		return e->rc;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_sys(e, "go behind Landlock");
	*ret_stands = true;
	return RC_OK;
}

/* ---- seccomp ---- */

/* What every role may call: its channels, its loop, its memory, its clock, its end. */
static const char *const calls_of_all[] = {
	"read",
	"write",
	"readv",
	"writev",
	"recvmmsg",
	"sendmsg",
	"close",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_ctl",
	"fcntl",
	"clock_gettime",
	"gettimeofday",
	"time",
	"munmap",
	"mremap",
	"brk",
	"madvise",
	"futex",
	"rt_sigreturn",
	"rt_sigprocmask",
	"restart_syscall",
	"getrandom",
	"getpid",
	"gettid",
	"exit",
	"exit_group",
	"sched_yield",
	"dup",
#if SANITIZED
	"sigaltstack",
	"rt_sigaction",
	"tgkill",
	"sched_getaffinity",
	"prctl",
	"readlink",
	"getrusage",
	"nanosleep",
	"clock_nanosleep",
	"mprotect",
#endif
};

static enum rc
allow_call(scmp_filter_ctx f, const char *name, struct err *e)
{
	int number = seccomp_syscall_resolve_name(name);
	int failed;

	if (number == __NR_SCMP_ERROR)
		return err_set(e, RC_PERM, "seccomp knows no call %s", name);
	failed = seccomp_rule_add(f, SCMP_ACT_ALLOW, number, 0);
	if (failed != 0)
		return err_set(e, RC_PERM, "seccomp: allow %s: error %d", name, -failed);
	return RC_OK;
}

/* Memory, but never executable. */
static enum rc
allow_mapping(scmp_filter_ctx f, struct err *e)
{
	static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

	for (size_t i = 0; i < LENGTH(calls); i++)
		if (seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 1,
		                     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0 &&
		    !SANITIZED)
			return err_set(e, RC_PERM, "seccomp: allow memory");
	return RC_OK;
}

static enum rc
fill_filter(scmp_filter_ctx f, const struct walls *w, struct err *e)
{
	if (allow_mapping(f, e) != RC_OK)
		return e->rc;
	for (size_t i = 0; i < LENGTH(calls_of_all); i++)
		if (allow_call(f, calls_of_all[i], e) != RC_OK)
			return e->rc;
	for (const char *const *call = w->calls; call != NULL && *call != NULL; call++)
		if (allow_call(f, *call, e) != RC_OK)
			return e->rc;
	/* new C libraries try these first and fall back on ENOSYS */
	if (!SEKISHO_FAULTS && /* there it is what becomes of all: a rule less */
	    seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0)
		return err_set(e, RC_PERM, "seccomp: refuse clone3");
	int failed = seccomp_load(f);
	if (failed != 0)
		return err_set(e, RC_PERM, "seccomp: load: error %d", -failed);
	return RC_OK;
}

/*
 * A build for fault tests refuses instead of killing: strace makes a call fail by turning its
 * number into none, which the filter sees.
 */
static enum rc
own_seccomp(const struct walls *w, struct err *e)
{
	scmp_filter_ctx f =
		seccomp_init(SEKISHO_FAULTS ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_KILL_PROCESS);

	if (f == NULL)
		return err_set(e, RC_TEMP, "seccomp: out of memory");
	(void)fill_filter(f, w, e);
	seccomp_release(f);
	return e->rc;
}

/* ---- all of them ---- */

/* What only root can do, while it still is root. */
static enum rc
walls_of_root(uid_t uid, gid_t gid, unsigned *walls, struct err *e)
{
	if (no_bounding_set(e) != RC_OK || own_uid(uid, gid, e) != RC_OK)
		return e->rc;
	*walls |= WALL_UID | WALL_CAPS;
	return RC_OK;
}

enum rc
walls_up(const struct walls *w, const char *folder, uid_t uid, gid_t gid, unsigned *ret_walls,
         struct err *e)
{
	bool privileged = uid != 0;
	bool landlock;
	unsigned walls = 0;

	e->rc = RC_OK;
	if (find_home(w, folder, uid, gid, e) != RC_OK)
		return e->rc;
	if (privileged && own_namespaces(e) != RC_OK)
		return e->rc;
	if (own_root(w, folder, privileged, e) != RC_OK ||
	    check_home(w, folder, uid, e) != RC_OK || own_limits(w, e) != RC_OK)
		return e->rc;
	walls |= WALL_LIMITS | (privileged ? WALL_CHROOT | WALL_NAMESPACES : 0);
	if (privileged && walls_of_root(uid, gid, &walls, e) != RC_OK)
		return e->rc;
	if (no_capabilities(e) != RC_OK)
		return e->rc;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "set NO_NEW_PRIVS");
	walls |= WALL_NEW_PRIVS;
	/* from Linux 6.3 on; before that seccomp's rule on PROT_EXEC says nearly the same */
	(void)prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
	if (make_only(w, e) != RC_OK || own_landlock(w, &landlock, e) != RC_OK)
		return e->rc;
	walls |= landlock ? WALL_LANDLOCK : 0;
	if (own_seccomp(w, e) != RC_OK)
		return e->rc;
	*ret_walls = walls | WALL_SECCOMP;
	return RC_OK;
}
