/*
 * Property: whatever octets a neighbour sends, decoding refuses them or gives a message that
 * encodes to exactly those octets; and walking its lists gives as many items as it counts.
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NO_FD 700 /* never used as a descriptor: the codec only carries the number */

static char room[MSG_OCTETS_MAX + 2];

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
walk_lists(const struct msg *m)
{
	struct item_rcpt rcpt;
	struct list l = m->mail_commit.rcpts;
	unsigned count = l.count;

	if (m->no != MSG_mail_commit)
		return;
	while (item_next_rcpt(&l, &rcpt))
		count--;
	check(count == 0 && l.wire.n == 0);
}

static void
try(enum proc from, enum proc to, struct str wire, int fd)
{
	struct msg m;
	struct err e;
	struct buf b = BUF_ON(room);
	int fd_again;

	if (msg_decode(from, to, wire, fd, &m, &e) != RC_OK)
		return;
	walk_lists(&m);
	check(msg_encode(from, to, &m, &b, &fd_again, &e) == RC_OK);
	check(fd_again == fd);
	check(str_eq(buf_str(&b), wire));
}

/* First octet: who sends, second: who receives; the rest is the wire. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size - 2 > MSG_OCTETS_MAX)
		return 0;
	struct str wire = {(const char *)data + 2, size - 2};
	enum proc from = proc_of(data[0] % PROC_COUNT);
	enum proc to = proc_of(data[1] % PROC_COUNT);

	try(from, to, wire, -1);
	try(from, to, wire, NO_FD);
	return 0;
}
