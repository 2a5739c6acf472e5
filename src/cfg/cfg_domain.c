/*
 * Domain sections: names, same_as, and the two domains that every host has. See cfg_build.h.
 */
#include <stdlib.h>

#include "cfg/cfg_build.h"
#include "proto/domain.h"

#define IMPLIED 2U /* our host name and localhost */

static int
named_cmp(const void *a, const void *b)
{
	const struct cfg_named *x = a;
	const struct cfg_named *y = b;
	int by = cfg_name_cmp(x->name, y->name);

	return by != 0 ? by : (x->order > y->order) - (x->order < y->order);
}

unsigned
cfg_build_unique(struct cfg_build *b, struct cfg_named *named, unsigned count, const char *key)
{
	unsigned kept = 0;

	if (count > 0)
		qsort(named, count, sizeof(named[0]), named_cmp);
	for (unsigned i = 0; i < count; i++) {
		const struct cfg_named *last = kept == 0 ? NULL : &named[kept - 1];

		if (last == NULL || cfg_name_cmp(last->name, named[i].name) != 0)
			named[kept++] = named[i];
		else if (named[i].node != NULL)
			cfg_report_error(b->report, named[i].node->line, key,
			                 "%s is there twice, first in %s",
			                 cfg_given(named[i].node->title).c,
			                 cfg_report_place(b->report, named[i].node->line,
			                                  last->node->line)
			                         .c);
	}
	return kept;
}

/* Adds it to the <*count> of <named>; a title that is no domain is reported. */
static bool
add_section(struct cfg_build *b, const struct cfg_node *n, struct cfg_named *named,
            unsigned *count)
{
	struct domain d;
	enum fault f = domain_parse(n->title, true, &d);

	if (f != FAULT_none || d.is_literal) {
		cfg_report_error(b->report, n->line, "domain", "expected a domain, got %s%s%s",
		                 cfg_given(n->title).c, f == FAULT_none ? "" : ": ",
		                 f == FAULT_none ? "" : fault_text(f));
		return true;
	}
	named[*count] = (struct cfg_named){
		.name = arena_str(b->keeps, str_of(d.name)), .node = n, .order = *count};
	return named[(*count)++].name.p != NULL;
}

/* Sections first, so that they win over what is implied. */
static bool
collect(struct cfg_build *b, struct cfg_named *named, unsigned *count)
{
	const struct str implied[IMPLIED] = {b->c->hostname, STR("localhost")};

	for (const struct cfg_node *n = cfg_build_next(b->file->nodes, "domain"); n != NULL;
	     n = cfg_build_next(n->next, "domain"))
		if (!add_section(b, n, named, count))
			return false;
	for (unsigned i = 0; i < IMPLIED; i++, (*count)++)
		named[*count] = (struct cfg_named){.name = implied[i], .order = *count};
	return true;
}

static void
set_same_as(struct cfg_build *b, struct cfg_domain *d, const struct cfg_node *n)
{
	const struct cfg_value *v = cfg_tree_value(n, "same_as");
	struct domain name;

	if (v == NULL)
		return;
	const struct cfg_domain *to = domain_parse(v->text, true, &name) == FAULT_none
	                                      ? cfg_domain_find(b->c, str_of(name.name))
	                                      : NULL;
	const struct cfg_node *section = to == NULL ? NULL : b->sections[to - b->c->domains];
	if (section == NULL)
		cfg_report_error(b->report, v->line, "same_as",
		                 "expected the name of another domain section, got %s",
		                 cfg_given(v->text).c);
	else if (cfg_tree_value(section, "same_as") != NULL)
		cfg_report_error(b->report, v->line, "same_as",
		                 "%s has a same_as itself (%s): name the last one",
		                 cfg_given(v->text).c,
		                 cfg_report_place(b->report, v->line, section->line).c);
	else
		d->same_as = to->name;
	if (cfg_build_count(n, "alias") > 0 || cfg_tree_value(n, "catch_all") != NULL)
		cfg_report_error(b->report, n->line, "domain",
		                 "%s has a same_as, so it can have no alias and no catch_all",
		                 cfg_given(n->title).c);
}

static void
set_all_same_as(struct cfg_build *b)
{
	struct cfg *c = b->c;

	for (unsigned i = 0; i < c->domain_count; i++)
		if (b->sections[i] != NULL)
			set_same_as(b, &c->domains[i], b->sections[i]);
	const struct cfg_domain *home = &c->domains[c->home];
	for (unsigned i = 0; i < c->domain_count; i++)
		if (b->sections[i] == NULL && i != c->home)
			c->domains[i].same_as =
				home->same_as.n > 0 ? home->same_as : home->name;
}

bool
cfg_build_domains(struct cfg_build *b)
{
	struct cfg *c = b->c;
	unsigned most = cfg_build_count(b->file, "domain") + IMPLIED;
	unsigned count = 0;
	struct cfg_named *named = arena_array(b->temp, most, sizeof(named[0]));

	c->domains = arena_array(b->keeps, most, sizeof(c->domains[0]));
	b->sections = arena_array(b->temp, most, sizeof(b->sections[0]));
	if (named == NULL || c->domains == NULL || b->sections == NULL ||
	    !collect(b, named, &count))
		return false;
	c->domain_count = cfg_build_unique(b, named, count, "domain");
	for (unsigned i = 0; i < c->domain_count; i++) {
		c->domains[i].name = named[i].name;
		c->domains[i].implied = named[i].node == NULL;
		b->sections[i] = named[i].node;
		if (named[i].order == 0)
			c->home = i;
	}
	set_all_same_as(b);
	return true;
}
