/*
 * Where aliases lead in the end: none back to itself over others, none to more than
 * CFG_ALIAS_MOST addresses or over more than CFG_ALIAS_DEPTH aliases; the same bounds that
 * vault keeps. An alias that names itself means the account of its name. See cfg_build.h.
 *
 * Depth first over all aliases, with a stack of our own: a chain may be as long as the file.
 */
#include "cfg/cfg_build.h"
#include "proto/address.h"

#define NONE UINT32_MAX

enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

/* What is known of an alias while walking. */
struct place {
	const struct cfg_domain *domain;
	const struct cfg_alias *alias;
	unsigned line;
	enum mark mark;
	unsigned next;    /* of its targets */
	unsigned reaches; /* addresses so far, at most CFG_ALIAS_MOST + 1 */
	unsigned depth;   /* aliases of the longest chain so far, at most CFG_ALIAS_DEPTH + 1 */
};

struct walk {
	struct cfg_build *b;
	struct place *places; /* of all aliases, domain by domain */
	unsigned *first;      /* of each domain: the number of its first alias's place */
	unsigned *stack;
	unsigned depth;
};

/* The place of the alias that an address means, plus addressing stripped; or NONE. */
static unsigned
place_of(const struct walk *w, struct str target)
{
	struct address a;

	if (address_parse(target, true, &a) != FAULT_none)
		return NONE;
	const struct cfg_domain *d = cfg_domain_find(w->b->c, str_of(a.domain.name));
	if (d == NULL)
		return NONE;
	struct str local = str_of(a.local);
	const struct cfg_alias *alias = cfg_alias_find(d, local);
	if (alias == NULL)
		alias = cfg_alias_find(d, str_slice(local, 0, str_find(local, '+')));
	return alias == NULL ? NONE
	                     : w->first[d - w->b->c->domains] + (unsigned)(alias - d->aliases);
}

static void
report_loop(struct walk *w, unsigned from)
{
	char room[500];
	struct buf b = BUF_ON(room);
	bool in = false;
	unsigned line = w->places[from].line;

	for (unsigned i = 0; i < w->depth; i++) {
		const struct place *p = &w->places[w->stack[i]];

		in = in || w->stack[i] == from;
		if (in)
			buf_addf(&b, "%.*s@%.*s -> ", STR_FMT(p->alias->name),
			         STR_FMT(p->domain->name));
	}
	if (b.cut)
		buf_add(&b, STR("... -> "));
	cfg_report_error(w->b->report, line, "alias", "leads back to itself: %s%.*s@%.*s", room,
	                 STR_FMT(w->places[from].alias->name),
	                 STR_FMT(w->places[from].domain->name));
}

/* <p> leads to an alias from which <more> aliases are in a chain. Said once, likewise. */
static void
add_depth(struct walk *w, struct place *p, unsigned more)
{
	if (more < p->depth || p->depth > CFG_ALIAS_DEPTH)
		return;
	p->depth = more > CFG_ALIAS_DEPTH ? more : more + 1;
	if (p->depth > CFG_ALIAS_DEPTH && more == CFG_ALIAS_DEPTH)
		cfg_report_error(w->b->report, p->line, "alias",
		                 "%s leads over more than %u aliases",
		                 cfg_given(p->alias->name).c, CFG_ALIAS_DEPTH);
}

static void
push(struct walk *w, unsigned at)
{
	w->places[at].mark = MARK_OPEN;
	w->places[at].depth = 1;
	w->stack[w->depth++] = at;
}

/* Too many is said once: not of each alias that leads to this one as well. */
static void
add_reach(struct walk *w, struct place *p, unsigned more)
{
	bool was_over = p->reaches > CFG_ALIAS_MOST;

	p->reaches += more;
	if (p->reaches <= CFG_ALIAS_MOST)
		return;
	p->reaches = CFG_ALIAS_MOST + 1;
	if (!was_over && more <= CFG_ALIAS_MOST)
		cfg_report_error(
			w->b->report, p->line, "alias",
			"%s leads to more than %u addresses, aliases on the way counted",
			cfg_given(p->alias->name).c, CFG_ALIAS_MOST);
}

static void
add_target(struct walk *w, struct place *p, const struct place *target)
{
	add_reach(w, p, target->reaches);
	add_depth(w, p, target->depth);
}

static void
pop(struct walk *w)
{
	struct place *p = &w->places[w->stack[--w->depth]];

	p->mark = MARK_DONE;
	if (w->depth > 0)
		add_target(w, &w->places[w->stack[w->depth - 1]], p);
}

static void
step(struct walk *w)
{
	struct place *p = &w->places[w->stack[w->depth - 1]];

	if (p->next == p->alias->to_count) {
		pop(w);
		return;
	}
	unsigned to = place_of(w, p->alias->to[p->next++]);
	add_reach(w, p, 1);
	struct place *q = to == NONE ? p : &w->places[to];
	if (q == p)
		return;
	if (q->mark == MARK_NEW)
		push(w, to);
	else if (q->mark == MARK_OPEN)
		report_loop(w, to);
	else
		add_target(w, p, q);
}

/* A catch_all is followed as an alias of one target would be. */
static void
check_catch_all(struct walk *w, unsigned domain)
{
	const struct cfg_domain *d = &w->b->c->domains[domain];
	unsigned to = d->catch_all.n == 0 ? NONE : place_of(w, d->catch_all);

	if (to != NONE &&
	    (w->places[to].reaches == CFG_ALIAS_MOST || w->places[to].depth == CFG_ALIAS_DEPTH))
		cfg_report_error(w->b->report,
		                 cfg_tree_value(w->b->sections[domain], "catch_all")->line,
		                 "catch_all",
		                 "%s leads to more than %u addresses or over more than "
		                 "%u aliases, itself counted",
		                 cfg_given(d->catch_all).c, CFG_ALIAS_MOST, CFG_ALIAS_DEPTH);
}

/* Returns how many places there are; <w> has room for them only in the second round. */
static unsigned
lay_out(struct walk *w)
{
	unsigned count = 0;

	for (unsigned i = 0; i < w->b->c->domain_count; i++) {
		const struct cfg_domain *d = &w->b->c->domains[i];

		if (w->places != NULL)
			w->first[i] = count;
		for (unsigned j = 0; j < d->alias_count; j++, count++)
			if (w->places != NULL)
				w->places[count] =
					(struct place){.domain = d,
				                       .alias = &d->aliases[j],
				                       .line = w->b->alias_lines[i][j]};
	}
	return count;
}

bool
cfg_check_aliases(struct cfg_build *b)
{
	struct walk w = {.b = b};
	unsigned count = lay_out(&w);

	w.first = arena_array(b->temp, b->c->domain_count, sizeof(w.first[0]));
	w.stack = arena_array(b->temp, count, sizeof(w.stack[0]));
	w.places = arena_array(b->temp, count, sizeof(w.places[0]));
	if (w.first == NULL || w.stack == NULL || w.places == NULL)
		return false;
	(void)lay_out(&w);
	for (unsigned i = 0; i < count; i++) {
		if (w.places[i].mark == MARK_NEW)
			push(&w, i);
		while (w.depth > 0)
			step(&w);
	}
	for (unsigned i = 0; i < b->c->domain_count; i++)
		check_catch_all(&w, i);
	return true;
}
