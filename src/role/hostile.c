/*
 * Ways to break out of walls, tried one child each. See hostile.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/str.h"
#include "role/hostile.h"

#define LOOPBACK_PORT 25

static long
try_open_etc(void)
{
	return openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long
try_open_above(void)
{
	return openat(AT_FDCWD, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0
	               ? -1
	               : openat(AT_FDCWD, "../accounts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long
try_open_others_descriptors(void)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", 1);
	return openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long
try_create_file(void)
{
	return openat(AT_FDCWD, "hostile.tmp", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
}

static long
try_make_fifo(void)
{
	return mknodat(AT_FDCWD, "hostile.fifo", S_IFIFO | 0600, 0);
}

static long
try_symlink(void)
{
	return symlinkat("/etc/passwd", AT_FDCWD, "hostile.link");
}

static long
try_connect(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(LOOPBACK_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&in, sizeof(in));
}

static long
try_bind(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&in, sizeof(in));
}

static long
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static long
try_exec(void)
{
	char *const none[] = {NULL};

	return execve("/bin/true", none, none);
}

static long
try_fork(void)
{
	long pid = syscall(SYS_fork);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static long
try_kill(void)
{
	return kill(getppid(), 0);
}

static long
try_read_others_memory(void)
{
	char octet;
	struct iovec here = {&octet, 1};
	struct iovec there = {&octet, 1};

	return process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long
try_mount(void)
{
	return mount("none", "/", "tmpfs", 0, NULL);
}

static long
try_map_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long
try_make_executable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long
try_setuid_root(void)
{
	return setuid(0);
}

static long
try_chroot(void)
{
	return chroot(".");
}

static long
try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static long
try_raise_limit(void)
{
	return syscall(SYS_prlimit64, 0, 7, NULL, NULL);
}

static long
try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long
try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long
try_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 0);
}

static long
try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long
try_memfd(void)
{
	return memfd_create("hostile", MFD_CLOEXEC);
}

static const struct way {
	const char *name;
	long (*run)(void);
} ways[] = {
	{"open /etc/passwd",         try_open_etc               },
	{"open the folder above",    try_open_above             },
	{"open others' descriptors", try_open_others_descriptors},
	{"create a file",            try_create_file            },
	{"make a FIFO",              try_make_fifo              },
	{"make a symbolic link",     try_symlink                },
	{"connect",                  try_connect                },
	{"bind",		     try_bind                   },
	{"make a UNIX socket",       try_unix_socket            },
	{"execute",                  try_exec                   },
	{"fork",		     try_fork                   },
	{"ptrace the parent",        try_ptrace                 },
	{"signal the parent",        try_kill                   },
	{"read the parent's memory", try_read_others_memory     },
	{"mount",		    try_mount                  },
	{"map executable memory",    try_map_executable         },
	{"make memory executable",   try_make_executable        },
	{"become root",              try_setuid_root            },
	{"chroot again",             try_chroot                 },
	{"make a user namespace",    try_unshare                },
	{"change limits",            try_raise_limit            },
	{"set up io_uring",          try_io_uring               },
	{"load BPF",                 try_bpf                    },
	{"read keyrings",            try_keyring                },
	{"become dumpable",          try_dumpable               },
	{"make a memfd",             try_memfd                  },
};

#define EXIT_DONE 200 /* above any errno that can come */
#define EXIT_WALLS 201

/* The child: behind the walls, one try. Its exit status tells. */
static _Noreturn void
child(const struct walls *w, const struct way *way, uid_t uid, gid_t gid, const char *folder)
{
	unsigned walls;
	struct err e;

	if (walls_up(w, folder, uid, gid, &walls, &e) != RC_OK) {
		(void)fprintf(stderr, "%s\n", e.text);
		_exit(EXIT_WALLS);
	}
	_exit(way->run() >= 0 ? EXIT_DONE : errno);
}

static void
print_outcome(const struct way *way, int status)
{
	const char *outcome = "done";

	if (WIFSIGNALED(status))
		outcome = WTERMSIG(status) == SIGSYS ? "killed" : "crashed";
	else if (WEXITSTATUS(status) == EXIT_WALLS)
		outcome = "no walls";
	else if (WEXITSTATUS(status) != EXIT_DONE)
		outcome = strerrorname_np(WEXITSTATUS(status));
	(void)printf("%s\t%s\n", way->name, outcome);
}

int
hostile_main(const struct walls *w, int argc, char **argv)
{
	uint64_t uid;
	uint64_t gid;

	if (w == NULL || argc < 5 || argc > 6 || !str_u64(str_of(argv[2]), UINT32_MAX, &uid) ||
	    !str_u64(str_of(argv[3]), UINT32_MAX, &gid))
		return EX_USAGE;
	for (size_t i = 0; i < LENGTH(ways); i++) {
		int status;
		pid_t pid;

		(void)fflush(stdout);
		pid = fork();
		if (pid < 0)
			return EX_OSERR;
		if (pid == 0)
			child(w, &ways[i], (uid_t)uid, (gid_t)gid, argv[4]);
		if (waitpid(pid, &status, 0) != pid)
			return EX_OSERR;
		print_outcome(&ways[i], status);
	}
	return EX_OK;
}
