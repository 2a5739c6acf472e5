/*
 * Aliases and catch-alls: their names, and where they lead. See cfg_build.h.
 */
#include "cfg/cfg_build.h"
#include "proto/address.h"

/* <text> as an address of domain <d>, unless it names a domain of its own. */
static enum fault
parse_in(struct str text, const struct cfg_domain *d, struct address *ret)
{
	char room[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(room);
	enum fault f = address_parse(text, true, ret);

	if (f != FAULT_no_domain)
		return f;
	buf_add(&b, text);
	buf_addc(&b, '@');
	buf_add(&b, d->name);
	return b.cut ? FAULT_path_long : address_parse(buf_str(&b), true, ret);
}

bool
cfg_build_target(struct cfg_build *b, const struct cfg_domain *d, const struct cfg_value *v,
                 struct str *ret)
{
	struct address a;
	char room[2 * CFG_TEXT_MAX];
	struct buf key = BUF_ON(room);
	enum fault f = parse_in(v->text, d, &a);

	if (f != FAULT_none) {
		cfg_report_error(b->report, v->line, v->key->name,
		                 "expected a local part or an address of ours, got %s: %s",
		                 cfg_given(v->text).c, fault_text(f));
		return true;
	}
	const struct cfg_domain *ours = cfg_domain_canonical(b->c, str_of(a.domain.name));
	if (ours == NULL) {
		cfg_report_error(
			b->report, v->line, v->key->name,
			"%s is in no domain of ours, and sekisho does not send mail out "
			"yet: expected a local part or an address of ours",
			cfg_given(v->text).c);
		return true;
	}
	struct buf name = BUF_ON(a.domain.name);
	buf_add(&name, ours->name); /* fits: it came from such a name */
	address_key(&key, &a);
	if (key.n > MAILBOX_MAX)
		cfg_report_error(b->report, v->line, v->key->name, "%s is too long as %.*s",
		                 cfg_given(v->text).c, STR_FMT(buf_str(&key)));
	*ret = arena_str(b->keeps, buf_str(&key));
	return ret->p != NULL;
}

static bool
set_targets(struct cfg_build *b, const struct cfg_domain *d, const struct cfg_node *n,
            struct cfg_alias *a)
{
	unsigned count = 0;

	for (const struct cfg_value *v = n->values; v != NULL; v = v->next)
		count++; /* <to> is the only key of an alias */
	if (count == 0 || count > CFG_ALIAS_MOST) {
		cfg_report_error(b->report, n->line, "alias",
		                 "%s leads to %u addresses, expected 1 to %u",
		                 cfg_given(n->title).c, count, CFG_ALIAS_MOST);
		return true;
	}
	a->to = arena_array(b->keeps, count, sizeof(a->to[0]));
	if (a->to == NULL)
		return false;
	for (const struct cfg_value *v = n->values; v != NULL; v = v->next)
		if (!cfg_build_target(b, d, v, &a->to[a->to_count++]))
			return false;
	return true;
}

static bool
add_alias(struct cfg_build *b, const struct cfg_domain *d, const struct cfg_node *n,
          struct cfg_named *named, unsigned *count)
{
	struct address a;
	char room[LOCAL_MAX + 1];
	struct buf lower = BUF_ON(room);
	enum fault f = parse_in(n->title, d, &a);

	if (f != FAULT_none || !str_eq(str_of(a.domain.name), d->name)) {
		cfg_report_error(b->report, n->line, "alias",
		                 "expected a local part, got %s%s%s", cfg_given(n->title).c,
		                 f == FAULT_none ? "" : ": ",
		                 f == FAULT_none ? "" : fault_text(f));
		return true;
	}
	buf_add_lower(&lower, str_of(a.local));
	named[*count] = (struct cfg_named){
		.name = arena_str(b->keeps, buf_str(&lower)), .node = n, .order = *count};
	return named[(*count)++].name.p != NULL;
}

static bool
set_aliases(struct cfg_build *b, struct cfg_domain *d, const struct cfg_node *section,
            unsigned **ret_lines)
{
	unsigned most = cfg_build_count(section, "alias");
	unsigned count = 0;
	struct cfg_named *named = arena_array(b->temp, most, sizeof(named[0]));
	unsigned *lines = arena_array(b->temp, most, sizeof(lines[0]));

	d->aliases = arena_array(b->keeps, most, sizeof(d->aliases[0]));
	if (named == NULL || lines == NULL || d->aliases == NULL)
		return false;
	for (const struct cfg_node *n = cfg_build_next(section->nodes, "alias"); n != NULL;
	     n = cfg_build_next(n->next, "alias"))
		if (!add_alias(b, d, n, named, &count))
			return false;
	d->alias_count = cfg_build_unique(b, named, count, "alias");
	for (unsigned i = 0; i < d->alias_count; i++) {
		d->aliases[i].name = named[i].name;
		lines[i] = named[i].node->line;
		if (!set_targets(b, d, named[i].node, &d->aliases[i]))
			return false;
	}
	*ret_lines = lines;
	return true;
}

/* Where a domain has no postmaster, that of the home domain takes its mail. */
static void
warn_of_no_postmaster(struct cfg_build *b, const struct cfg_domain *d, unsigned line)
{
	/* what stands in files is not ours to read: vault says it at its start */
	if (b->c->alias_files.count + b->c->virtual_files.count > 0)
		return;
	if (d == cfg_domain_home(b->c) && cfg_alias_find(d, STR("postmaster")) == NULL)
		cfg_report_warning(b->report, line, "domain",
		                   "%.*s, the first one, has no alias postmaster; RFC 5321 "
		                   "§4.5.1 wants that address, so it must be an account",
		                   STR_FMT(d->name));
}

bool
cfg_build_aliases(struct cfg_build *b)
{
	b->alias_lines = arena_array(b->temp, b->c->domain_count, sizeof(b->alias_lines[0]));
	if (b->alias_lines == NULL)
		return false;
	for (unsigned i = 0; i < b->c->domain_count; i++) {
		struct cfg_domain *d = &b->c->domains[i];
		const struct cfg_node *n = b->sections[i];

		if (n == NULL || cfg_tree_value(n, "same_as") != NULL)
			continue;
		const struct cfg_value *v = cfg_tree_value(n, "catch_all");
		if (v != NULL && !cfg_build_target(b, d, v, &d->catch_all))
			return false;
		if (!set_aliases(b, d, n, &b->alias_lines[i]))
			return false;
		if (v == NULL)
			warn_of_no_postmaster(b, d, n->line);
	}
	return true;
}
