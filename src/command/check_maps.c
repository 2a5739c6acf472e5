/*
 * Alias files and virtual tables, checked. See check_maps.h.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "cfg/cfg.h"
#include "command/check_maps.h"
#include "vault/map.h"
#include "vault/mapfile.h"

#define LINES_MOST 100U /* of one file */

struct checking {
	const char *path;
	struct buf *report;
	unsigned lines;
};

static void
add_line(void *arg, unsigned line, bool bad, const char *text)
{
	struct checking *c = arg;

	if (c->lines++ < LINES_MOST)
		buf_addf(c->report, "%s:%u: %s%s\n", c->path, line,
		         bad ? "" : "warning: ", text);
}

static enum rc
read_file(const char *path, char **ret_p, size_t *ret_n, struct err *e)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, "cannot be opened");
	return mapfile_read(fd, MAP_OCTETS_MAX, ret_p, ret_n, e);
}

static bool
check_file(const struct cfg *cfg, enum cfg_map kind, const char *path, struct buf *report)
{
	struct checking c = {.path = path, .report = report};
	struct map *map = NULL;
	unsigned bad = 0;
	char *p = NULL;
	size_t n = 0;
	struct err e;
	enum rc rc = read_file(path, &p, &n, &e);

	if (rc == RC_OK)
		rc = map_read(cfg, kind, (struct str){p, n}, add_line, &c, &map, &bad, &e);
	free(p);
	(void)map_free(map);
	if (c.lines > LINES_MOST)
		buf_addf(report, "%s: and %u more\n", path, c.lines - LINES_MOST);
	if (rc != RC_OK)
		buf_addf(report, "%s: %s\n", path, e.text);
	return rc == RC_OK && bad == 0;
}

bool
check_maps(const struct cfg *c, struct buf *report)
{
	bool good = true;

	for (unsigned i = 0; i < c->alias_files.count; i++)
		good = check_file(c, MAP_ALIASES, c->alias_files.paths[i].p, report) && good;
	for (unsigned i = 0; i < c->virtual_files.count; i++)
		good = check_file(c, MAP_VIRTUAL, c->virtual_files.paths[i].p, report) && good;
	return good;
}
