/*
 * The life of master. See master.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "master/house.h"
#include "master/levels.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/reload.h"
#include "role/folders.h"

#define LARGE_OCTETS (1 << 20) /* a block that goes back to the system when it is freed */

struct watch {
	struct event *term;
	struct event *intr;
	struct event *hup;
	struct event *child;
};

static void
on_leave(evutil_socket_t signal_number, short what, void *arg)
{
	struct house *h = arg;

	(void)what;
	log_put(LOG_INFO, "signal", KVS(kv_num("number", (uint64_t)signal_number)));
	house_leave(h, EX_OK);
	log_flush();
}

static void
on_hup(evutil_socket_t signal_number, short what, void *arg)
{
	struct house *h = arg;

	(void)what;
	log_put(LOG_INFO, "signal", KVS(kv_num("number", (uint64_t)signal_number)));
	reload_want(h->reload, 0);
	log_flush();
}

static void
on_child(evutil_socket_t signal_number, short what, void *arg)
{
	struct house *h = arg;
	int status;

	(void)signal_number;
	(void)what;
	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
	     pid = waitpid(-1, &status, WNOHANG))
		house_ended(h, pid, status);
	log_flush();
}

static bool
watch_signals(struct watch *w, struct house *h)
{
	w->term = evsignal_new(h->base, SIGTERM, on_leave, h);
	w->intr = evsignal_new(h->base, SIGINT, on_leave, h);
	w->hup = evsignal_new(h->base, SIGHUP, on_hup, h);
	w->child = evsignal_new(h->base, SIGCHLD, on_child, h);
	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail */
	return w->term != NULL && w->intr != NULL && w->hup != NULL && w->child != NULL &&
	       evsignal_add(w->term, NULL) == 0 && evsignal_add(w->intr, NULL) == 0 &&
	       evsignal_add(w->hup, NULL) == 0 && evsignal_add(w->child, NULL) == 0;
}

/* Two servers on one data_dir would fight over the spool. The lock dies with us. */
static enum rc
lock_data(const struct cfg *c, int *ret_fd, struct err *e)
{
	char room[4096];
	struct buf path = BUF_ON(room);

	buf_addf(&path, "%.*s/lock", STR_FMT(c->data_dir));
	CLEANUP(fd_closep)
	int fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "open %s", path.p);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, RC_TEMP, "another sekisho runs in %.*s",
		               STR_FMT(c->data_dir));
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

/* The roles lower it to what each needs; they cannot raise it. */
static void
raise_descriptors(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0)
		return;
	now.rlim_cur = now.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE,
	                &now); /* fewer connections then: edge says when it runs out */
}

static enum rc
prepare(struct house *h, const char *path, int *ret_lock, struct err *e)
{
	raise_descriptors();
	if (folders_make(h->plan->cfg, e) != RC_OK ||
	    lock_data(h->plan->cfg, ret_lock, e) != RC_OK)
		return e->rc;
	if (listen_all(h->plan->cfg, &h->listeners, e) != RC_OK ||
	    listen_control(h->plan->cfg, &h->control, e) != RC_OK)
		return e->rc;
	if (nursery_make(&h->nursery, e) != RC_OK)
		return e->rc;
	h->base = event_base_new();
	if (h->base == NULL || (h->reload = reload_new(h, path)) == NULL)
		return err_set(e, RC_TEMP, "make the event loop");
	levels_reset(h);
	return RC_OK;
}

/* Whoever cannot be told serves nobody less. */
static void
meet_manager(struct house *h)
{
	struct err e;

	if (notify_open(h->base, &h->notify, &e) != RC_OK)
		log_say(LOG_WARN, "notify", e.text);
}

static void
live(struct house *h)
{
	struct watch w;
	struct err e;

	meet_manager(h);
	if (!watch_signals(&w, h) || !maps_watch(h)) {
		log_say(LOG_ERROR, "start", "cannot watch signals and files");
		h->status = EX_OSERR;
		return;
	}
	if (house_plan(h, &e) != RC_OK || house_start_all(h, &e) != RC_OK) {
		log_say(LOG_ERROR, "start", e.text);
		house_leave(h, EX_OSERR);
	}
	log_flush();
	/* one turn at a time, so that each turn's lines leave with it */
	while (!event_base_got_break(h->base) && event_base_loop(h->base, EVLOOP_ONCE) == 0)
		log_flush();
	listen_remove(h->plan->cfg);
	h->notify = notify_close(h->notify);
}

int
master_run(struct cfg *c, const char *path)
{
	static struct house house;
	struct err e = {.rc = RC_OK};
	int lock = -1;

	/* what a reload reads a configuration with is given back: without this the first free
	 * of such a block moves the threshold above it, for good */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_OCTETS); /* if not, it is a larger heap */
	house = (struct house){.control = -1, .since_us = clock_wall_us()};
	if (plan_new(c, 1, &house.plan, &e) != RC_OK ||
	    prepare(&house, path, &lock, &e) != RC_OK) {
		(void)fprintf(stderr, "sekisho: %s\n", e.text);
		return e.sys == EACCES || e.sys == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
	}
	log_open(house.nursery.log_write, "master", (enum log_level)house.plan->cfg->log_level);
	live(&house);
	fd_closep(&lock);
	house.reload = reload_free(house.reload);
	house.plan = plan_drop(house.plan);
	return house.status;
}
