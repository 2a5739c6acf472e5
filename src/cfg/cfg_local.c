/*
 * Sections local: what users of the machine may send as, and how much. See cfg_build.h.
 */
#include "cfg/cfg_build.h"
#include "cfg/cfg_units.h"

#define USER_MOST 32U /* octets of a user's name, useradd(8) */
#define RATE_UNIT "recipients per hour"
#define RATE_MOST 1000000U
#define NULL_SENDER "<>"

/* What passwd(5) can hold and a log line shows as it is. */
static bool
is_user(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f ||
		    s.p[i] == ':' || s.p[i] == '/' || s.p[i] == '"')
			return false;
	return s.n > 0 && s.n <= USER_MOST;
}

static bool
add_sender(struct cfg_build *b, const struct cfg_value *v, struct str *ret)
{
	if (!str_eq(v->text, STR(NULL_SENDER)))
		return cfg_build_target(b, cfg_domain_home(b->c), v, ret);
	*ret = STR(NULL_SENDER);
	return true;
}

static bool
set_senders(struct cfg_build *b, const struct cfg_node *n, struct cfg_local *l)
{
	unsigned count = 0;

	for (const struct cfg_value *v = n->values; v != NULL; v = v->next)
		count += str_eq(str_of(v->key->name), STR("senders"));
	if (count > CFG_SENDERS_MOST) {
		cfg_report_error(b->report, n->line, "senders",
		                 "there are %u, expected at most %u", count, CFG_SENDERS_MOST);
		return true;
	}
	l->senders = arena_array(b->keeps, count + 1U, sizeof(l->senders[0]));
	if (l->senders == NULL)
		return false;
	for (const struct cfg_value *v = n->values; v != NULL; v = v->next)
		if (str_eq(str_of(v->key->name), STR("senders")) &&
		    !add_sender(b, v, &l->senders[l->sender_count++]))
			return false;
	return true;
}

static void
set_rate(struct cfg_build *b, const struct cfg_node *n, struct cfg_local *l)
{
	const struct cfg_value *v = cfg_tree_value(n, "rate");

	if (v != NULL && (!cfg_units_parse(RATE_UNIT, v->text, &l->rate) || l->rate == 0 ||
	                  l->rate > RATE_MOST))
		cfg_report_error(b->report, v->line, "rate", "expected 1/h to %u/h%s, got %s",
		                 RATE_MOST, cfg_units_example(RATE_UNIT), cfg_given(v->text).c);
}

bool
cfg_build_locals(struct cfg_build *b)
{
	unsigned most = cfg_build_count(b->file, "local");
	unsigned count = 0;
	struct cfg_named *named = arena_array(b->temp, most + 1U, sizeof(named[0]));

	b->c->locals = arena_array(b->keeps, most + 1U, sizeof(b->c->locals[0]));
	if (named == NULL || b->c->locals == NULL)
		return false;
	if (most > CFG_LOCALS_MOST)
		cfg_report_error(b->report, 0, "local", "there are %u, expected at most %u",
		                 most, CFG_LOCALS_MOST);
	for (const struct cfg_node *n = cfg_build_next(b->file->nodes, "local"); n != NULL;
	     n = cfg_build_next(n->next, "local")) {
		if (!is_user(n->title))
			cfg_report_error(b->report, n->line, "local",
			                 "expected the name of a user of this machine, got %s",
			                 cfg_given(n->title).c);
		named[count] = (struct cfg_named){
			.name = arena_str(b->keeps, n->title), .node = n, .order = count};
		if (named[count++].name.p == NULL)
			return false;
	}
	b->c->local_count = cfg_build_unique(b, named, count, "local");
	for (unsigned i = 0; i < b->c->local_count; i++) {
		struct cfg_local *l = &b->c->locals[i];

		l->name = named[i].name;
		set_rate(b, named[i].node, l);
		if (!set_senders(b, named[i].node, l))
			return false;
	}
	return true;
}
