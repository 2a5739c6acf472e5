/*
 * Listening sockets. See listen.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "cfg/cfg.h"
#include "master/listen.h"

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

enum rc
listen_all(const struct cfg *c, struct listener *ret, unsigned *ret_count, struct err *e)
{
	unsigned count = 0;

	e->rc = RC_OK;
	for (unsigned i = 0; i < c->listen_count && e->rc == RC_OK; i++) {
		const struct cfg_listen *l = &c->listens[i];

		for (int v6 = 0; v6 < 2 && count < LISTEN_MAX; v6++) {
			int fd = -1;

			if (v6 ? !l->v6 : !l->v4)
				continue;
			if (listen_one(l, v6, &fd, e) == RC_OK)
				ret[count++] = (struct listener){LISTENER_NUMBER(i, v6), fd};
			else if (l->v4 && l->v6 &&
			         (e->sys == EAFNOSUPPORT || e->sys == EADDRNOTAVAIL))
				e->rc = RC_OK; /* `*` on a machine with one family */
			else
				break;
		}
	}
	*ret_count = count;
	while (e->rc != RC_OK && count > 0)
		fd_closep(&ret[--count].fd);
	return e->rc;
}

static enum rc
control_address(const struct cfg *c, struct sockaddr_un *ret, struct err *e)
{
	struct buf path = BUF_ON(ret->sun_path);

	ret->sun_family = AF_UNIX;
	buf_add(&path, c->control_socket);
	if (path.cut)
		return err_set(e, RC_PERM, "control_socket is longer than %zu octets",
		               sizeof(ret->sun_path) - 1);
	return RC_OK;
}

enum rc
listen_control(const struct cfg *c, int *ret_fd, struct err *e)
{
	struct sockaddr_un sa;
	struct stat st;

	if (control_address(c, &sa, e) != RC_OK)
		return e->rc;
	CLEANUP(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "control socket");
	if (lstat(sa.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(sa.sun_path); /* bind says so where that did not help */
	mode_t was = umask(0177);
	int bound = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	(void)umask(was);
	if (bound < 0 || listen(fd, 16) < 0)
		return err_sys(e, "control socket %s", sa.sun_path);
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

void
listen_control_remove(const struct cfg *c)
{
	struct sockaddr_un sa;
	struct err e;

	if (control_address(c, &sa, &e) == RC_OK)
		(void)unlink(sa.sun_path); /* gone already is as good */
}
