/*
 * Listening sockets. See listen.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "master/listen.h"
#include "role/ids.h"

#define BACKLOG 4096 /* the system's own most is lower where net.core.somaxconn is */

static enum rc
set_on(int fd, int level, int name, const char *what, struct err *e)
{
	int on = 1;

	if (setsockopt(fd, level, name, &on, sizeof(on)) < 0)
		return err_sys(e, "set %s", what);
	return RC_OK;
}

static socklen_t
address_of(const struct cfg_listen *l, bool v6, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (v6) {
		struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(l->port)};

		memcpy(&in.sin6_addr, l->addr6.octets, 16);
		memcpy(ret, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(l->port)};

	memcpy(&in.sin_addr, l->addr4.octets + 12, 4);
	memcpy(ret, &in, sizeof(in));
	return sizeof(in);
}

static enum rc
listen_one(const struct cfg_listen *l, bool v6, int *ret_fd, struct err *e)
{
	struct sockaddr_storage sa;
	socklen_t n = address_of(l, v6, &sa);
	CLEANUP(fd_closep)
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "listen \"%.*s\": socket", STR_FMT(l->name));
	/* each family its own socket: a mapped address never needs a second look */
	if (set_on(fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", e) != RC_OK ||
	    (v6 && set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY", e) != RC_OK))
		return e->rc;
	if (bind(fd, (struct sockaddr *)&sa, n) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, "listen \"%.*s\" on %.*s", STR_FMT(l->name),
		               STR_FMT(l->address));
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

static enum rc listen_unix(const struct cfg_listen *l, int *ret_fd, struct err *e);

/* For IPv4 and IPv6 by turns; the first of these turns is UNIX's too. */
static bool
has_socket(const struct cfg_listen *l, bool v6)
{
	return v6 ? l->v6 : l->v4 || l->path.n > 0;
}

/* The socket that listens there already, or -1. A UNIX socket is its path's, whatever its mode.
 */
static int
find_same(const struct cfg_listen *l, bool v6, const struct cfg *was,
          const struct listeners *old)
{
	for (unsigned i = 0; was != NULL && i < old->count; i++) {
		if (old->all[i].number == LISTENER_METRICS)
			continue;
		const struct cfg_listen *o = &was->listens[old->all[i].number / 2];

		if (old->all[i].number % 2 != (v6 ? 1 : 0) || !str_eq(o->path, l->path) ||
		    o->port != l->port)
			continue;
		if (l->path.n > 0 ||
		    netaddr_eq(v6 ? &o->addr6 : &o->addr4, v6 ? &l->addr6 : &l->addr4))
			return old->all[i].fd;
	}
	return -1;
}

static void
add(struct listeners *ret, unsigned number, int fd, struct str path)
{
	struct listener *one = &ret->all[ret->count++];

	*one = (struct listener){.number = number, .fd = fd};
	struct buf b = BUF_ON(one->path);
	buf_add(&b, path); /* CFG_PATH_MAX octets */
}

static enum rc
listen_section(const struct cfg *c, unsigned i, const struct cfg *was,
               const struct listeners *old, struct listeners *ret, struct err *e)
{
	const struct cfg_listen *l = &c->listens[i];

	for (int v6 = 0; v6 < 2 && ret->count < LISTEN_MAX - 1; v6++) {
		if (!has_socket(l, v6))
			continue;
		int fd = find_same(l, v6, was, old);
		if (fd >= 0 || (l->path.n > 0 ? listen_unix(l, &fd, e)
		                              : listen_one(l, v6, &fd, e)) == RC_OK)
			add(ret, LISTENER_NUMBER(i, v6), fd, l->path);
		else if (!l->v4 || !l->v6 ||
		         (e->sys != EAFNOSUPPORT && e->sys != EADDRNOTAVAIL))
			return e->rc; /* else: `*` on a machine with one family */
	}
	return RC_OK;
}

/* One more, for control: bound anew only where its address is another one. */
static enum rc
listen_metrics(const struct cfg *c, const struct cfg *was, const struct listeners *old,
               struct listeners *ret, struct err *e)
{
	struct cfg_listen l = {.name = STR("metrics"), .address = c->metrics};

	if (!cfg_metrics(c->metrics, &l.addr4, &l.port))
		return RC_OK; /* it is off */
	int fd = -1;
	for (unsigned i = 0; was != NULL && i < old->count; i++)
		if (old->all[i].number == LISTENER_METRICS && str_eq(was->metrics, c->metrics))
			fd = old->all[i].fd;
	l.addr6 = l.addr4;
	if (fd < 0 && listen_one(&l, !netaddr_is_v4(&l.addr4), &fd, e) != RC_OK)
		return e->rc;
	add(ret, LISTENER_METRICS, fd, STR_NONE);
	return RC_OK;
}

enum rc
listen_next(const struct cfg *c, const struct cfg *was, const struct listeners *old,
            struct listeners *ret, struct err *e)
{
	ret->count = 0;
	for (unsigned i = 0; i < c->listen_count; i++)
		if (listen_section(c, i, was, old, ret, e) != RC_OK) {
			listen_close(ret, old);
			return e->rc;
		}
	if (listen_metrics(c, was, old, ret, e) != RC_OK) {
		listen_close(ret, old);
		return e->rc;
	}
	return RC_OK;
}

enum rc
listen_all(const struct cfg *c, struct listeners *ret, struct err *e)
{
	static const struct listeners none;

	return listen_next(c, NULL, &none, ret, e);
}

void
listen_close(struct listeners *l, const struct listeners *keep)
{
	for (unsigned i = 0; i < l->count; i++) {
		bool kept = false;

		for (unsigned j = 0; j < keep->count; j++)
			kept = kept || keep->all[j].fd == l->all[i].fd;
		if (kept)
			continue;
		(void)close(l->all[i].fd);
		if (l->all[i].path[0] != '\0')
			(void)unlink(l->all[i].path); /* gone already is as good */
	}
	l->count = 0;
}

/* ---- UNIX sockets ---- */

static enum rc
unix_address(struct str path, const char *key, struct sockaddr_un *ret, struct err *e)
{
	struct buf b = BUF_ON(ret->sun_path);

	ret->sun_family = AF_UNIX;
	buf_add(&b, path);
	if (b.cut)
		return err_set(e, RC_PERM, "%s is longer than %zu octets", key,
		               sizeof(ret->sun_path) - 1);
	return RC_OK;
}

/* Whether nobody has it open: then it refuses at once. One of datagrams says something else. */
static bool
is_left_behind(const struct sockaddr_un *sa)
{
	CLEANUP(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 &&
	       errno == ECONNREFUSED;
}

/* A socket left behind by one that was killed would stand in the way for ever. */
static void
clear_way(const struct sockaddr_un *sa)
{
	struct stat st;

	if (lstat(sa->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && is_left_behind(sa))
		(void)unlink(sa->sun_path); /* bind says so where that did not help */
}

/* Its mode stands from the first moment: nobody slips in before a chmod. */
static enum rc
bind_unix(int fd, const struct sockaddr_un *sa, mode_t mode, int backlog, struct err *e)
{
	mode_t was = umask(~mode & 0777);
	int bound = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));
	int failed = errno;

	(void)umask(was);
	errno = failed;
	if (bound < 0 || listen(fd, backlog) < 0)
		return err_sys(e, "socket %s", sa->sun_path);
	return RC_OK;
}

/* Made where it is missing: below /run nothing outlives a boot. bind says what is wrong with
 * it. */
static void
make_folder_of(struct str path)
{
	char room[CFG_TEXT_MAX + 1];
	struct buf b = BUF_ON(room);

	buf_add(&b, str_slice(path, 0, str_rfind(path, '/')));
	if (b.n > 0 && !b.cut)
		(void)mkdir(b.p, 0755);
}

static enum rc
listen_unix(const struct cfg_listen *l, int *ret_fd, struct err *e)
{
	struct sockaddr_un sa;
	uid_t uid;
	gid_t gid;
	CLEANUP(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "listen \"%.*s\": socket", STR_FMT(l->name));
	if (unix_address(l->path, "path", &sa, e) != RC_OK ||
	    ids_of_names(l->owner, l->group, &uid, &gid, e) != RC_OK)
		return err_in(e, "listen \"%.*s\"", STR_FMT(l->name));
	make_folder_of(l->path);
	clear_way(&sa);
	if (bind_unix(fd, &sa, l->mode, BACKLOG, e) != RC_OK)
		return err_in(e, "listen \"%.*s\"", STR_FMT(l->name));
	/* lchown: whoever may write in that folder could have put a link in its place */
	if ((l->owner.n > 0 || l->group.n > 0) && lchown(sa.sun_path, uid, gid) < 0)
		return err_sys(e, "listen \"%.*s\": owner of %s", STR_FMT(l->name),
		               sa.sun_path);
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

static enum rc
settle_unix(const struct cfg_listen *l, struct err *e)
{
	struct sockaddr_un sa;
	uid_t uid;
	gid_t gid;
	struct stat st;
	char name[32];
	struct buf self = BUF_ON(name);

	if (unix_address(l->path, "path", &sa, e) != RC_OK ||
	    ids_of_names(l->owner, l->group, &uid, &gid, e) != RC_OK)
		return e->rc;
	CLEANUP(fd_closep) int fd = open(sa.sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "find %s", sa.sun_path);
	/* who may write in that folder could have put a link to another file there */
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, RC_PERM, "%s is no socket any more", sa.sun_path);
	buf_addf(&self, "/proc/self/fd/%d", fd);
	if (chmod(name, l->mode) < 0)
		return err_sys(e, "mode of %s", sa.sun_path);
	if ((l->owner.n > 0 || l->group.n > 0) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "owner of %s", sa.sun_path);
	return RC_OK;
}

void
listen_settle(const struct cfg *c)
{
	struct err e;

	for (unsigned i = 0; i < c->listen_count; i++)
		if (c->listens[i].path.n > 0 && settle_unix(&c->listens[i], &e) != RC_OK)
			log_say(LOG_ERROR, "listen", e.text);
}

enum rc
listen_control(const struct cfg *c, int *ret_fd, struct err *e)
{
	struct sockaddr_un sa;

	if (unix_address(c->control_socket, "control_socket", &sa, e) != RC_OK)
		return e->rc;
	CLEANUP(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "control socket");
	clear_way(&sa);
	if (bind_unix(fd, &sa, 0600, 16, e) != RC_OK)
		return err_in(e, "control");
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

static void
remove_unix(struct str path)
{
	struct sockaddr_un sa;
	struct err e;

	if (unix_address(path, "path", &sa, &e) == RC_OK)
		(void)unlink(sa.sun_path); /* gone already is as good */
}

void
listen_remove(const struct cfg *c)
{
	remove_unix(c->control_socket);
	for (unsigned i = 0; i < c->listen_count; i++)
		if (c->listens[i].path.n > 0)
			remove_unix(c->listens[i].path);
}
