/*
 * Lookups in the finished configuration: binary searches, so that 10,000 domains with
 * 100,000 aliases cost a recipient no time. See cfg.h.
 */
#include <stdlib.h>

#include "cfg/cfg.h"

int
cfg_name_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		int by =
			(unsigned char)ascii_lower(a.p[i]) - (unsigned char)ascii_lower(b.p[i]);

		if (by != 0)
			return by;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static int
domain_cmp(const void *name, const void *domain)
{
	return cfg_name_cmp(*(const struct str *)name,
	                    ((const struct cfg_domain *)domain)->name);
}

static int
endpoint_cmp(const void *name, const void *endpoint)
{
	return cfg_name_cmp(*(const struct str *)name,
	                    ((const struct cfg_endpoint *)endpoint)->name);
}

static int
alias_cmp(const void *name, const void *alias)
{
	return cfg_name_cmp(*(const struct str *)name, ((const struct cfg_alias *)alias)->name);
}

static int
local_cmp(const void *name, const void *local)
{
	return cfg_name_cmp(*(const struct str *)name, ((const struct cfg_local *)local)->name);
}

const struct cfg_domain *
cfg_domain_find(const struct cfg *c, struct str name)
{
	if (c->domain_count == 0)
		return NULL;
	return bsearch(&name, c->domains, c->domain_count, sizeof(c->domains[0]), domain_cmp);
}

const struct cfg_domain *
cfg_domain_canonical(const struct cfg *c, struct str name)
{
	const struct cfg_domain *d = cfg_domain_find(c, name);

	return d == NULL || d->same_as.n == 0 ? d : cfg_domain_find(c, d->same_as);
}

const struct cfg_domain *
cfg_domain_home(const struct cfg *c)
{
	return c->domain_count == 0 ? NULL : cfg_domain_canonical(c, c->domains[c->home].name);
}

const struct cfg_domain *
cfg_domain_system(const struct cfg *c)
{
	return c->system == 0 ? NULL : &c->domains[c->system - 1];
}

const struct cfg_endpoint *
cfg_domain_endpoint(const struct cfg *c, const struct cfg_domain *d)
{
	return d->endpoint == 0 ? NULL : &c->endpoints[d->endpoint - 1];
}

const struct cfg_endpoint *
cfg_endpoint_find(const struct cfg *c, struct str name)
{
	if (c->endpoint_count == 0)
		return NULL;
	return bsearch(&name, c->endpoints, c->endpoint_count, sizeof(c->endpoints[0]),
	               endpoint_cmp);
}

bool
cfg_needs_users(const struct cfg *c)
{
	for (unsigned i = 0; i < c->listen_count; i++)
		if (c->listens[i].service == SERVICE_LOCAL)
			return true;
	return c->system != 0;
}

const struct cfg_local *
cfg_local_find(const struct cfg *c, struct str user)
{
	if (c->local_count == 0)
		return NULL;
	const struct cfg_local *l =
		bsearch(&user, c->locals, c->local_count, sizeof(c->locals[0]), local_cmp);
	return l != NULL && str_eq(l->name, user) ? l : NULL; /* to the machine case matters */
}

/* Where the first domain has the machine's users its name is theirs; else alice@first would be
 * an account that may be somebody else's. */
struct str
cfg_origin(const struct cfg *c)
{
	const struct cfg_domain *home = cfg_domain_home(c);

	return home != NULL && home->mailboxes == MAILBOXES_SYSTEM ? home->name : c->hostname;
}

const struct cfg_alias *
cfg_alias_find(const struct cfg_domain *d, struct str local)
{
	if (d->alias_count == 0)
		return NULL;
	return bsearch(&local, d->aliases, d->alias_count, sizeof(d->aliases[0]), alias_cmp);
}

struct str
cfg_choice_word(const char *choices, unsigned at)
{
	struct str rest = str_of(choices);
	struct str word;

	while (str_cut(&rest, '|', &word))
		if (at-- == 0)
			return word;
	return STR_NONE;
}

bool
cfg_choice_find(const char *choices, struct str word, unsigned *ret)
{
	struct str rest = str_of(choices);
	struct str one;

	for (unsigned at = 0; str_cut(&rest, '|', &one); at++)
		if (str_eq(one, word)) {
			*ret = at;
			return true;
		}
	return false;
}

struct cfg *
cfg_free(struct cfg *c)
{
	if (c != NULL)
		(void)arena_free(c->arena); /* <c> itself lies in it */
	return NULL;
}

/* 127.0.0.0/8 and ::1: RFC 1122 §3.2.1.3, RFC 4291 §2.5.3. */
static bool
is_loopback(const struct netaddr *a)
{
	static const struct netaddr v6 = {{[15] = 1}};

	return netaddr_is_v4(a) ? a->octets[12] == 127 : netaddr_eq(a, &v6);
}

bool
cfg_metrics(struct str text, struct netaddr *ret, uint16_t *ret_port)
{
	size_t colon = str_rfind(text, ':');
	struct str host = str_slice(text, 0, colon);
	bool v6 = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	struct netaddr addr;
	uint64_t port;

	if (v6)
		host = str_slice(host, 1, host.n - 1);
	/* a mapped address in brackets is neither the one nor the other */
	if (!str_u64(str_slice(text, colon + 1, text.n), UINT16_MAX, &port) || port == 0 ||
	    !netaddr_parse(host, &addr) || netaddr_is_v4(&addr) == v6 || !is_loopback(&addr))
		return false;
	*ret = addr;
	*ret_port = (uint16_t)port;
	return true;
}
