/*
 * `sendmail`, `mailq` and `newaliases`: for programs of this machine that send mail. It runs
 * with the rights of whoever calls it and holds none of its own: who that is, the server asks
 * the kernel. man/sekisho-sendmail.8.
 */
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

/* What <from> has, to <to>. False at its end, or where nobody takes it. */
static bool
pass(int from, int to)
{
	static char room[65536];
	ssize_t n = read(from, room, sizeof(room));
	struct err e;

	return n > 0 && fd_write_all(to, (struct str){room, (size_t)n}, &e) == RC_OK;
}

/* Nobody speaks before the greeting is there. */
static int
speak_smtp(void)
{
	CLEANUP(fd_closep) int fd = -1;
	struct err e;

	if (talk_connect(socket_path(), &fd, &e) != RC_OK) {
		(void)printf("421 4.3.2 the mail server does not answer, try later\r\n");
		return send_say(EX_TEMPFAIL, "%s", e.text);
	}
	if (!pass(fd, STDOUT_FILENO))
		return EX_TEMPFAIL;
	struct pollfd ends[] = {
		{.fd = fd,           .events = POLLIN},
                {.fd = STDIN_FILENO, .events = POLLIN}
        };
	for (;;) {
		if (poll(ends, LENGTH(ends), -1) < 0)
			continue; /* a signal that ends nothing */
		if (ends[0].revents != 0 && !pass(fd, STDOUT_FILENO))
			return EX_OK;
		if (ends[1].revents != 0 && !pass(STDIN_FILENO, fd)) {
			(void)shutdown(fd, SHUT_WR); /* it may be gone already */
			ends[1].fd = -1;
		}
	}
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
