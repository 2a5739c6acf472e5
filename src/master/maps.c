/*
 * Watching files for vault. See maps.h.
 *
 * They are looked at twice a second, and sent when two looks in a row find the same change: who
 * empties a file before he writes it is given that time to write. Not inotify: it says nothing
 * of a file system somebody else writes to (NFS), of a folder made later, or of a bind mount
 * laid over the file; so it needs the look as well, and a look costs a microsecond.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/house.h"
#include "master/plan.h"

#define LOOK_US 500000U
#define YOUNG_US 2000000U /* what a clock tick and a slow file system may hide */
#define ABSENT_LOOKS 2U   /* some editors remove a file before they put the new one there */

/* ---- one file ---- */

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

static bool
is_young(const struct stat *st)
{
	uint64_t changed_us =
		(uint64_t)st->st_ctim.tv_sec * 1000000 + (uint64_t)st->st_ctim.tv_nsec / 1000;

	return changed_us + YOUNG_US > clock_wall_us();
}

static bool
tell(struct slot *vault, const struct msg *m)
{
	struct err e;

	if (channel_send(vault->channel, m, &e) == RC_OK)
		return true;
	log_say(LOG_WARN, "map", e.text); /* the next look tries again */
	return false;
}

/* A file that cannot be opened for a moment is not gone: vault goes on with what it has. */
static void
lose(struct slot *vault, struct watched *w, int why)
{
	bool removed = why == ENOENT || why == ENOTDIR;
	struct msg m = {
		.no = MSG_map_gone,
		.map_gone = {.kind = (uint8_t)w->kind,
	                     .number = (uint16_t)w->number,
	                     .removed = removed,
	                     .why = str_of(strerror(why))}
        };

	if (removed && ++w->absent < ABSENT_LOOKS && w->sent)
		return;
	if (w->told != why && tell(vault, &m)) {
		w->told = why;
		w->sent = false;
	}
}

static void
send_file(struct slot *vault, struct watched *w)
{
	CLEANUP(fd_closep)
	int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		lose(vault, w, errno);
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		lose(vault, w, EINVAL);
		return;
	}
	struct msg m = {
		.no = MSG_map,
		.map = {.kind = (uint8_t)w->kind, .number = (uint16_t)w->number, .file = fd}
        };
	if (!tell(vault, &m))
		return;
	w->was = st;
	w->sent = true;
	w->young = is_young(&st);
	w->told = 0;
}

/* Does it stay what it has become? */
static bool
is_settled(struct watched *w, const struct stat *st)
{
	bool settled = w->waits && is_same(st, &w->seen);

	w->seen = *st;
	w->waits = !settled;
	return settled;
}

/* <now>: vault knows nothing yet, and half a file is more than none. */
static void
look_at(struct slot *vault, struct watched *w, bool now)
{
	struct stat st;

	if (stat(w->path, &st) < 0) {
		lose(vault, w, errno);
		return;
	}
	w->absent = 0;
	/* what is no file is not opened: that may do something */
	if (!S_ISREG(st.st_mode))
		lose(vault, w, S_ISDIR(st.st_mode) ? EISDIR : EINVAL);
	else if (w->sent && is_same(&st, &w->was) ? w->young : now || is_settled(w, &st))
		send_file(vault, w);
}

/* ---- all of them ---- */

static void
add(struct maps_watch *m, enum cfg_map kind, unsigned number, const char *path)
{
	m->files[m->count++] = (struct watched){.kind = kind, .number = number, .path = path};
}

/* What vault's own configuration names: numbers are those of its lists. */
static void
by_plan(struct maps_watch *m, const struct plan *plan)
{
	const struct cfg *c = plan->cfg;

	if (m->plan == plan->number)
		return;
	m->plan = plan->number;
	m->count = 0;
	if (cfg_needs_users(c))
		add(m, MAP_PASSWD, 0, "/etc/passwd");
	for (unsigned i = 0; i < c->alias_files.count; i++)
		add(m, MAP_ALIASES, i, c->alias_files.paths[i].p);
	for (unsigned i = 0; i < c->virtual_files.count; i++)
		add(m, MAP_VIRTUAL, i, c->virtual_files.paths[i].p);
}

static void
look_at_all(struct slot *vault, bool now)
{
	struct maps_watch *m = &vault->house->maps;

	by_plan(m, vault->plan);
	for (unsigned i = 0; i < m->count; i++)
		look_at(vault, &m->files[i], now);
}

void
maps_send_all(struct slot *vault)
{
	vault->house->maps.plan = 0; /* nothing was sent to this one yet */
	look_at_all(vault, true);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct house *h = arg;
	struct slot *vault = house_find(h, VAULT, 0);

	(void)fd;
	(void)what;
	if (vault != NULL && vault->channel != NULL && !h->leaving)
		look_at_all(vault, false);
}

bool
maps_watch(struct house *h)
{
	static const struct timeval each = {.tv_usec = LOOK_US};

	h->maps.tick = event_new(h->base, -1, EV_PERSIST, on_tick, h);
	return h->maps.tick != NULL && event_add(h->maps.tick, &each) == 0;
}
