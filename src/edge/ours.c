/*
 * What of the configuration says whose mail is ours. See ours.h.
 */
#include "edge/ours.h"
#include "cfg/cfg.h"

/* 0.0.0.0 or ::, which stand for `*` and are nobody's address. */
static bool
is_any(const struct netaddr *a)
{
	static const struct netaddr v4 = {
		{[10] = 0xff, [11] = 0xff}
        };
	static const struct netaddr v6 = {{0}};

	return netaddr_eq(a, &v4) || netaddr_eq(a, &v6);
}

/* The configuration's domains stand in the order that relay.h wants. */
enum rc
ours_know(struct relay_ours *ret, struct arena *arena, const struct cfg *c, struct err *e)
{
	const struct cfg_domain *home = cfg_domain_home(c);
	struct str *names = arena_array(arena, c->domain_count + 1U, sizeof(*names));
	struct netaddr *listens =
		arena_array(arena, c->listen_count * 2U + 1U, sizeof(*listens));

	if (names == NULL || listens == NULL)
		return err_set(e, RC_TEMP, "out of memory");
	*ret = (struct relay_ours){.names = names, .listens = listens};
	for (unsigned i = 0; i < c->domain_count; i++)
		names[ret->name_count++] = c->domains[i].name;
	for (unsigned i = 0; i < c->listen_count; i++) {
		if (c->listens[i].v4 && !is_any(&c->listens[i].addr4))
			listens[ret->listen_count++] = c->listens[i].addr4;
		if (c->listens[i].v6 && !is_any(&c->listens[i].addr6))
			listens[ret->listen_count++] = c->listens[i].addr6;
	}
	ret->home = home == NULL ? STR_NONE : home->name;
	return RC_OK;
}
