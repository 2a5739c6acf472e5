/*
 * Domain sections: whose the mailboxes are, and where their mail goes. See cfg_build.h.
 */
#include <stdlib.h>
#include <sys/un.h>

#include "cfg/cfg_build.h"
#include "cfg/cfg_units.h"

#define PATH_MOST (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/* "127.0.0.1:24", "[::1]:24" or "localhost:24" */
static bool
parse_host_port(struct str s, struct cfg_endpoint *ret)
{
	size_t colon = str_rfind(s, ':');
	struct str host = str_slice(s, 0, colon);
	uint64_t port;

	if (!str_u64(str_slice(s, colon + 1, s.n), UINT16_MAX, &port) || port == 0)
		return false;
	ret->port = (uint16_t)port;
	if (str_eq(host, STR("localhost")))
		host = STR("127.0.0.1");
	if (!str_starts(host, STR("[")))
		return netaddr_parse(host, &ret->addr) && netaddr_is_v4(&ret->addr);
	return host.p[host.n - 1] == ']' &&
	       netaddr_parse(str_slice(host, 1, host.n - 1), &ret->addr) &&
	       !netaddr_is_v4(&ret->addr);
}

static bool
parse_endpoint(struct str text, struct cfg_endpoint *ret)
{
	struct str to = str_slice(text, STR("lmtp:").n, text.n);

	if (!str_starts(text, STR("lmtp:")))
		return false;
	ret->is_unix = str_starts(to, STR("/"));
	if (!ret->is_unix)
		return parse_host_port(to, ret);
	ret->path = to;
	return to.n <= PATH_MOST;
}

/* In one form, so that two ways to write it are one endpoint. */
static bool
name_endpoint(struct cfg_build *b, struct cfg_endpoint *ep)
{
	char room[CFG_TEXT_MAX];
	struct buf name = BUF_ON(room);

	buf_add(&name, STR("lmtp:"));
	if (ep->is_unix) {
		buf_add(&name, ep->path);
	} else {
		bool v4 = netaddr_is_v4(&ep->addr);

		buf_addf(&name, v4 ? "%s:%u" : "[%s]:%u", netaddr_text(&ep->addr).c, ep->port);
	}
	ep->name = arena_str(b->keeps, buf_str(&name));
	ep->path = ep->is_unix ? str_slice(ep->name, STR("lmtp:").n, ep->name.n) : STR_NONE;
	return ep->name.p != NULL;
}

static bool
set_endpoint(struct cfg_build *b, const struct cfg_node *n, struct cfg_endpoint *ep)
{
	const struct cfg_value *v = cfg_tree_value(n, "deliver");

	if (v == NULL)
		return true;
	if (parse_endpoint(v->text, ep))
		return name_endpoint(b, ep);
	*ep = (struct cfg_endpoint){.port = 0};
	cfg_report_error(b->report, v->line, "deliver",
	                 "expected lmtp:ADDRESS:PORT, lmtp:[IPv6]:PORT, lmtp:localhost:PORT "
	                 "or lmtp:/SOCKET, got %s",
	                 cfg_given(v->text).c);
	return true;
}

static void
set_mailboxes(struct cfg_build *b, const struct cfg_node *n, struct cfg_domain *d)
{
	const struct cfg_key *key = cfg_key_find(SCOPE_domain, STR("mailboxes"));
	const struct cfg_value *v = cfg_tree_value(n, "mailboxes");
	unsigned choice = MAILBOXES_VIRTUAL;

	if (v != NULL && !cfg_choice_find(key->choices, v->text, &choice))
		cfg_report_error(b->report, v->line, "mailboxes", "expected one of %s, got %s",
		                 key->choices, cfg_given(v->text).c);
	d->mailboxes = (enum cfg_mailboxes)choice;
}

/* Of Maildirs that are ours: users of the machine have the disk's quota, who takes LMTP his
 * own. */
static void
set_quota(struct cfg_build *b, const struct cfg_node *n, struct cfg_domain *d)
{
	const struct cfg_value *v = cfg_tree_value(n, "quota");

	if (v == NULL)
		return;
	if (!cfg_units_parse("octets", v->text, &d->quota) || d->quota < CFG_QUOTA_MIN ||
	    d->quota > CFG_QUOTA_MAX) {
		d->quota = 0;
		cfg_report_error(b->report, v->line, "quota",
		                 "expected 1MiB to 1024TiB, as 2GiB, got %s",
		                 cfg_given(v->text).c);
	}
	if (d->mailboxes == MAILBOXES_SYSTEM || cfg_tree_value(n, "deliver") != NULL)
		cfg_report_error(b->report, v->line, "quota",
		                 "only virtual mailboxes that are Maildirs here have one");
}

/* A section with a same_as has what that one has. */
static void
check_alone(struct cfg_build *b, const struct cfg_node *n)
{
	static const char *const keys[] = {"mailboxes", "deliver", "quota"};

	for (size_t i = 0; i < LENGTH(keys); i++) {
		const struct cfg_value *v = cfg_tree_value(n, keys[i]);

		if (v != NULL)
			cfg_report_error(b->report, v->line, keys[i],
			                 "%s has a same_as, and so that domain's %s",
			                 cfg_given(n->title).c, keys[i]);
	}
}

/* The first system section of the file names the users; all others have the same ones. */
static void
find_system(struct cfg_build *b)
{
	struct cfg *c = b->c;
	unsigned line = UINT32_MAX;

	for (unsigned i = 0; i < c->domain_count; i++) {
		const struct cfg_node *n = b->sections[i];

		if (c->domains[i].mailboxes == MAILBOXES_SYSTEM && n != NULL &&
		    n->line < line) {
			c->system = i + 1;
			line = n->line;
		}
	}
}

static void
check_system(struct cfg_build *b)
{
	const struct cfg *c = b->c;
	const struct cfg_domain *system = cfg_domain_system(c);

	for (unsigned i = 0; i < c->domain_count && system != NULL; i++)
		if (c->domains[i].mailboxes == MAILBOXES_SYSTEM &&
		    !str_eq(b->endpoints[i].name, b->endpoints[c->system - 1].name))
			cfg_report_error(b->report, b->sections[i]->line, "deliver",
			                 "expected the same as that of %s: both have the "
			                 "machine's users",
			                 cfg_given(system->name).c);
}

static int
endpoint_cmp(const void *a, const void *b)
{
	return cfg_name_cmp(((const struct cfg_endpoint *)a)->name,
	                    ((const struct cfg_endpoint *)b)->name);
}

/* The distinct ones, in order; each domain gets its place among them. */
static bool
gather_endpoints(struct cfg_build *b)
{
	struct cfg *c = b->c;
	unsigned count = 0;

	c->endpoints = arena_array(b->keeps, c->domain_count + 1U, sizeof(c->endpoints[0]));
	if (c->endpoints == NULL)
		return false;
	for (unsigned i = 0; i < c->domain_count; i++)
		if (b->endpoints[i].name.n > 0)
			c->endpoints[count++] = b->endpoints[i];
	if (count > 0)
		qsort(c->endpoints, count, sizeof(c->endpoints[0]), endpoint_cmp);
	for (unsigned i = 0; i < count; i++)
		if (c->endpoint_count == 0 ||
		    endpoint_cmp(&c->endpoints[c->endpoint_count - 1], &c->endpoints[i]) != 0)
			c->endpoints[c->endpoint_count++] = c->endpoints[i];
	for (unsigned i = 0; i < c->domain_count; i++) {
		const struct cfg_endpoint *ep = cfg_endpoint_find(c, b->endpoints[i].name);

		c->domains[i].endpoint = ep == NULL ? 0 : (unsigned)(ep - c->endpoints) + 1;
	}
	if (c->endpoint_count > CFG_ENDPOINTS_MOST)
		cfg_report_error(b->report, 0, "deliver",
		                 "%u different ones are named, expected at most %u",
		                 c->endpoint_count, CFG_ENDPOINTS_MOST);
	return true;
}

bool
cfg_build_mailboxes(struct cfg_build *b)
{
	struct cfg *c = b->c;

	b->endpoints = arena_array(b->temp, c->domain_count + 1U, sizeof(b->endpoints[0]));
	if (b->endpoints == NULL)
		return false;
	for (unsigned i = 0; i < c->domain_count; i++) {
		const struct cfg_node *n = b->sections[i];

		if (n != NULL && cfg_tree_value(n, "same_as") != NULL)
			check_alone(b, n);
		else if (n != NULL) {
			set_mailboxes(b, n, &c->domains[i]);
			set_quota(b, n, &c->domains[i]);
			if (!set_endpoint(b, n, &b->endpoints[i]))
				return false;
		}
	}
	find_system(b);
	check_system(b);
	if (c->system_uid_min > c->system_uid_max)
		cfg_report_error(b->report, 0, "system_uid_min",
		                 "expected at most system_uid_max");
	return gather_endpoints(b);
}
