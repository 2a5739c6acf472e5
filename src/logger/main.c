/*
 * logger: the log pipe's lines go to where the operator reads them: standard error of
 * `sekisho run` (a terminal, a file, the journal) or the machine's syslogd. It alone may wait
 * for that reader; the roles' end of the pipe never blocks them, and what it has no room for
 * is dropped and counted (base/log.h).
 *
 * Descriptors: 0 the pipe, 1 and 2 the operator's. A syslogd that ends takes its socket with
 * it: master connects a new one, and until then lines wait in the pipe. Where none comes for
 * WAIT_MS, they go to standard error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "logger/line.h"
#include "role/role.h"

#define PIECE_OCTETS 65536U
#define WAIT_MS 3000 /* for a syslogd */
#define ASK_MS 200   /* between two questions for it */

static const struct walls walls = {
	.folder = FOLDER_EMPTY,
	.files = 16,
	.writes = true,
	.calls = (const char *const[]){"sendto", NULL},
};

struct logger {
	struct event *readable;
	struct event *again; /* while there is no syslogd and one is wanted */
	bool journal;        /* standard error is the journal */
	pid_t master;        /* whose pid stands in syslog's lines */
	int syslogd;         /* -1: none */
	uint64_t missed_ms;  /* since when; 0: it is not missed */
	char lines[PIECE_OCTETS];
	size_t n; /* octets in <lines>: the last line may not be whole */
	char out_room[PIECE_OCTETS + LOG_LINE_MAX];
	struct buf out; /* for standard error */
	uint64_t lost;  /* lines that standard error did not take and that it was not told of */
};

static struct logger self;

static uint64_t
count_lines(struct str s)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < s.n; i++)
		lines += s.p[i] == '\n';
	return lines;
}

/* Once there is room again; on a line of its own, whatever the failure left of another. */
static enum rc
tell_lost(struct logger *l, struct err *e)
{
	char room[160];
	struct buf b = BUF_ON(room);

	if (l->lost == 0)
		return RC_OK;
	buf_add(&b, l->journal ? STR("\n<4>") : STR("\n"));
	buf_add(&b, STR("level=warn role=logger time="));
	date_add_rfc3339(&b, clock_wall_us());
	buf_addf(&b, " event=log_lost lines=%llu\n", (unsigned long long)l->lost);
	if (fd_write_all(STDOUT_FILENO, buf_str(&b), e) == RC_OK)
		l->lost = 0;
	return e->rc;
}

/* A reader that is gone or a full disk loses lines; waiting for it would lose the server. */
static void
flush_stderr(struct logger *l)
{
	struct err e = {.rc = RC_OK};

	if (l->out.n == 0)
		return;
	if (tell_lost(l, &e) != RC_OK ||
	    fd_write_all(STDOUT_FILENO, buf_str(&l->out), &e) != RC_OK)
		l->lost += count_lines(buf_str(&l->out));
	buf_clear(&l->out);
}

static void
put_stderr(struct logger *l, struct str line)
{
	if (l->out.n + line.n + 16 > l->out.cap)
		flush_stderr(l);
	if (l->journal)
		line_add_level(&l->out, line);
	buf_add(&l->out, line);
	buf_addc(&l->out, '\n');
}

/* False where the syslogd is gone. One that does not read is waited for. */
static bool
put_syslog(struct logger *l, struct str line)
{
	char room[LOG_LINE_MAX + 64];
	struct buf b = BUF_ON(room);
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm at = {0};
	ssize_t sent;

	if (l->syslogd < 0)
		return false;
	(void)localtime_r(&now, &at); /* fails only for years beyond an int */
	line_add_syslog(&b, str_slice(line, 0, LOG_LINE_MAX - 1), l->master, &at);
	do
		sent = send(l->syslogd, b.p, b.n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0 || errno == ENOBUFS || errno == EMSGSIZE)
		return true;
	fd_closep(&l->syslogd);
	l->syslogd = -1;
	return false;
}

static void
ask_again(struct logger *l)
{
	static const struct timeval wait = {.tv_usec = (suseconds_t)ASK_MS * 1000};

	if (evtimer_pending(l->again, NULL) == 0)
		(void)evtimer_add(l->again,
		                  &wait); /* no memory is needed for one that exists */
}

/* False where the line is to wait. */
static bool
put_line(struct role *r, struct str line)
{
	struct logger *l = r->self;

	if (r->cfg->log_to == LOG_TO_STDERR) {
		put_stderr(l, line);
		return true;
	}
	if (put_syslog(l, line)) {
		l->missed_ms = 0;
		return true;
	}
	if (l->missed_ms == 0)
		l->missed_ms = clock_mono_ms();
	ask_again(l);
	if (clock_mono_ms() - l->missed_ms < WAIT_MS && !r->draining)
		return false;
	put_stderr(l, line);
	return true;
}

/* All whole lines; a line that fills the room counts as one. False where one has to wait. */
static bool
put_lines(struct role *r)
{
	struct logger *l = r->self;
	struct str rest = {l->lines, l->n};
	bool went = true;

	while (went && rest.n > 0) {
		size_t end = str_find(rest, '\n');

		if (end == rest.n && l->n < sizeof(l->lines))
			break;
		went = put_line(r, str_slice(rest, 0, end));
		if (went)
			rest = str_slice(rest, end < rest.n ? end + 1 : end, SIZE_MAX);
	}
	memmove(l->lines, rest.p, rest.n);
	l->n = rest.n;
	flush_stderr(l);
	return went;
}

static void
go_on(struct role *r)
{
	struct logger *l = r->self;

	if (put_lines(r))
		(void)event_add(l->readable,
		                NULL); /* no memory is needed: it was added before */
	else
		(void)event_del(l->readable); /* the pipe holds the next ones */
}

static void
on_lines(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	struct logger *l = r->self;
	ssize_t n = read(fd, l->lines + l->n, sizeof(l->lines) - l->n);

	(void)what;
	if (n > 0) {
		l->n += (size_t)n;
		go_on(r);
	} else if (n == 0) {
		/* every writer is gone: master too, or it is our turn to go */
		role_quit(r, EX_OK);
	} else if (errno != EINTR && errno != EAGAIN) {
		role_quit(r, EX_IOERR);
	}
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct role *r = arg;
	struct logger *l = r->self;
	struct msg m = {.no = MSG_syslog_ask};
	struct err e;

	(void)fd;
	(void)what;
	if (l->syslogd >= 0 || r->cfg->log_to != LOG_TO_SYSLOG)
		return;
	if (role_tell_master(r, &m, &e) != RC_OK)
		log_say(LOG_WARN, "syslog", e.text);
	ask_again(l);
	go_on(r); /* it may have waited for long enough */
}

static void
on_syslogd(struct role *r, struct channel *from, const struct msg *m)
{
	struct logger *l = r->self;

	(void)from;
	fd_closep(&l->syslogd);
	l->syslogd = m->syslog_socket.socket;
	go_on(r);
}

static enum rc
logger_open(struct role *r, struct err *e)
{
	struct logger *l = &self;

	r->self = l;
	l->readable = event_new(r->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_lines, r);
	l->again = evtimer_new(r->base, on_again, r);
	if (l->readable == NULL || l->again == NULL || event_add(l->readable, NULL) != 0)
		return err_set(e, RC_TEMP, "watch the log pipe");
	return RC_OK;
}

/* Draining is reading to the end: master closes its end of the pipe with its last breath. */
static void
logger_drain(struct role *r, uint64_t most_ms)
{
	(void)most_ms;
	go_on(r); /* nothing waits for a syslogd any more */
}

static void
logger_close(struct role *r)
{
	struct logger *l = r->self;

	(void)put_lines(r);
	event_free(l->readable);
	event_free(l->again);
	fd_closep(&l->syslogd);
}

/* Its other end says so: `/run/systemd/journal/stdout`, or that of another of its instances. */
static bool
is_journal(int fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNSPEC};
	socklen_t n = sizeof(sa);
	struct str path;

	if (getpeername(fd, (struct sockaddr *)&sa, &n) < 0 || sa.sun_family != AF_UNIX)
		return false;
	path = (struct str){sa.sun_path, strnlen(sa.sun_path, sizeof(sa.sun_path))};
	return str_starts(path, STR("/run/systemd/journal")) && path.n > 7 &&
	       str_eq(str_slice(path, path.n - 7, path.n), STR("/stdout"));
}

int
main(int argc, char **argv)
{
	static role_handler *const handlers[MSG_NO_MAX] = {[MSG_syslog_socket] = on_syslogd};
	static const struct role_def def = {
		.me = LOGGER,
		.walls = &walls,
		.open = logger_open,
		.drain = logger_drain,
		.close = logger_close,
		.handlers = handlers,
	};

	self = (struct logger){.syslogd = -1, .master = getppid()};
	self.journal = is_journal(STDOUT_FILENO);
	self.out = BUF_ON(self.out_room);
	tzset(); /* before the walls: behind them the zone's file is not there */
	return role_main(&def, argc, argv);
}
