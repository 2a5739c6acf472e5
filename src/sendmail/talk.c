/*
 * SMTP over the local socket. See talk.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "sendmail/talk.h"

#define PATIENCE_S 600 /* for each reply: RFC 5321 §4.5.3.2.6 */
#define TRIES 25       /* to reach the server */
#define BETWEEN_TRIES_MS 200

/* ---- the socket ---- */

static enum rc
connect_once(const char *path, int *ret_fd, struct err *e)
{
	static const struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct buf b = BUF_ON(sa.sun_path);
	CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	buf_add(&b, str_of(path));
	if (b.cut)
		return err_set(e, RC_PERM, "the server's socket has too long a name");
	if (fd < 0)
		return err_sys(e, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return err_sys(e, "set timeouts");
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		(void)err_sys(e, "%s", path);
		e->rc = RC_TEMP; /* whatever it is, the mail is not refused for good */
		return err_in(e, "the mail server does not answer");
	}
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

static void
take_breath(void)
{
	static const struct timespec between = {.tv_nsec = BETWEEN_TRIES_MS * 1000000L};

	(void)nanosleep(&between, NULL); /* a shorter wait is as good */
}

enum rc
talk_connect(const char *path, int *ret_fd, struct err *e)
{
	for (unsigned n = 1; connect_once(path, ret_fd, e) != RC_OK; n++) {
		if (n == TRIES || (e->sys != ECONNREFUSED && e->sys != ENOENT))
			return e->rc;
		take_breath();
	}
	return RC_OK;
}

/* ---- octets ---- */

static enum rc
flush(struct talk *t, struct err *e)
{
	size_t at = 0;

	while (at < t->out_n) {
		ssize_t n = send(t->fd, t->out + at, t->out_n - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			break; /* its last words may still be there to be read */
		if (n < 0)
			return err_set(e, RC_TEMP, "the server takes nothing more");
		at += (size_t)n;
	}
	t->out_n = 0;
	return RC_OK;
}

enum rc
talk_say(struct talk *t, struct str octets, struct err *e)
{
	while (octets.n > 0) {
		size_t room = sizeof(t->out) - t->out_n;
		size_t n = octets.n < room ? octets.n : room;

		memcpy(t->out + t->out_n, octets.p, n);
		t->out_n += n;
		octets = str_slice(octets, n, octets.n);
		if (t->out_n == sizeof(t->out) && flush(t, e) != RC_OK)
			return e->rc;
	}
	return RC_OK;
}

static enum rc
more(struct talk *t, struct err *e)
{
	memmove(t->in, t->in + t->in_at, t->in_n - t->in_at);
	t->in_n -= t->in_at;
	t->in_at = 0;
	ssize_t n = recv(t->fd, t->in + t->in_n, sizeof(t->in) - t->in_n, 0);
	if (n < 0 && errno == EINTR)
		return RC_OK;
	if (n <= 0)
		return err_set(e, RC_TEMP, "the server is gone before it answered");
	t->in_n += (size_t)n;
	return RC_OK;
}

/* "250-XORIGIN example.org" */
static void
find_origin(struct talk *t, struct str lines)
{
	struct str line;

	while (str_cut(&lines, '\n', &line)) {
		struct buf b = BUF_ON(t->origin);

		if (!str_istarts(line, STR("250-XORIGIN ")))
			continue;
		buf_add(&b, str_trim(str_slice(line, STR("250-XORIGIN ").n, line.n - 1)));
		return;
	}
}

static enum rc
read_reply(struct talk *t, struct smtp_reply *ret, bool ehlo, struct err *e)
{
	smtp_reply_init(ret);
	for (;;) {
		struct str in = {t->in + t->in_at, t->in_n - t->in_at};
		struct str was = in;
		enum rc rc = smtp_reply_take(ret, &in, e);

		if (ehlo)
			find_origin(t, str_slice(was, 0, was.n - in.n));
		t->in_at += was.n - in.n;
		if (rc == RC_OK)
			return RC_OK;
		if (rc != RC_AGAIN)
			return err_set(e, RC_TEMP, "the server does not speak SMTP");
		if (more(t, e) != RC_OK)
			return e->rc;
	}
}

static void
show(const struct talk *t, const struct smtp_reply *r)
{
	char room[512];
	struct buf b = BUF_ON(room);

	if (!t->verbose)
		return;
	smtp_reply_print(&b, r);
	(void)fprintf(stderr, "%s\n", b.p); /* it is only told */
}

static enum rc
ask(struct talk *t, struct smtp_reply *ret, bool ehlo, struct err *e)
{
	if (flush(t, e) != RC_OK || read_reply(t, ret, ehlo, e) != RC_OK)
		return e->rc;
	show(t, ret);
	return RC_OK;
}

enum rc
talk_reply(struct talk *t, struct smtp_reply *ret, struct err *e)
{
	return ask(t, ret, false, e);
}

/* ---- hello ---- */

static enum rc
greet(struct talk *t, struct err *e)
{
	struct smtp_reply r;

	if (ask(t, &r, false, e) != RC_OK)
		return e->rc;
	if (r.code != 220)
		return err_set(e, RC_TEMP, "the server says: %u %s", r.code, r.text);
	if (talk_say(t, STR("EHLO localhost\r\n"), e) != RC_OK || ask(t, &r, true, e) != RC_OK)
		return e->rc;
	if (r.code != 250 || t->origin[0] == '\0')
		return err_set(e, RC_TEMP, "this is not a server for local mail: %u %s", r.code,
		               r.text);
	return RC_OK;
}

enum rc
talk_open(struct talk *t, const char *path, bool verbose, struct err *e)
{
	for (unsigned n = 1;; n++) {
		t->verbose = verbose;
		t->out_n = t->in_n = t->in_at = 0;
		t->origin[0] = '\0';
		if (talk_connect(path, &t->fd, e) != RC_OK)
			return e->rc;
		if (greet(t, e) == RC_OK)
			return RC_OK;
		talk_close(t);
		if (n == TRIES)
			return e->rc;
		take_breath(); /* too many of us at once, or it is being restarted */
	}
}

void
talk_close(struct talk *t)
{
	struct err ignored;

	if (t->fd < 0)
		return;
	if (talk_say(t, STR("QUIT\r\n"), &ignored) == RC_OK)
		(void)flush(t, &ignored); /* all that matters has been answered */
	fd_closep(&t->fd);
}
