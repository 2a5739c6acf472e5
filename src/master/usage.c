/*
 * Memory and processor time of the house. See usage.h.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/house.h"
#include "master/usage.h"

#define PROC_FILE_OCTETS 4096 /* the two files are shorter */
#define STAT_UTIME 11         /* fields behind the name's bracket, from 0: proc(5) */

/* The file's octets, empty where it cannot be read: the process has ended, or is not ours. */
static struct str
read_proc(pid_t pid, const char *name, char room[PROC_FILE_OCTETS])
{
	char path[64];
	struct buf b = BUF_ON(path);

	buf_addf(&b, "/proc/%d/%s", (int)pid, name);
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, room, PROC_FILE_OCTETS);
	return (struct str){room, n < 0 ? 0 : (size_t)n};
}

/* "RssAnon:     512 kB", or 0 for a line of another name. */
static uint64_t
octets_of(struct str line, struct str name)
{
	uint64_t kib;

	if (!str_starts(line, name))
		return 0;
	line = str_trim(str_slice(line, name.n, line.n));
	return str_u64(str_slice(line, 0, str_find(line, ' ')), INT64_MAX >> 12, &kib)
	               ? kib << 10
	               : 0;
}

/*
 * What it has alone. Its part of what it shares (PSS) stands in smaps_rollup, for which master
 * would need CAP_SYS_PTRACE: the right to take over every process of the machine.
 */
static uint64_t
memory_of(pid_t pid)
{
	char room[PROC_FILE_OCTETS];
	struct str rest = read_proc(pid, "status", room);
	struct str line;
	uint64_t octets = 0;

	while (str_cut(&rest, '\n', &line))
		octets += octets_of(line, STR("RssAnon:")) + octets_of(line, STR("RssShmem:"));
	return octets;
}

static uint64_t
cpu_us_of(pid_t pid)
{
	char room[PROC_FILE_OCTETS];
	struct str rest = read_proc(pid, "stat", room);
	long second = sysconf(_SC_CLK_TCK);
	struct str field;
	uint64_t ticks = 0;

	/* the name may have blanks and brackets of its own: what follows its last one counts */
	rest = str_slice(rest, str_rfind(rest, ')') + 2, rest.n);
	for (unsigned i = 0; i <= STAT_UTIME + 1 && str_cut(&rest, ' ', &field); i++) {
		uint64_t n;

		if (i >= STAT_UTIME && str_u64(field, INT64_MAX / 2000000, &n))
			ticks += n;
	}
	return second > 0 ? ticks * 1000000 / (uint64_t)second : 0;
}

static void
add(struct buf *b, unsigned *count, enum proc role, unsigned index, pid_t pid)
{
	struct item_usage u = {.role = (uint8_t)proc_number(role), .index = (uint16_t)index};

	if (pid == 0)
		return;
	u.memory = memory_of(pid);
	u.cpu_us = cpu_us_of(pid);
	if (item_add_usage(b, &u))
		(*count)++;
}

void
usage_tell(struct house *h, uint32_t ask)
{
	char room[8192];
	struct buf b = BUF_ON(room);
	struct slot *control = house_find(h, CONTROL, 0);
	unsigned count = 0;
	struct err e;

	add(&b, &count, MASTER, 0, getpid());
	for (unsigned i = 0; i < h->slot_count; i++)
		if (h->slots[i].house != NULL)
			add(&b, &count, h->slots[i].proc, h->slots[i].index, h->slots[i].pid);
	struct msg m = {
		.no = MSG_usages,
		.usages = {.ask = ask,
	                   .reloads = h->reloads,
	                   .refused = h->reloads_refused,
	                   .usages = {count, buf_str(&b)}}
        };
	if (control != NULL && control->channel != NULL &&
	    channel_send(control->channel, &m, &e) != RC_OK)
		log_say(LOG_WARN, "usages", e.text);
}
