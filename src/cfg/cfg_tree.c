/*
 * The only file that knows libconfuse; its functions share our prefix, so no header of ours
 * that declares functions of struct cfg is included here. See cfg_tree.h.
 *
 * Every key is one of pointers whose parser, called with each value and its line, puts the
 * value into our tree; libconfuse keeps nothing. Sections are freed as they end: it looks for
 * equal titles by walking all it has, which with 100,000 aliases would take minutes.
 *
 * Callbacks carry no pointer of ours and nothing is called where a section opens, so each
 * scope starts with two keys whose names cannot be written: MINE holds our pointer, OPENS has a
 * default, which libconfuse sets when it opens the section.
 */
#include <assert.h>
#include <confuse.h>

#include "cfg/cfg_tree.h"

enum { MINE, OPENS, KEYS_FROM };

#define OPTS_MOST (KEYS_FROM + CFG_KEY_MOST + 1)

struct growing {
	struct arena *arena;
	struct cfg_report *report;
	struct cfg_node *open[SCOPE_COUNT]; /* from the file inwards */
	unsigned depth;                     /* of them */
	bool no_memory;
	char opens[8]; /* a value for OPENS; libconfuse wants it writable, and copies it */
	struct cfg_node lost; /* what there is no memory for; read by nobody */
};

static struct growing *
mine(const cfg_t *at)
{
	return (struct growing *)at->opts[MINE].simple_value.ptr;
}

/* libconfuse tells no more than that a callback failed. */
static int
no_memory(struct growing *g)
{
	g->no_memory = true;
	return -1;
}

static int
take_value(cfg_t *at, cfg_opt_t *opt, const char *text, void *ret)
{
	struct growing *g = mine(at);
	struct cfg_node *n = g->open[g->depth - 1];
	struct cfg_value *v = arena_alloc(g->arena, sizeof(*v));

	*(void **)ret = NULL;
	if (v == NULL)
		return no_memory(g);
	v->key = cfg_key_find(n->scope, str_of(opt->name));
	v->line = (unsigned)at->line;
	v->text = arena_str(g->arena, str_of(text));
	if (v->text.p == NULL)
		return no_memory(g);
	*n->values_end = v;
	n->values_end = &v->next;
	return 0;
}

static struct cfg_node *
new_node(struct growing *g, const cfg_t *at)
{
	struct cfg_node *n = arena_alloc(g->arena, sizeof(*n));
	struct str title = n == NULL ? STR_NONE : arena_str(g->arena, str_of(at->title));

	if (title.p == NULL) {
		g->no_memory = true;
		n = &g->lost;
	}
	n->values_end = &n->values;
	n->nodes_end = &n->nodes;
	n->line = (unsigned)at->line;
	n->title = title;
	return n;
}

/* Never fails: libconfuse aborts the process where it cannot set a default. */
static int
open_node(cfg_t *at, cfg_opt_t *opt, const char *text, void *ret)
{
	(void)opt;
	(void)text;
	struct growing *g = mine(at);
	struct cfg_node *n = new_node(g, at);

	*(void **)ret = NULL;
	if (g->depth > 0) {
		struct cfg_node *parent = g->open[g->depth - 1];

		n->key = cfg_key_find(parent->scope, str_of(at->name));
		n->scope = n->key->opens;
		*parent->nodes_end = n;
		parent->nodes_end = &n->next;
	}
	assert(g->depth < LENGTH(g->open));
	g->open[g->depth++] = n;
	return 0;
}

static int
close_node(cfg_t *at, cfg_opt_t *opt)
{
	mine(at)->depth--;
	return cfg_free_value(opt);
}

static void take_error(cfg_t *at, const char *fmt, va_list ap) PRINTF(2, 0);

static void
take_error(cfg_t *at, const char *fmt, va_list ap)
{
	char text[256];
	struct buf b = BUF_ON(text);

	buf_addv(&b, fmt, ap);
	cfg_report_error(mine(at)->report, (unsigned)at->line, NULL, "%s",
	                 b.cut ? "syntax error" : text);
}

static cfg_opt_t
opt_of(const struct cfg_key *key, cfg_opt_t *subopts)
{
	if (key->kind == KEY_SECTION)
		return (cfg_opt_t){.name = key->name,
		                   .type = CFGT_SEC,
		                   .flags = CFGF_MULTI | CFGF_TITLE,
		                   .subopts = subopts,
		                   .validcb = close_node};
	return (cfg_opt_t){.name = key->name,
	                   .type = CFGT_PTR,
	                   .flags = key->kind == KEY_LIST ? CFGF_LIST : CFGF_NONE,
	                   .parsecb = take_value};
}

/* libconfuse's tables from ours. */
static void
fill(cfg_opt_t opts[SCOPE_COUNT][OPTS_MOST], struct growing *g)
{
	size_t used[SCOPE_COUNT];
	const struct cfg_key *key;

	for (size_t i = 0; i < SCOPE_COUNT; i++) {
		opts[i][MINE] = (cfg_opt_t){
			.name = "\001", .type = CFGT_PTR, .simple_value = {.ptr = (void **)g}};
		opts[i][OPENS] = (cfg_opt_t){.name = "\002",
		                             .type = CFGT_PTR,
		                             .def = {.parsed = g->opens},
		                             .parsecb = open_node};
		used[i] = KEYS_FROM;
	}
	for (size_t i = 0; (key = cfg_key_at(i)) != NULL; i++)
		opts[key->in][used[key->in]++] = opt_of(key, opts[key->opens]);
	for (size_t i = 0; i < SCOPE_COUNT; i++)
		opts[i][used[i]] = (cfg_opt_t)CFG_END();
}

static enum rc
parse(cfg_t *root, char *clean, size_t n)
{
	FILE *f = n == 0 ? NULL : fmemopen(clean, n, "r");

	if (f == NULL)
		return n == 0 ? RC_OK : RC_TEMP;
	int failed = cfg_parse_fp(root, f);
	(void)fclose(f); /* only read from */
	return failed == 0 ? RC_OK : RC_PERM;
}

enum rc
cfg_tree_read(char *clean, size_t n, struct arena *a, struct cfg_node **ret,
              struct cfg_report *r)
{
	cfg_opt_t opts[SCOPE_COUNT][OPTS_MOST];
	struct growing g = {.arena = a, .report = r, .opens = "opens"};

	fill(opts, &g);
	cfg_t *root = cfg_init(opts[SCOPE_root], CFGF_NONE);
	if (root == NULL)
		return RC_TEMP;
	assert(g.depth == 1); /* it has opened the file's own node */
	(void)cfg_set_error_function(root, take_error);
	enum rc rc = parse(root, clean, n);
	(void)cfg_free(root); /* always succeeds */
	if (g.no_memory)
		return RC_TEMP;
	if (rc == RC_OK)
		*ret = g.open[0];
	return rc;
}

const struct cfg_value *
cfg_tree_value(const struct cfg_node *n, const char *key)
{
	for (const struct cfg_value *v = n->values; v != NULL; v = v->next)
		if (str_eq(str_of(v->key->name), str_of(key)))
			return v;
	return NULL;
}
