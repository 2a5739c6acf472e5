/*
 * A server's replies, read whole and cut in two: both ways give the same; what is kept is
 * printable, bounded and one line; nothing that ends in a bare LF counts as a line.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPLIES 8U
#define OCTETS 4096U

/* What came out of one reading. */
struct outcome {
	enum rc rc;
	unsigned count;
	struct smtp_reply replies[REPLIES];
	size_t taken;
};

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static void
check(const struct smtp_reply *r)
{
	char room[256];
	struct buf b = BUF_ON(room);
	struct str text = str_of(r->text);

	must(r->code >= 200 && r->code <= 599);
	must(r->lines >= 1 && r->lines <= REPLY_LINES_MAX);
	must(r->lines > 1 || r->offers == 0);
	must(text.n <= REPLY_TEXT_MAX && str_is_printable(text) && str_is_utf8(text));
	must(r->dsn[0] == '\0' || r->dsn[0] == (char)('0' + r->code / 100));
	smtp_reply_print(&b, r);
	must(!b.cut && str_is_printable(buf_str(&b)));
}

/* Replies off <in>, of which only the first <seen> octets are there at first. */
static void
read_all(struct str all, size_t seen, struct outcome *o)
{
	struct smtp_reply r;
	struct err e;
	size_t at = 0;

	memset(o, 0, sizeof(*o));
	smtp_reply_init(&r);
	for (;;) {
		struct str in = str_slice(all, at, seen);
		size_t was = in.n;

		o->rc = smtp_reply_take(&r, &in, &e);
		at += was - in.n;
		if (o->rc == RC_AGAIN && seen < all.n)
			seen = all.n;
		else if (o->rc != RC_OK || o->count == REPLIES)
			break;
		if (o->rc != RC_OK)
			continue;
		check(&r);
		o->replies[o->count++] = r;
		smtp_reply_init(&r);
	}
	o->taken = at;
}

static bool
is_same(const struct smtp_reply *a, const struct smtp_reply *b)
{
	return a->code == b->code && a->lines == b->lines && a->offers == b->offers &&
	       strcmp(a->dsn, b->dsn) == 0 && strcmp(a->text, b->text) == 0;
}

/* Every line that was taken ends in CR LF, and nothing in it is a line end. */
static void
check_lines(struct str all, size_t taken)
{
	for (size_t i = 0; i < taken; i++) {
		must(all.p[i] != '\n' || (i > 0 && all.p[i - 1] == '\r'));
		must(all.p[i] != '\r' || (i + 1 < taken && all.p[i + 1] == '\n'));
		must(all.p[i] != '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole;
	static struct outcome cut;

	if (size < 2 || size > OCTETS)
		return 0;
	struct str all = {(const char *)data + 2, size - 2};
	size_t at = ((size_t)data[0] << 8 | data[1]) % (all.n + 1);
	read_all(all, all.n, &whole);
	read_all(all, at, &cut);
	must(whole.rc == cut.rc && whole.count == cut.count && whole.taken == cut.taken);
	for (unsigned i = 0; i < whole.count; i++)
		must(is_same(&whole.replies[i], &cut.replies[i]));
	check_lines(all, whole.taken);
	return 0;
}
