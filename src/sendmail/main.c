/*
 * `sendmail`, `mailq` and `newaliases`: for programs of this machine that send mail. It runs
 * with the rights of whoever calls it and holds none of its own: who that is, the server asks
 * the kernel. man/sekisho-sendmail.8.
 */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/fd.h"
#include "proto/address_list.h"
#include "sendmail/send.h"
#include "sendmail/speak.h"

#define SOCKET "/run/sekisho/submit" /* CFG_LOCAL_SOCKET: no configuration is read here */
#define SOCKET_ENV "SEKISHO_SUBMIT"

static const char usage[] =
	"usage: sendmail [-ti] [-f sender] [-F name] [-N notify] [-R ret] [-V envid]\n"
	"                [-B body] [-v] [--] [recipient ...] < message\n"
	"       sendmail -bs | -bp | -bi | -q\n"
	"       mailq\n"
	"See sekisho-sendmail(8).\n";

static const char *
socket_path(void)
{
	const char *path = getenv(SOCKET_ENV); /* our caller's own rights go there */

	return path == NULL || path[0] == '\0' ? SOCKET : path;
}

/* ---- -bs ---- */

#define PIECE 16384U /* octets of either side's at a time */

/* Both directions, neither of which waits for the other. */
struct wire {
	struct speak speak;
	int fd;
	bool greeted;
	bool ended; /* our caller says no more */
	char in_room[PIECE];
	struct str in; /* read and not yet passed on */
	char out_room[PIECE * SPEAK_GROWTH_MAX + 1];
	struct buf out;
	size_t sent; /* octets of <out> */
};

/* False where the server is gone, or nobody takes what it says. */
static bool
pass_back(struct wire *w)
{
	char room[PIECE];
	ssize_t n = read(w->fd, room, sizeof(room));
	struct str got = {room, n > 0 ? (size_t)n : 0};
	struct err e;

	speak_hear(&w->speak, got);
	w->greeted |= n > 0;
	return n > 0 && fd_write_all(STDOUT_FILENO, got, &e) == RC_OK;
}

static void
read_more(struct wire *w)
{
	ssize_t n = read(STDIN_FILENO, w->in_room, sizeof(w->in_room));

	w->in = (struct str){w->in_room, n > 0 ? (size_t)n : 0};
	w->ended = n <= 0;
}

/* What may go, goes: as much as the server has room for. What it cannot take any more is lost
 * with it; its last words are still read. */
static void
pass_on(struct wire *w)
{
	if (w->sent == w->out.n) {
		w->sent = 0;
		buf_clear(&w->out);
		speak_say(&w->speak, &w->in, &w->out);
	}
	ssize_t n = send(w->fd, w->out.p + w->sent, w->out.n - w->sent,
	                 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		w->sent += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		w->sent = w->out.n;
}

static bool
has_to_send(const struct wire *w)
{
	return w->sent < w->out.n || (w->in.n > 0 && !speak_waits(&w->speak));
}

/* One turn; false once the server has closed. */
static bool
turn(struct wire *w)
{
	bool sends = has_to_send(w);
	bool reads = !w->ended && w->in.n == 0 && !sends;
	struct pollfd ends[] = {
		{.fd = w->fd,                     .events = sends ? POLLIN | POLLOUT : POLLIN},
		{.fd = reads ? STDIN_FILENO : -1, .events = POLLIN                           }
        };

	if (poll(ends, LENGTH(ends), -1) < 0)
		return true; /* a signal that ends nothing */
	if ((ends[0].revents & POLLOUT) != 0)
		pass_on(w);
	if (ends[1].revents != 0)
		read_more(w);
	if (w->ended && !has_to_send(w) && w->in.n == 0)
		(void)shutdown(w->fd, SHUT_WR); /* it may be gone already */
	return (ends[0].revents & ~POLLOUT) == 0 || pass_back(w);
}

static int
speak_smtp(void)
{
	static struct wire w;
	struct err e;

	if (talk_connect(socket_path(), &w.fd, &e) != RC_OK) {
		(void)printf("421 4.3.2 the mail server does not answer, try later\r\n");
		return send_say(EX_TEMPFAIL, "%s", e.text);
	}
	speak_start(&w.speak);
	w.out = BUF_ON(w.out_room);
	while (turn(&w))
		continue;
	fd_closep(&w.fd);
	return w.greeted ? EX_OK : EX_TEMPFAIL;
}

/* ---- the operator's command does it ---- */

/* Beside us, in the build folder as in sbin; or seen from libexec/sekisho. */
static int
become_sekisho(const char *const *words)
{
	static const char *const tails[] = {"/sekisho", "/../../sbin/sekisho"};
	char self[2048];
	char path[sizeof(self) + 32];
	char *argv[6] = {path};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	struct str dir = {self, n > 0 && (size_t)n < sizeof(self) ? (size_t)n : 0};

	dir = str_slice(dir, 0, str_rfind(dir, '/'));
	for (size_t i = 0; words[i] != NULL && i + 2 < LENGTH(argv); i++)
		argv[i + 1] = strdup(words[i]);
	for (size_t i = 0; i < LENGTH(tails); i++) {
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%.*s%s", STR_FMT(dir), tails[i]);
		(void)execv(path, argv); /* comes back where it is not there */
	}
	return send_say(EX_UNAVAILABLE, "there is no sekisho beside %.*s nor in ../../sbin",
	                STR_FMT(dir));
}

/* ---- a message ---- */

/* The calling user, as passwd names him. */
struct caller {
	char name[100];
	char full_name[200];
};

/* gecos up to the first comma, `&` standing for the name, passwd(5). */
static void
take_gecos(struct caller *c, const char *gecos)
{
	struct buf b = BUF_ON(c->full_name);
	struct str rest = str_of(gecos);
	struct str part = STR_NONE;

	(void)str_cut(&rest, ',', &part);
	for (size_t i = 0; i < part.n; i++)
		if (part.p[i] == '&')
			buf_add(&b, str_of(c->name));
		else
			buf_addc(&b, part.p[i]);
}

static bool
know_caller(struct caller *c)
{
	const struct passwd *pw = getpwuid(getuid());
	struct buf b = BUF_ON(c->name);

	*c = (struct caller){.name = ""};
	if (pw == NULL)
		return false;
	buf_add(&b, str_of(pw->pw_name));
	take_gecos(c, pw->pw_gecos);
	return !b.cut && b.n > 0;
}

/* -f: one address; *ret lives as long as <item>. */
static bool
read_sender(const struct args *a, struct address_list_item *item, struct str *ret)
{
	struct address_list l = {.in = a->sender};
	struct address_list_item second;

	*ret = STR_NONE;
	if (a->sender.n == 0 || str_eq(a->sender, STR("<>")))
		return true;
	if (address_list_next(&l, item) != ADDRESS_LIST_ONE ||
	    address_list_next(&l, &second) != ADDRESS_LIST_END)
		return false;
	*ret = str_of(item->text);
	return true;
}

static int
connect_and_send(struct letter *l)
{
	static struct talk t;
	struct err e;

	if (talk_open(&t, socket_path(), l->args->verbose, &e) != RC_OK)
		return send_say(EX_TEMPFAIL, "%s", e.text);
	int status = send_letter(&t, l);
	talk_close(&t);
	return status;
}

static int
send_input(struct letter *l, const struct args *a, struct rcpts *rcpts)
{
	struct head head;
	struct err e;

	for (int i = 0; i < a->rcpt_count; i++)
		if (rcpts_add(rcpts, str_of(a->rcpts[i]), &e) != RC_OK)
			return send_say(EX_DATAERR, "%s", e.text);
	if (input_read(l->input, STDIN_FILENO, !a->dot_is_text, &e) != RC_OK)
		return send_say(e.rc == RC_PERM ? EX_DATAERR : EX_TEMPFAIL, "%s", e.text);
	if (head_read(buf_str(&l->input->head), a->extract ? rcpts : NULL, &head, &e) != RC_OK)
		return send_say(EX_DATAERR, "%s", e.text);
	if (rcpts->count == 0)
		return send_say(EX_DATAERR, "the header names no recipient");
	l->head = &head;
	l->rcpts = rcpts;
	return connect_and_send(l);
}

static int
send_message(const struct args *a)
{
	struct caller caller;
	struct address_list_item item;
	struct input input = {.body = 0};
	struct rcpts rcpts = {.names = NULL};
	struct letter l = {.args = a, .input = &input};

	if (!know_caller(&caller))
		return send_say(EX_NOPERM, "uid %u is no user of this machine",
		                (unsigned)getuid());
	l.sender = str_of(caller.name);
	l.full_name = a->full_name.n > 0 ? a->full_name : str_of(caller.full_name);
	if (a->has_sender && !read_sender(a, &item, &l.sender))
		return send_say(EX_DATAERR, "-f: this cannot be read as an address: %.*s",
		                STR_FMT(str_slice(a->sender, 0, 200)));
	int status = send_input(&l, a, &rcpts);
	input_free(&input);
	rcpts_free(&rcpts);
	return status;
}

int
main(int argc, char **argv)
{
	static const char *const list[] = {"queue", "list", "--mailq", NULL};
	static const char *const flush[] = {"queue", "flush", NULL};
	struct args a;
	struct err e;

	if (args_parse(argc, argv, &a, &e) != RC_OK)
		return send_say(EX_USAGE, "%s", e.text);
	switch (a.mode) {
	case MODE_SEND:
		return send_message(&a);
	case MODE_SMTP:
		return speak_smtp();
	case MODE_LIST:
		return become_sekisho(list);
	case MODE_FLUSH:
		return become_sekisho(flush);
	case MODE_ALIASES:
		(void)puts("alias files are picked up when they change: nothing to do");
		return EX_OK;
	case MODE_HELP:
		(void)fputs(usage, stdout);
		return EX_OK;
	}
	return EX_SOFTWARE;
}
