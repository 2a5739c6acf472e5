/*
 * sekisho.conf from octets to a checked struct cfg. See cfg.h.
 *
 *     cfg_text     form: octets, unknown keys, keys set twice
 *     cfg_tree     syntax: libconfuse
 *     cfg_option, cfg_files, cfg_listen, cfg_domain, cfg_alias, cfg_loop
 *                  meaning: units, ranges, names
 */
#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "cfg/cfg_build.h"
#include "cfg/cfg_text.h"

/* What grows out of a file: a line of 20 octets may become a node of 200. */
#define ARENA_OCTETS ((size_t)CFG_OCTETS_MAX * 24)

unsigned
cfg_build_count(const struct cfg_node *n, const char *key)
{
	unsigned count = 0;

	for (n = cfg_build_next(n->nodes, key); n != NULL; n = cfg_build_next(n->next, key))
		count++;
	return count;
}

const struct cfg_node *
cfg_build_next(const struct cfg_node *n, const char *key)
{
	while (n != NULL && !str_eq(str_of(n->key->name), str_of(key)))
		n = n->next;
	return n;
}

static enum rc
read_tree(struct cfg_build *b, struct str text)
{
	char *clean = arena_alloc(b->temp, text.n + 1);
	struct cfg_node *file = NULL;
	unsigned odd;

	if (clean == NULL)
		return RC_TEMP;
	if (!cfg_text_clean(text, clean, &odd, b->report))
		return RC_PERM;
	unsigned before = b->report->errors;
	enum rc rc = cfg_tree_read(clean, text.n, b->temp, &file, b->report);
	b->file = file;
	if (rc == RC_TEMP || (rc == RC_OK && odd == 0))
		return rc;
	/* libconfuse is more lenient than we are, and refuses some things without a word */
	if (b->report->errors == before)
		cfg_report_error(b->report, odd, NULL, "syntax error");
	return RC_PERM;
}

/* What the roles cannot be told must not pass `check`. */
static bool
check_size(struct cfg_build *b)
{
	struct buf wire = {.p = arena_alloc(b->temp, CFG_OCTETS_MAX), .cap = CFG_OCTETS_MAX};
	struct err e;

	if (wire.p == NULL)
		return false;
	if (cfg_encode(b->c, &wire, &e) != RC_OK)
		cfg_report_error(b->report, 0, NULL, "%s, full addresses counted", e.text);
	return true;
}

static enum rc
build(struct cfg_build *b)
{
	if (!cfg_build_options(b) || !cfg_build_files(b) || !cfg_build_listens(b) ||
	    !cfg_build_domains(b) || !cfg_build_mailboxes(b) || !cfg_build_locals(b) ||
	    !cfg_build_aliases(b))
		return RC_TEMP;
	/* loops are looked for among names that are known to be good */
	if (b->report->errors == 0 && (!cfg_check_aliases(b) || !check_size(b)))
		return RC_TEMP;
	return b->report->errors == 0 ? RC_OK : RC_PERM;
}

static enum rc
read_into(struct cfg_build *b, struct str text)
{
	b->c = arena_alloc(b->keeps, sizeof(*b->c));
	b->report = arena_alloc(b->temp, sizeof(*b->report));
	if (b->c == NULL || b->report == NULL)
		return RC_TEMP;
	b->c->arena = b->keeps;
	b->report->arena = b->temp;
	enum rc rc = read_tree(b, text);
	return rc == RC_OK ? build(b) : rc;
}

enum rc
cfg_read_text(const char *path, struct str text, struct cfg **ret, struct buf *report)
{
	struct cfg_build b = {.keeps = arena_new(ARENA_OCTETS),
	                      .temp = arena_new(ARENA_OCTETS)};
	bool made = b.keeps != NULL && b.temp != NULL;
	enum rc rc = made ? read_into(&b, text) : RC_TEMP;

	if (b.report != NULL)
		cfg_report_print(b.report, path, report);
	if (rc == RC_TEMP)
		buf_addf(report, "%s: no memory to read it\n", path);
	(void)arena_free(b.temp);
	if (rc == RC_OK)
		*ret = b.c;
	else
		(void)arena_free(b.keeps);
	return rc;
}

static enum rc
read_file(const char *path, char *room, size_t *ret_n, struct err *e)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot be opened");
	return fd_read_all(fd, room, CFG_OCTETS_MAX, ret_n, e);
}

enum rc
cfg_read(const char *path, struct cfg **ret, struct buf *report)
{
	char *room = malloc(CFG_OCTETS_MAX);
	struct err e;
	size_t n = 0;
	enum rc rc = room == NULL ? err_set(&e, RC_TEMP, "no memory to read it")
	                          : read_file(path, room, &n, &e);

	if (rc == RC_OK)
		rc = cfg_read_text(path, (struct str){room, n}, ret, report);
	else
		buf_addf(report, "%s: %s\n", path, e.text);
	free(room);
	return rc;
}
