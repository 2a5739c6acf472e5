/*
 * Relay authority. See relay.h.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/relay.h"
#include "proto/address.h"

static int
name_cmp(const void *a, const void *b)
{
	const struct str *x = a;
	const struct str *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = memcmp(x->p, y->p, n);

	if (order != 0)
		return order;
	return x->n < y->n ? -1 : x->n > y->n;
}

static bool
is_loopback(const struct netaddr *a)
{
	static const struct netaddr v6 = {{[15] = 1}};

	return (netaddr_is_v4(a) && a->octets[12] == 127) || netaddr_eq(a, &v6);
}

static bool
literal_is_ours(const struct netaddr *ip, const struct relay_ours *ours,
                const struct netaddr *local)
{
	if (is_loopback(ip) || netaddr_eq(ip, local))
		return true;
	for (size_t i = 0; i < ours->listen_count; i++)
		if (netaddr_eq(ip, &ours->listens[i]))
			return true;
	return false;
}

/* The domain of ours that <d> is, or an empty one. */
static struct str
domain_of_ours(const struct domain *d, const struct relay_ours *ours,
               const struct netaddr *local)
{
	struct str name = str_of(d->name);
	const struct str *found;

	if (name.n == 0) /* <postmaster>, RFC 5321 §4.5.1 */
		return ours->home;
	if (d->is_literal)
		return literal_is_ours(&d->ip, ours, local) ? ours->home : STR_NONE;
	if (ours->name_count == 0)
		return STR_NONE;
	found = bsearch(&name, ours->names, ours->name_count, sizeof(name), name_cmp);
	return found == NULL ? STR_NONE : *found;
}

enum relay
relay_authority(enum identity who, const struct path *to, const struct relay_ours *ours,
                const struct netaddr *local, struct str *ret_domain)
{
	struct str domain = domain_of_ours(&to->address.domain, ours, local);

	(void)who; /* nobody may send out: there is nobody yet to carry it */
	if (to->kind == PATH_NULL || domain.n == 0)
		return RELAY_DENIED;
	*ret_domain = domain;
	return RELAY_LOCAL;
}
