/*
 * SMTP with our server, over its local socket.
 */
#ifndef SENDMAIL_TALK_H
#define SENDMAIL_TALK_H

#include "base/buf.h"
#include "base/err.h"
#include "proto/domain.h"
#include "proto/smtp_reply.h"

struct talk {
	int fd;
	bool verbose; /* what is said goes to standard error too */
	char out[65536];
	size_t out_n;
	char in[65536];
	size_t in_at;
	size_t in_n;
	char origin[DOMAIN_MAX + 1]; /* as EHLO told it */
};

/*
 * Connect and say EHLO. A server that is just being restarted is waited for, a few seconds.
 * RC_TEMP where there is none or it does not want us now.
 */
enum rc talk_open(struct talk *t, const char *path, bool verbose, struct err *e) MUST_CHECK;

/* To be sent: held until there is much of it, or a reply is asked for. */
enum rc talk_say(struct talk *t, struct str octets, struct err *e) MUST_CHECK;

/* Send what is held and read one reply. RC_TEMP where the server is gone. */
enum rc talk_reply(struct talk *t, struct smtp_reply *ret, struct err *e) MUST_CHECK;

void talk_close(struct talk *t);

/* The socket alone, for -bs. */
enum rc talk_connect(const char *path, int *ret_fd, struct err *e) MUST_CHECK;

#endif
