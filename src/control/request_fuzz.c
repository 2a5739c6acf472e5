/*
 * Whatever is read as a request is a question that its process accepts: in msg.def's bounds
 * and direction, and read there as it was asked.
 */
#include <assert.h>

#include "control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[MSG_OCTETS_MAX];
	struct buf b = BUF_ON(room);
	struct request q;
	struct msg asked;
	struct msg got;
	struct err e;
	int fd;

	if (size > REQUEST_OCTETS_MAX ||
	    request_read((struct str){(const char *)data, size}, &q, &e) != RC_OK)
		return 0;
	if (q.verb->ask == NULL)
		return 0; /* control knows the answer itself */
	request_ask(&q, 7, &asked);
	assert(msg_encode(CONTROL, q.verb->of, &asked, &b, &fd, &e) == RC_OK);
	assert(msg_decode(CONTROL, q.verb->of, buf_str(&b), fd, &got, &e) == RC_OK);
	assert(got.no == asked.no);
	return 0;
}
