/*
 * The walk loses nothing: fields and rest are the input. A field we write from any value is
 * one field when it is read again, with that value, in lines that keep to the limits.
 */
#include <stdlib.h>

#include "proto/header.h"
#include "proto/received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static void
check_walk(struct str block)
{
	struct str in = block;
	struct header_field f;
	unsigned received = 0;

	while (header_next(&in, &f)) {
		must(f.all.n > 0 && f.all.p + f.all.n == in.p &&
		     in.p + in.n == block.p + block.n);
		must(f.name.n > 0 && f.name.p == f.all.p && str_is_printable(f.name));
		must(f.value.p > f.name.p + f.name.n - 1 &&
		     f.value.p + f.value.n <= f.all.p + f.all.n);
		must(in.n == 0 ||
		     (f.all.p[f.all.n - 1] == '\n' && in.p[0] != ' ' && in.p[0] != '\t'));
		received += str_ieq(f.name, STR("Received"));
	}
	must(header_count_hops(block, STR("a@b")).received == received);
}

static void
check_lines(struct str field)
{
	struct str line;

	while (str_cut(&field, '\n', &line)) {
		must(line.n > 0 && line.n <= HEADER_LINE_MAX);
		must(str_trim(line).n > 0);
	}
}

/* Exactly one field, and unfolded it is <value>. */
static void
check_one_field(struct str written, struct str value)
{
	struct str in = written;
	struct header_field f;
	size_t at = 0;

	must(header_next(&in, &f) && in.n == 0 && f.all.n == written.n);
	check_lines(written);
	must(f.value.n > 0 && f.value.p[0] == ' ');
	for (size_t i = 1; i < f.value.n; i++)
		if (f.value.p[i] != '\n')
			must(at < value.n && f.value.p[i] == value.p[at++]);
	must(at == value.n);
}

static void
check_write(struct str value)
{
	char room[4096];
	struct buf b = BUF_ON(room);

	if (header_add_field(&b, "X-Original-To", value)) {
		check_one_field(buf_str(&b), value);
		must(str_is_printable(value));
	} else {
		must(b.n == 0);
	}
}

/* What deliver writes is what the loop check finds, however it was folded. */
static void
check_loop_is_seen(struct str mailbox)
{
	char room[4096];
	struct buf b = BUF_ON(room);

	mailbox = str_trim(mailbox);
	if (mailbox.n > 0 && header_add_field(&b, "Delivered-To", mailbox))
		must(header_count_hops(buf_str(&b), mailbox).delivered);
}

static void
check_received(struct str helo)
{
	char room[RECEIVED_MAX];
	struct buf b = BUF_ON(room);
	struct received r = {.helo = helo, .rdns = helo, .host = STR("l.example")};
	struct header_field f;

	must(received_add(&b, &r));
	struct str in = buf_str(&b);
	must(header_next(&in, &f) && in.n == 0 && str_eq(f.name, STR("Received")));
	check_lines(buf_str(&b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};

	check_walk(in);
	check_write(in);
	check_loop_is_seen(in);
	check_received(in);
	return 0;
}
