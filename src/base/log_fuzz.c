/*
 * Whatever a peer sends as a value, its line is printable UTF-8, one line, and reads back as
 * what was sent, or as its beginning followed by `cut=KEY`; the field behind it stands. LOG-01.
 */
#include <assert.h>
#include <stdint.h>

#include "base/log.h"
#include "base/logfmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The line's next field must be this one. */
static void
take(struct str *line, struct str want, struct buf *ret_value)
{
	struct str key = STR_NONE;
	struct str value = STR_NONE;
	bool got = logfmt_next(line, &key, &value);

	assert(got && str_eq(key, want));
	buf_clear(ret_value);
	logfmt_add_value(ret_value, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char room[LOG_LINE_MAX];
	char value_room[LOG_LINE_MAX];
	struct buf line = BUF_ON(room);
	struct buf value = BUF_ON(value_room);
	struct str sent = {(const char *)data, size};

	log_fields(&line, "fuzz", KVS(kv_str("helo", sent), kv_text("reason", "sure")));
	assert(!line.cut);
	struct str in = buf_str(&line);
	assert(str_is_utf8(in) && str_is_printable(in));

	take(&in, STR("event"), &value);
	take(&in, STR("helo"), &value);
	assert(str_starts(sent, buf_str(&value)));
	if (value.n < sent.n) {
		assert(value.n >= LOG_VALUE_MAX / 4);
		take(&in, STR("cut"), &value);
		assert(str_eq(buf_str(&value), STR("helo")));
	}
	take(&in, STR("reason"), &value);
	assert(str_eq(buf_str(&value), STR("sure")));
	assert(in.n == 0);
	return 0;
}
