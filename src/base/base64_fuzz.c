/* What is read as base 64 is written again as the same text. */
#include <assert.h>

#include "base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	char room[4096];
	char again[sizeof(room) * 2];
	struct buf b = BUF_ON(again);
	size_t n = 0;

	if (!base64_read(text, room, sizeof(room), &n))
		return 0;
	buf_clear(&b);
	base64_add(&b, (struct str){room, n});
	assert(!b.cut && str_eq(buf_str(&b), text));
	return 0;
}
