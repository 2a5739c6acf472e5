/*
 * The commands' side of the operator's socket. See client.h; src/control/ is the other side.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "cfg/cfg.h"
#include "command/client.h"
#include "command/command.h"
#include "command/message_id.h"

#define LINE_OCTETS_MAX 65536
#define PATIENCE_S 60 /* control itself answers, or says why not, within 30 */

struct client {
	int fd;
	size_t taken; /* of <held>: lines already read */
	size_t n;
	json_t *end; /* of the last answer */
	char held[LINE_OCTETS_MAX];
};

static int
connect_failed(const char *path, struct err *e)
{
	int why = errno;
	bool absent = why == ENOENT || why == ECONNREFUSED;

	(void)err_set(e, RC_PERM, "sekisho is not running (%s: %s)", path,
	              strerrordesc_np(why));
	if (absent)
		return EX_UNAVAILABLE;
	(void)err_set(e, RC_PERM, "%s: %s", path, strerrordesc_np(why));
	return why == EACCES || why == EPERM ? EX_NOPERM : EX_OSERR;
}

int
client_open(const struct cfg *cfg, struct client **ret, struct err *e)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct buf path = BUF_ON(sa.sun_path);

	buf_add(&path, cfg->control_socket);
	if (path.cut) {
		(void)err_set(e, RC_PERM, "control_socket is too long");
		return EX_CONFIG;
	}
	CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return connect_failed(path.p, e);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	struct client *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		(void)err_sys(e, "connect to %s", path.p);
		return EX_OSERR;
	}
	c->fd = fd_take(&fd);
	*ret = c;
	return EX_OK;
}

struct client *
client_close(struct client *c)
{
	if (c == NULL)
		return NULL;
	fd_closep(&c->fd);
	json_decref(c->end);
	free(c);
	return NULL;
}

int
client_run(const struct call *call, client_work *work, uint64_t id)
{
	struct cfg *cfg = command_cfg(call, false);
	struct client *c = NULL;
	struct err e;

	if (cfg == NULL)
		return EX_CONFIG;
	int status = client_open(cfg, &c, &e);
	if (status == EX_OK)
		status = work(c, call, id, &e);
	(void)client_close(c);
	(void)cfg_free(cfg);
	return status == EX_OK ? EX_OK : command_fail(status, "%s", e.text);
}

int
client_run_id(const struct call *call, client_work *work)
{
	uint64_t id;

	if (!message_id_read(str_of(call->argv[0]), &id))
		return command_fail(EX_DATAERR, "%s: this is no message id", call->argv[0]);
	return client_run(call, work, id);
}

/* ---- lines ---- */

static int
lost(struct err *e, const char *why)
{
	(void)err_set(e, RC_TEMP, "the server does not answer: %s", why);
	return EX_TEMPFAIL;
}

/* More octets behind what is held. */
static int
receive(struct client *c, struct err *e)
{
	ssize_t n;

	if (c->n == sizeof(c->held)) {
		(void)err_set(e, RC_PERM, "the server's line is too long");
		return EX_PROTOCOL;
	}
	/* A reset is told once; what the server said before it is still there. */
	do
		n = recv(c->fd, c->held + c->n, sizeof(c->held) - c->n, 0);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return lost(e, n == 0 ? "it closed the connection" : strerrordesc_np(errno));
	c->n += (size_t)n;
	return EX_OK;
}

static int
next_line(struct client *c, struct str *ret, struct err *e)
{
	int status = EX_OK;

	memmove(c->held, c->held + c->taken, c->n - c->taken);
	c->n -= c->taken;
	c->taken = 0;
	while (memchr(c->held, '\n', c->n) == NULL && status == EX_OK)
		status = receive(c, e);
	if (status != EX_OK)
		return status;
	*ret = (struct str){c->held, str_find((struct str){c->held, c->n}, '\n')};
	c->taken = ret->n + 1;
	return EX_OK;
}

/* The next line as an object, the caller's. */
static int
next_object(struct client *c, json_t **ret, struct err *e)
{
	struct str line = STR_NONE;
	int status = next_line(c, &line, e);

	if (status != EX_OK)
		return status;
	*ret = json_loadb(line.p, line.n, 0, NULL);
	if (*ret != NULL)
		return EX_OK;
	(void)err_set(e, RC_PERM, "the server's answer is not JSON");
	return EX_PROTOCOL;
}

/* ---- questions ---- */

static int
send_request(struct client *c, json_t *request, struct err *e)
{
	char *text = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
	size_t n = text == NULL ? 0 : strlen(text);

	json_decref(request);
	if (text == NULL) {
		(void)err_set(e, RC_TEMP, "out of memory");
		return EX_OSERR;
	}
	text[n] = '\n'; /* in place of the NUL */
	/* where it has closed already, the reason is there to be read */
	ssize_t sent = send(c->fd, text, n + 1, MSG_NOSIGNAL);
	bool gone = sent < 0 && errno != EPIPE && errno != ECONNRESET;
	free(text);
	return gone ? lost(e, strerrordesc_np(errno)) : EX_OK;
}

/* The exit status that an error line asks for. */
static int
status_of(const json_t *o)
{
	uint64_t status = client_number(o, "exit");

	return status >= EX__BASE && status <= EX__MAX ? (int)status : EX_PROTOCOL;
}

enum line { LINE_ROW, LINE_END, LINE_ERROR };

static enum line
take_line(json_t *o, client_row *row, void *arg, bool *ret_more, struct err *e)
{
	json_t *got = json_object_get(o, "row");

	if (json_is_object(got)) {
		row(arg, got);
		return LINE_ROW;
	}
	*ret_more = json_is_true(json_object_get(o, "more"));
	if (json_is_true(json_object_get(o, "end")))
		return LINE_END;
	(void)err_set(e, RC_PERM, "%.*s", STR_FMT(client_text(o, "error")));
	return LINE_ERROR;
}

int
client_ask(struct client *c, json_t *request, client_row *row, void *arg, bool *ret_more,
           struct err *e)
{
	int status = send_request(c, request, e);
	enum line line = LINE_ROW;

	while (status == EX_OK && line == LINE_ROW) {
		json_t *o = NULL;

		status = next_object(c, &o, e);
		if (status == EX_OK)
			line = take_line(o, row, arg, ret_more, e);
		if (line == LINE_ERROR)
			status = status_of(o);
		if (status == EX_OK && line == LINE_END) {
			json_decref(c->end);
			c->end = json_incref(o);
		}
		json_decref(o);
	}
	return status;
}

const json_t *
client_end(const struct client *c)
{
	return c->end;
}

struct str
client_text(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	return (struct str){json_string_value(value), json_string_length(value)};
}

uint64_t
client_number(const json_t *row, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(row, key));

	return value < 0 ? 0 : (uint64_t)value;
}

void
client_print_json(void *unused, json_t *row)
{
	char *text = json_dumps(row, JSON_COMPACT | JSON_ENSURE_ASCII);

	(void)unused;
	for (const char *p = text; p != NULL && *p != '\0'; p++)
		(void)(*p == 0x7f ? fputs("\\u007f", stdout)
		                  : putchar(*p)); /* jansson leaves DEL */
	(void)putchar('\n'); /* the dispatcher looks at stdout's error at the end */
	free(text);
}
