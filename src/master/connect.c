/*
 * Outgoing connections. See connect.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "master/connect.h"
#include "master/house.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

static socklen_t
address_of(const struct cfg_endpoint *ep, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (ep->is_unix) {
		struct buf b = BUF_ON(ret->path.sun_path);

		ret->path.sun_family = AF_UNIX;
		buf_add(&b, ep->path); /* the configuration has none that does not fit */
		return sizeof(ret->path);
	}
	if (netaddr_is_v4(&ep->addr)) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(ep->port);
		memcpy(&ret->v4.sin_addr, ep->addr.octets + 12, 4);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(ep->port);
	memcpy(&ret->v6.sin6_addr, ep->addr.octets, 16);
	return sizeof(ret->v6);
}

/* Over TCP a small last segment must not wait for the ACK of the one before. */
static void
no_delay(const struct cfg_endpoint *ep, int fd)
{
	int on = 1;

	if (!ep->is_unix) /* without it the mail goes all the same */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static enum rc
connect_to(const struct cfg_endpoint *ep, int *ret_fd, struct err *e)
{
	union address to;
	socklen_t n = address_of(ep, &to);
	CLEANUP(fd_closep)
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "connect: socket");
	no_delay(ep, fd);
	/* a UNIX socket connects at once, or says EAGAIN where its server is behind */
	if (connect(fd, &to.any, n) < 0 && errno != EINPROGRESS)
		return err_sys(e, "connect");
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

static bool
too_many(struct slot *s)
{
	uint64_t now = clock_mono_ms() / 1000;

	if (s->connects.second != now)
		s->connects = (struct connects){.second = now};
	return s->connects.count++ >= CONNECTS_MAX;
}

static enum rc
connect_slot(struct slot *s, struct str name, int *ret_fd, struct err *e)
{
	const struct cfg_endpoint *ep = cfg_endpoint_find(s->plan->cfg, name);

	if (ep == NULL)
		return err_set(e, RC_PERM, "connect: the configuration has no such endpoint");
	if (too_many(s))
		return err_set(e, RC_TEMP, "connect: too many connections in one second");
	return connect_to(ep, ret_fd, e);
}

void
connect_for(struct slot *s, const struct msg *m)
{
	uint32_t ask = m->connect_ask.ask;
	CLEANUP(fd_closep) int fd = -1;
	struct err e;
	struct msg answer;

	if (s->channel == NULL)
		return;
	if (connect_slot(s, m->connect_ask.endpoint, &fd, &e) == RC_OK)
		answer = (struct msg){
			.no = MSG_connected, .connected = {.ask = ask, .socket = fd}
                };
	else
		answer = (struct msg){
			.no = MSG_connect_failed,
			.connect_failed = {.ask = ask, .why = str_of(e.text)}
                };
	if (channel_send(s->channel, &answer, &e) != RC_OK)
		log_say(LOG_ERROR, "connect", e.text); /* it gives up waiting by itself */
}
