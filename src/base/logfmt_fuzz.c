/*
 * Whatever is read as a field is written by log_fields such that it reads the same again.
 */
#include <assert.h>

#include "base/log.h"
#include "base/logfmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_reads_again(struct str key, struct str value)
{
	char name[64];
	char room[4096];
	struct buf n = BUF_ON(name);
	struct buf b = BUF_ON(room);
	struct str again_key;
	struct str again_value;
	char again_room[1024];
	struct buf again = BUF_ON(again_room);

	buf_add(&n, key);
	log_fields(&b, "x", KVS(kv_str(n.p, value)));
	if (n.cut || b.cut)
		return;
	struct str in = buf_str(&b);
	assert(logfmt_next(&in, &again_key, &again_value)); /* event=x */
	assert(logfmt_next(&in, &again_key, &again_value) && in.n == 0);
	logfmt_add_value(&again, again_value);
	assert(str_eq(again_key, key) && str_eq(buf_str(&again), value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};
	struct str key;
	struct str value;

	while (logfmt_next(&in, &key, &value)) {
		char room[LOG_VALUE_MAX / 4 + 1]; /* longer values may be cut */
		struct buf b = BUF_ON(room);

		logfmt_add_value(&b, value);
		if (!b.cut)
			check_reads_again(key, buf_str(&b));
	}
	return 0;
}
