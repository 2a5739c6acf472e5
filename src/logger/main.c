/*
 * logger: the log pipe's lines go to where the operator reads them (standard error of
 * `sekisho run`: a terminal, a file, the journal). It alone may wait for that reader; the
 * roles' end of the pipe never blocks them.
 *
 * Descriptors: 0 the pipe, 1 and 2 the operator's.
 */
#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/fd.h"
#include "base/log.h"
#include "role/role.h"

#define PIECE_OCTETS 65536U

static const struct walls walls = {.folder = FOLDER_EMPTY, .files = 16, .writes = true};

struct logger {
	struct event *readable;
};

/* A reader that is gone loses lines; waiting for it for ever would lose the server. */
static void
on_lines(evutil_socket_t fd, short what, void *arg)
{
	static char piece[PIECE_OCTETS];
	struct role *r = arg;
	struct err e;
	ssize_t n = read(fd, piece, sizeof(piece));

	(void)what;
	if (n > 0) {
		enum rc rc = fd_write_all(STDOUT_FILENO, (struct str){piece, (size_t)n}, &e);
		(void)rc; /* there is no log to say it in */
	} else if (n == 0) {
		role_quit(
			r,
			EX_OK); /* every writer is gone: master too, or it is our turn to go */
	} else if (errno != EINTR && errno != EAGAIN) {
		role_quit(r, EX_IOERR);
	}
}

static enum rc
logger_open(struct role *r, struct err *e)
{
	static struct logger self;

	r->self = &self;
	self.readable = event_new(r->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_lines, r);
	if (self.readable == NULL || event_add(self.readable, NULL) != 0)
		return err_set(e, RC_TEMP, "watch the log pipe");
	return RC_OK;
}

/* Draining is reading to the end: master closes its end of the pipe with its last breath. */
static void
logger_drain(struct role *r, uint64_t most_ms)
{
	(void)r;
	(void)most_ms;
}

static void
logger_close(struct role *r)
{
	struct logger *self = r->self;

	event_free(self->readable);
}

int
main(int argc, char **argv)
{
	static role_handler *const none[MSG_NO_MAX];
	static const struct role_def def = {
		.me = LOGGER,
		.walls = &walls,
		.open = logger_open,
		.drain = logger_drain,
		.close = logger_close,
		.handlers = none,
	};

	return role_main(&def, argc, argv);
}
