/*
 * The service manager's datagrams. See notify.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "master/notify.h"

#define AGAIN_MS 100 /* until what found no room is said again */

enum standing { STARTING, READY, RELOADING, STOPPING };

struct notify {
	int fd;
	enum standing standing;
	bool unsaid; /* <standing> or <status> has changed since it was last taken */
	uint64_t reloading_us;
	char status[160];
	struct event *again;
	struct event *watchdog;
	struct timeval beat; /* between two signs of life; 0: none are asked for */
};

static bool
send_text(const struct notify *n, struct str text)
{
	return send(n->fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
	       (errno != EAGAIN && errno != ENOBUFS && errno != EINTR); /* nobody is there */
}

/* All that is known now: after a gap the newest is told, not each step on the way to it. */
static void
say(struct notify *n)
{
	static const struct timeval wait = {.tv_usec = (suseconds_t)AGAIN_MS * 1000};
	char room[320];
	struct buf b = BUF_ON(room);

	if (n->standing == READY)
		buf_add(&b, STR("READY=1\n"));
	else if (n->standing == RELOADING)
		buf_addf(&b, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n", n->reloading_us);
	else if (n->standing == STOPPING)
		buf_add(&b, STR("STOPPING=1\n"));
	if (n->status[0] != '\0')
		buf_addf(&b, "STATUS=%s\n", n->status);
	n->unsaid = b.n > 0 && !send_text(n, buf_str(&b));
	if (n->unsaid)
		(void)evtimer_add(n->again,
		                  &wait); /* no memory is needed for one that exists */
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct notify *n = arg;

	(void)fd;
	(void)what;
	if (n->unsaid)
		say(n);
}

/* One that finds no room is followed by another before its time is up. */
static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct notify *n = arg;

	(void)fd;
	(void)what;
	(void)send_text(n, STR("WATCHDOG=1\n"));
}

/* An address begins with '/', or with '@' for a name that lies in no folder. */
static enum rc
connect_to(struct notify *n, const char *address, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct str name = str_of(address);

	if ((address[0] != '/' && address[0] != '@') || name.n < 2 ||
	    name.n >= sizeof(sa.sun_path))
		return err_set(e, RC_PERM,
		               "NOTIFY_SOCKET is %s: expected /PATH or @NAME of a UNIX socket",
		               address);
	for (size_t i = 0; i < name.n; i++)
		sa.sun_path[i] = name.p[i];
	if (address[0] == '@')
		sa.sun_path[0] = '\0';
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		return err_sys(e, "NOTIFY_SOCKET");
	/* an abstract name ends with its length, a path with its NUL */
	socklen_t octets = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n +
	                               (address[0] == '/'));
	if (connect(n->fd, (struct sockaddr *)&sa, octets) < 0)
		return err_sys(e, "NOTIFY_SOCKET %s", address);
	return RC_OK;
}

/* Half of what is asked for, as sd_watchdog_enabled(3) advises. */
static void
read_watchdog(struct notify *n)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *whom = getenv("WATCHDOG_PID");
	uint64_t us = 0;
	uint64_t pid = (uint64_t)getpid();

	if (usec == NULL || !str_u64(str_of(usec), UINT64_MAX / 2, &us) ||
	    (whom != NULL && !str_u64(str_of(whom), UINT32_MAX, &pid)) ||
	    pid != (uint64_t)getpid())
		return;
	n->beat = (struct timeval){(time_t)(us / 2 / 1000000), (suseconds_t)(us / 2 % 1000000)};
}

static enum rc
make_events(struct notify *n, struct event_base *base, struct err *e)
{
	n->again = evtimer_new(base, on_again, n);
	n->watchdog = event_new(base, -1, EV_PERSIST, on_beat, n);
	if (n->again == NULL || n->watchdog == NULL ||
	    ((n->beat.tv_sec != 0 || n->beat.tv_usec != 0) &&
	     event_add(n->watchdog, &n->beat) != 0))
		return err_set(e, RC_TEMP, "no memory for the service manager's timers");
	return RC_OK;
}

enum rc
notify_open(struct event_base *base, struct notify **ret, struct err *e)
{
	const char *address = getenv("NOTIFY_SOCKET");

	*ret = NULL;
	if (address == NULL || address[0] == '\0')
		return RC_OK;
	struct notify *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return err_sys(e, "NOTIFY_SOCKET");
	n->fd = -1;
	read_watchdog(n);
	if (connect_to(n, address, e) != RC_OK || make_events(n, base, e) != RC_OK) {
		(void)notify_close(n);
		return e->rc;
	}
	*ret = n;
	return RC_OK;
}

struct notify *
notify_close(struct notify *n)
{
	if (n == NULL)
		return NULL;
	if (n->again != NULL)
		event_free(n->again);
	if (n->watchdog != NULL)
		event_free(n->watchdog);
	fd_closep(&n->fd);
	free(n);
	return NULL;
}

static void
stand(struct notify *n, enum standing standing)
{
	if (n == NULL || n->standing == STOPPING)
		return;
	n->standing = standing;
	say(n);
}

void
notify_ready(struct notify *n)
{
	stand(n, READY);
}

void
notify_started(struct notify *n)
{
	if (n != NULL && n->standing == STARTING)
		stand(n, READY);
}

void
notify_reloading(struct notify *n)
{
	if (n != NULL)
		n->reloading_us = clock_mono_us();
	stand(n, RELOADING);
}

void
notify_stopping(struct notify *n)
{
	stand(n, STOPPING);
}

void
notify_status(struct notify *n, const char *fmt, ...)
{
	va_list ap;

	if (n == NULL)
		return;
	struct buf b = BUF_ON(n->status);
	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	say(n);
}

void
notify_extend(struct notify *n, uint64_t most_ms)
{
	char room[64];
	struct buf b = BUF_ON(room);

	if (n == NULL)
		return;
	buf_addf(&b, "EXTEND_TIMEOUT_USEC=%" PRIu64 "\n", most_ms * 1000);
	(void)send_text(n, buf_str(&b)); /* one that is lost costs time, not mail */
}
