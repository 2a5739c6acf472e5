/*
 * Connecting to the syslogd. See syslog.h.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/log.h"
#include "master/house.h"
#include "master/syslog.h"

void
syslog_connect(struct slot *s, const struct msg *m)
{
	static const struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct err e;

	(void)m;
	/* a datagram socket: to connect waits for nobody */
	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return;
	struct msg answer = {.no = MSG_syslog_socket, .syslog_socket = {.socket = fd}};
	if (channel_send(s->channel, &answer, &e) != RC_OK)
		log_say(LOG_WARN, "syslog", e.text);
}
