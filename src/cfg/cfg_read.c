/*
 * sekisho.conf from octets to a checked struct cfg. See cfg.h.
 *
 *     cfg_text     form: octets, unknown keys, keys set twice
 *     cfg_tree     syntax: libconfuse
 *     cfg_option, cfg_files, cfg_listen, cfg_domain, cfg_alias, cfg_loop
 *                  meaning: units, ranges, names
 */
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

/* One text of all sources, each with its last line ended. False: libconfuse must not see it. */
static bool
clean_sources(struct cfg_build *b, struct cfg_source *sources, unsigned count, char *clean,
              size_t *ret_n, unsigned *ret_odd)
{
	struct cfg_seen seen = {.line = 1};
	bool good = true;
	size_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		struct str text = sources[i].text;

		if (text.n > 0 && text.p[text.n - 1] == '\n')
			text.n--;
		sources[i].line = seen.line;
		/* of what it says, all is the report's */
		good = cfg_text_clean(text, clean + n, &seen, b->report) && good;
		n += text.n;
		if (seen.odd == 0 || *ret_odd == 0)
			*ret_n = n; /* what is not understood does not reach the next file */
		*ret_odd = seen.odd;
		clean[n++] = '\n';
	}
	return good;
}

static enum rc
read_tree(struct cfg_build *b, struct cfg_source *sources, unsigned count)
{
	size_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += sources[i].text.n + 1;
	char *clean = arena_alloc(b->temp, n + 1);
	struct cfg_node *file = NULL;
	unsigned odd = 0;

	if (clean == NULL)
		return RC_TEMP;
	b->report->sources = sources;
	b->report->source_count = count;
	if (!clean_sources(b, sources, count, clean, &n, &odd))
		return RC_PERM;
	unsigned before = b->report->errors;
	enum rc rc = cfg_tree_read(clean, n, b->temp, &file, b->report);
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
read_into(struct cfg_build *b, struct cfg_source *sources, unsigned count)
{
	b->c = arena_alloc(b->keeps, sizeof(*b->c));
	b->report = arena_alloc(b->temp, sizeof(*b->report));
	if (b->c == NULL || b->report == NULL)
		return RC_TEMP;
	b->c->arena = b->keeps;
	b->report->arena = b->temp;
	enum rc rc = read_tree(b, sources, count);
	return rc == RC_OK ? build(b) : rc;
}

enum rc
cfg_read_sources(struct cfg_source *sources, unsigned count, struct cfg **ret,
                 struct buf *report)
{
	struct cfg_build b = {.keeps = arena_new(ARENA_OCTETS),
	                      .temp = arena_new(ARENA_OCTETS)};
	bool made = b.keeps != NULL && b.temp != NULL;
	enum rc rc = made ? read_into(&b, sources, count) : RC_TEMP;

	if (b.report != NULL && b.report->source_count > 0)
		cfg_report_print(b.report, report);
	if (rc == RC_TEMP)
		buf_addf(report, "%s: no memory to read it\n", sources[0].path);
	(void)arena_free(b.temp);
	if (rc == RC_OK)
		*ret = b.c;
	else
		(void)arena_free(b.keeps);
	return rc;
}

enum rc
cfg_read_text(const char *path, struct str text, struct cfg **ret, struct buf *report)
{
	struct cfg_source source = {.path = path, .text = text};

	return cfg_read_sources(&source, 1, ret, report);
}
