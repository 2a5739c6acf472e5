/*
 * sekisho.conf and the files of conf.d beside it, as they lie on disk. See cfg.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cfg/cfg_build.h"

#define SUFFIX ".conf"
#define FILES_MOST 256U /* sekisho.conf among them */
#define PATH_OCTETS 4096U

/* All files, in the order in which they are read. */
struct opened {
	struct arena *arena; /* of paths */
	char *room;          /* of texts, CFG_OCTETS_MAX */
	size_t used;
	struct cfg_source sources[FILES_MOST];
	unsigned count;
	struct buf *report;
	enum rc rc;
};

static void
fail(struct opened *o, enum rc rc, const char *path, const char *why)
{
	buf_addf(o->report, "%s: %s\n", path, why);
	if (o->rc == RC_OK)
		o->rc = rc;
}

static void
take_file(struct opened *o, const char *path)
{
	struct cfg_source *s = &o->sources[o->count];
	struct err e;
	size_t n = 0;
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		(void)err_sys(&e, "cannot be opened");
	else
		e.rc = fd_read_all(fd, o->room + o->used, CFG_OCTETS_MAX - o->used, &n, &e);
	if (e.rc != RC_OK) {
		fail(o, e.rc, path, e.text);
		return;
	}
	*s = (struct cfg_source){
		.path = arena_str(o->arena, str_of(path)).p, .text = {o->room + o->used, n}
        };
	if (s->path == NULL) {
		fail(o, RC_TEMP, path, "no memory to read it");
		return;
	}
	o->used += n;
	o->count++;
}

bool
cfg_is_part(struct str name)
{
	return name.n > STR(SUFFIX).n && name.p[0] != '.' &&
	       str_eq(str_slice(name, name.n - STR(SUFFIX).n, name.n), STR(SUFFIX));
}

static int
is_ours(const struct dirent *entry)
{
	return cfg_is_part(str_of(entry->d_name));
}

/* Whatever the locale. */
static int
by_octets(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
take_entry(struct opened *o, const char *folder, const char *name)
{
	char room[PATH_OCTETS];
	struct buf path = BUF_ON(room);

	buf_addf(&path, "%s/%s", folder, name);
	if (path.cut)
		fail(o, RC_PERM, folder, "a path there is too long");
	else if (o->count < FILES_MOST)
		take_file(o, path.p);
}

static void
take_folder(struct opened *o, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_ours, by_octets);

	if (count < 0 && errno != ENOENT && errno != ENOTDIR)
		fail(o, RC_TEMP, folder, strerrordesc_np(errno));
	if (count >= (int)FILES_MOST)
		fail(o, RC_PERM, folder, "expected at most 255 files *" SUFFIX);
	for (int i = 0; i < count; i++) {
		take_entry(o, folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void
open_all(struct opened *o, const char *path)
{
	char room[PATH_OCTETS];
	struct buf folder = BUF_ON(room);
	struct str whole = str_of(path);
	size_t slash = str_rfind(whole, '/');

	take_file(o, path);
	if (slash < whole.n)
		buf_add(&folder, str_slice(whole, 0, slash + 1));
	buf_add(&folder, STR(CFG_FOLDER));
	if (folder.cut)
		fail(o, RC_PERM, path, "the path is too long");
	else if (o->rc == RC_OK)
		take_folder(o, folder.p);
}

enum rc
cfg_read(const char *path, struct cfg **ret, struct buf *report)
{
	struct opened *o = calloc(1, sizeof(*o));

	if (o == NULL || (o->arena = arena_new((size_t)FILES_MOST * PATH_OCTETS)) == NULL ||
	    (o->room = malloc(CFG_OCTETS_MAX)) == NULL) {
		buf_addf(report, "%s: no memory to read it\n", path);
		if (o != NULL)
			(void)arena_free(o->arena);
		free(o);
		return RC_TEMP;
	}
	o->report = report;
	open_all(o, path);
	enum rc rc = o->rc;
	if (rc == RC_OK)
		rc = cfg_read_sources(o->sources, o->count, ret, report);
	(void)arena_free(o->arena);
	free(o->room);
	free(o);
	return rc;
}
