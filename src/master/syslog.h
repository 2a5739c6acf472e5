/*
 * The socket to the machine's syslogd, which logger cannot make behind its walls.
 */
#ifndef MASTER_SYSLOG_H
#define MASTER_SYSLOG_H

struct msg;
struct slot;

/* Answers syslog_ask; while nobody listens at /dev/log it does not, and logger asks again. */
void syslog_connect(struct slot *s, const struct msg *m);

#endif
