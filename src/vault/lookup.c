/*
 * Tables in their order. See lookup.h.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "vault/lookup.h"

bool
lookup_init(struct lookup *l, const struct cfg *cfg, const struct maps *maps)
{
	unsigned count = 0;

	*l = (struct lookup){.cfg = cfg, .maps = maps};
	l->first = calloc((size_t)cfg->domain_count + 1, sizeof(*l->first));
	if (l->first == NULL)
		return false;
	for (unsigned i = 0; i < cfg->domain_count; i++) {
		l->first[i] = count;
		count += cfg->domains[i].alias_count + 1;
	}
	l->marks = calloc((size_t)count + 1, sizeof(*l->marks));
	return l->marks != NULL;
}

void
lookup_end(struct lookup *l)
{
	free(l->marks);
	free(l->first);
}

const struct cfg_domain *
lookup_own(const struct cfg *cfg)
{
	const struct cfg_domain *system = cfg_domain_system(cfg);

	return system != NULL ? system : cfg_domain_home(cfg);
}

/* virtual(5) says "in $mydestination", aliases(5) "local": the machine's own users. */
static bool
is_own(const struct cfg *cfg, const struct cfg_domain *d)
{
	if (cfg_domain_system(cfg) != NULL)
		return d->mailboxes == MAILBOXES_SYSTEM;
	return d == cfg_domain_home(cfg);
}

static struct entry
none(void)
{
	return (struct entry){.mark = NULL};
}

static struct entry
section_find(const struct lookup *l, struct str local, const struct cfg_domain *d)
{
	const struct cfg_alias *alias = cfg_alias_find(d, local);

	if (alias == NULL)
		return none();
	unsigned at = l->first[d - l->cfg->domains] + (unsigned)(alias - d->aliases);
	return (struct entry){.domain = d->name,
	                      .name = alias->name,
	                      .texts = alias->to,
	                      .count = alias->to_count,
	                      .mark = &l->marks[at]};
}

static struct entry
row_entry(const struct cfg_domain *d, struct map_row *row)
{
	if (row == NULL)
		return none();
	return (struct entry){.domain = d->name,
	                      .name = row->local,
	                      .rows = row->to,
	                      .count = row->to_count,
	                      .forwards = row->to_count > 0 && row->to[0].kind == TARGET_DOMAIN,
	                      .mark = &row->mark};
}

/* user+extension@domain or user@domain, by the name that was asked for or the domain's own. */
static struct map_row *
virtual_address(const struct lookup *l, struct str local, const struct place *at)
{
	struct map_row *row = NULL;

	if (at->asked.n > 0)
		row = maps_find(l->maps, MAP_VIRTUAL, local, at->asked);
	return row != NULL ? row : maps_find(l->maps, MAP_VIRTUAL, local, at->domain->name);
}

/* virtual(5), "table search order" with "address extension". */
static struct map_row *
virtual_find(const struct lookup *l, struct str local, const struct place *at)
{
	size_t plus = str_find(local, '+');
	struct str base = plus > 0 ? str_slice(local, 0, plus) : local;
	struct map_row *row = virtual_address(l, local, at);

	if (row == NULL)
		row = virtual_address(l, base, at);
	if (row != NULL || !is_own(l->cfg, at->domain))
		return row;
	row = maps_find(l->maps, MAP_VIRTUAL, local, STR(""));
	return row != NULL ? row : maps_find(l->maps, MAP_VIRTUAL, base, STR(""));
}

struct entry
lookup_find(const struct lookup *l, enum lookup_step step, struct str local,
            const struct place *at, bool *ret_missing)
{
	*ret_missing = false;
	if (step == LOOKUP_SECTION)
		return section_find(l, local, at->domain);
	if (l->maps == NULL || (step == LOOKUP_FILE && !is_own(l->cfg, at->domain)))
		return none();
	enum cfg_map kind = step == LOOKUP_FILE ? MAP_ALIASES : MAP_VIRTUAL;
	*ret_missing = maps_known(l->maps, kind) == MAPS_MISSING;
	if (step == LOOKUP_FILE)
		return row_entry(at->domain, maps_find(l->maps, kind, local, STR("")));
	return row_entry(at->domain, virtual_find(l, local, at));
}

struct entry
lookup_catch_all(const struct lookup *l, const struct place *at)
{
	const struct cfg_domain *d = at->domain;

	if (d->catch_all.n > 0)
		return (struct entry){
			.domain = d->name,
			.name = STR(""),
			.texts = &d->catch_all,
			.count = 1,
			.mark = &l->marks[l->first[d - l->cfg->domains] + d->alias_count]};
	if (l->maps == NULL)
		return none();
	return row_entry(d, virtual_address(l, STR(""), at));
}

bool
lookup_is_partial(const struct lookup *l, const struct cfg_domain *d)
{
	if (l->maps == NULL)
		return false;
	return maps_known(l->maps, MAP_VIRTUAL) != MAPS_ALL ||
	       (is_own(l->cfg, d) && maps_known(l->maps, MAP_ALIASES) != MAPS_ALL);
}
