/*
 * One line of the log as those who read it want it. RFC 5424 §6.2.1 has the numbers.
 */
#ifndef LOGGER_LINE_H
#define LOGGER_LINE_H

#include <sys/types.h>
#include <time.h>

#include "base/buf.h"

/*
 * syslog's severity: what the line's level says; of a line without one (an assertion, a
 * sanitizer) that it is an error.
 */
unsigned line_severity(struct str line);

/* "<6>": what the journal takes off a line of standard error, sd-daemon(3). */
void line_add_level(struct buf *b, struct str line);

/*
 * The datagram that rsyslog and syslog-ng take at /dev/log: RFC 3164 without the host, in
 * local time, of facility mail: "<22>Nov  3 04:05:06 sekisho[12]: ...".
 */
void line_add_syslog(struct buf *b, struct str line, pid_t pid, const struct tm *now);

#endif
