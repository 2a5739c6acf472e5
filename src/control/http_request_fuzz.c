/*
 * However a request is cut into pieces, it has one answer: once there is one, more octets do
 * not change it, and without the last octet of what was answered there may be none, but never
 * another one that lets in what the whole does not. An answer always comes.
 */
#include <assert.h>
#include <string.h>

#include "control/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[HTTP_REQUEST_MAX + 64];
	struct str in = {room, size};
	unsigned first = 0;

	if (size > sizeof(room))
		return 0;
	memcpy(room, data, size);
	for (size_t n = 0; n <= size; n++) {
		unsigned now = http_request_read(str_slice(in, 0, n));

		assert(first == 0 || now == first);
		assert(now != 0 || n < HTTP_REQUEST_MAX);
		first = now;
	}
	if (first == 200)
		assert(str_starts(in, STR("GET ")));
	return 0;
}
