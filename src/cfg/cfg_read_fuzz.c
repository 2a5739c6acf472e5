/*
 * Any octets as sekisho.conf: refused with at least one line that says where, or shown as a
 * text that reads back as the very same configuration.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cfg/cfg.h"
#include "cfg/cfg_show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM (1U << 20) /* octets; what grows over it is not compared */

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_lines(struct str report)
{
	struct str line;

	must(report.n == 0 || report.p[report.n - 1] == '\n');
	while (str_cut(&report, '\n', &line))
		must((str_starts(line, STR("f:")) || str_starts(line, STR("f: "))) &&
		     str_is_printable(line) && str_is_utf8(line));
}

static void
check_shown(const struct cfg *c)
{
	static char text[ROOM];
	static char first[ROOM];
	static char second[ROOM];
	static char room[ROOM];
	struct buf shown = BUF_ON(text);
	struct buf was = BUF_ON(first);
	struct buf is = BUF_ON(second);
	struct buf report = BUF_ON(room);
	struct cfg *again;
	struct err e;

	cfg_show(c, &shown);
	if (shown.cut || cfg_encode(c, &was, &e) != RC_OK)
		return;
	must(cfg_read_text("f", buf_str(&shown), &again, &report) == RC_OK);
	must(cfg_encode(again, &is, &e) == RC_OK);
	must(str_eq(buf_str(&was), buf_str(&is)));
	(void)cfg_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[ROOM];
	struct buf report = BUF_ON(room);
	struct cfg *c;
	enum rc rc = cfg_read_text("f", (struct str){(const char *)data, size}, &c, &report);

	must(rc == RC_OK || (rc == RC_PERM && report.n > 0));
	check_lines(buf_str(&report));
	if (rc != RC_OK)
		return 0;
	check_shown(c);
	(void)cfg_free(c);
	return 0;
}
