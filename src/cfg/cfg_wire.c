/*
 * The configuration as octets, for the sealed memfd that each role reads at its start:
 * little-endian numbers, texts behind a 16-bit length, lists behind a 32-bit count. Made and
 * read by the rows of cfg.def. Comes from master, yet a role believes nothing it has not
 * checked. See cfg.h.
 */
#include <string.h>

#include "base/buf.h"
#include "cfg/cfg.h"

#define ADDRESS_MAX 320U     /* octets of local@domain */
#define NAME_MAX_OCTETS 255U /* of a domain, a section or a local part */
#define STRUCT_TO_WIRE_MOST \
	40U /* a struct is at most that much longer than its least wire form */

struct decoding {
	struct str in;
	struct arena *arena;
};

static void
put_text(struct buf *b, struct str s)
{
	if (s.n > UINT16_MAX)
		b->cut = true;
	buf_add_le(b, 2, s.n);
	buf_add(b, s);
}

static void
put_addr(struct buf *b, const struct netaddr *a)
{
	buf_add(b, (struct str){(const char *)a->octets, sizeof(a->octets)});
}

static void
put_listen(struct buf *b, const struct cfg_listen *l)
{
	put_text(b, l->name);
	put_text(b, l->address);
	buf_add_le(b, 1, l->v4);
	buf_add_le(b, 1, l->v6);
	put_addr(b, &l->addr4);
	put_addr(b, &l->addr6);
	buf_add_le(b, 2, l->port);
	put_text(b, l->path);
	buf_add_le(b, 2, l->mode);
	put_text(b, l->owner);
	put_text(b, l->group);
	buf_add_le(b, 1, (uint64_t)l->service);
	buf_add_le(b, 1, l->implied);
}

static void
put_alias(struct buf *b, const struct cfg_alias *a)
{
	put_text(b, a->name);
	buf_add_le(b, 4, a->to_count);
	for (unsigned i = 0; i < a->to_count; i++)
		put_text(b, a->to[i]);
}

static void
put_domain(struct buf *b, const struct cfg_domain *d)
{
	put_text(b, d->name);
	put_text(b, d->same_as);
	put_text(b, d->catch_all);
	buf_add_le(b, 1, (uint64_t)d->mailboxes);
	buf_add_le(b, 4, d->endpoint);
	buf_add_le(b, 8, d->quota);
	buf_add_le(b, 1, d->implied);
	buf_add_le(b, 4, d->alias_count);
	for (unsigned i = 0; i < d->alias_count; i++)
		put_alias(b, &d->aliases[i]);
}

static void
put_endpoint(struct buf *b, const struct cfg_endpoint *ep)
{
	put_text(b, ep->name);
	buf_add_le(b, 1, ep->is_unix);
	put_addr(b, &ep->addr);
	buf_add_le(b, 2, ep->port);
	put_text(b, ep->path);
}

static void
put_files(struct buf *b, const struct cfg_files *f)
{
	buf_add_le(b, 4, f->count);
	for (unsigned i = 0; i < f->count; i++)
		put_text(b, f->paths[i]);
}

static void
put_local(struct buf *b, const struct cfg_local *l)
{
	put_text(b, l->name);
	buf_add_le(b, 8, l->rate);
	buf_add_le(b, 4, l->sender_count);
	for (unsigned i = 0; i < l->sender_count; i++)
		put_text(b, l->senders[i]);
}

enum rc
cfg_encode(const struct cfg *c, struct buf *b, struct err *e)
{
	size_t start = b->n;

	put_text(b, STR(SEKISHO_VERSION));
	/* clang-format off */
#define TEXT(name, initial, doc)                   put_text(b, c->name);
#define OPTION(name, initial, min, max, unit, doc) buf_add_le(b, 8, c->name);
#define CHOICE(name, initial, choices, doc)        buf_add_le(b, 1, c->name);
#include "cfg/cfg.def"
	/* clang-format on */
	buf_add_le(b, 4, c->listen_count);
	for (unsigned i = 0; i < c->listen_count; i++)
		put_listen(b, &c->listens[i]);
	buf_add_le(b, 4, c->domain_count);
	for (unsigned i = 0; i < c->domain_count; i++)
		put_domain(b, &c->domains[i]);
	buf_add_le(b, 4, c->home);
	buf_add_le(b, 4, c->system);
	buf_add_le(b, 4, c->endpoint_count);
	for (unsigned i = 0; i < c->endpoint_count; i++)
		put_endpoint(b, &c->endpoints[i]);
	put_files(b, &c->alias_files);
	put_files(b, &c->virtual_files);
	buf_add_le(b, 4, c->local_count);
	for (unsigned i = 0; i < c->local_count; i++)
		put_local(b, &c->locals[i]);
	if (b->cut || b->n - start > CFG_OCTETS_MAX)
		return err_set(e, RC_PERM, "the configuration is over %u octets",
		               CFG_OCTETS_MAX);
	return RC_OK;
}

static bool
take_number(struct decoding *d, unsigned octets, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (d->in.n < octets)
		return false;
	for (unsigned i = 0; i < octets; i++)
		value |= (uint64_t)(unsigned char)d->in.p[i] << (8 * i);
	d->in = str_slice(d->in, octets, d->in.n);
	*ret = value;
	return value >= min && value <= max;
}

static bool
take_uint(struct decoding *d, unsigned octets, uint64_t max, unsigned *ret)
{
	uint64_t value = 0;
	bool good = take_number(d, octets, 0, max, &value);

	*ret = (unsigned)value;
	return good;
}

static bool
take_bool(struct decoding *d, bool *ret)
{
	uint64_t value = 0;
	bool good = take_number(d, 1, 0, 1, &value);

	*ret = value == 1;
	return good;
}

static bool
take_text(struct decoding *d, size_t min, size_t max, struct str *ret)
{
	uint64_t n;

	if (!take_number(d, 2, min, max, &n) || n > d->in.n)
		return false;
	*ret = str_slice(d->in, 0, (size_t)n);
	d->in = str_slice(d->in, (size_t)n, d->in.n);
	return str_is_printable(*ret) && str_is_utf8(*ret);
}

static bool
take_choice(struct decoding *d, const char *choices, unsigned *ret)
{
	return take_uint(d, 1, UINT8_MAX, ret) && cfg_choice_word(choices, *ret).n > 0;
}

static bool
take_addr(struct decoding *d, struct netaddr *ret)
{
	if (d->in.n < sizeof(ret->octets))
		return false;
	memcpy(ret->octets, d->in.p, sizeof(ret->octets));
	d->in = str_slice(d->in, sizeof(ret->octets), d->in.n);
	return true;
}

/* A count and room for as many structs; each takes at least <least> octets of what follows. */
static void *
take_array(struct decoding *d, size_t least, size_t octets, unsigned *ret_count)
{
	unsigned count;

	if (!take_uint(d, 4, d->in.n / least, &count))
		return NULL;
	*ret_count = count;
	return arena_array(d->arena, count == 0 ? 1 : count, octets);
}

/* A path, or an address and a port. */
static bool
listens_somewhere(const struct cfg_listen *l)
{
	if (l->path.n > 0)
		return l->path.p[0] == '/' && l->port == 0 && !l->v4 && !l->v6;
	return l->port > 0 && (l->v4 || l->v6);
}

static bool
take_listen(struct decoding *d, struct cfg_listen *l)
{
	uint64_t port = 0;
	uint64_t mode = 0;
	unsigned service = 0;
	bool good = take_text(d, 1, NAME_MAX_OCTETS, &l->name) &&
	            take_text(d, 1, NAME_MAX_OCTETS, &l->address) && take_bool(d, &l->v4) &&
	            take_bool(d, &l->v6) && take_addr(d, &l->addr4) &&
	            take_addr(d, &l->addr6) && take_number(d, 2, 0, UINT16_MAX, &port) &&
	            take_text(d, 0, CFG_PATH_MAX, &l->path) &&
	            take_number(d, 2, 0, 0777, &mode) &&
	            take_text(d, 0, NAME_MAX_OCTETS, &l->owner) &&
	            take_text(d, 0, NAME_MAX_OCTETS, &l->group) &&
	            take_uint(d, 1, SERVICE_LMTP, &service) && take_bool(d, &l->implied);

	l->port = (uint16_t)port;
	l->mode = (uint16_t)mode;
	l->service = (enum cfg_service)service;
	return good && listens_somewhere(l);
}

static bool
take_alias(struct decoding *d, struct cfg_alias *a)
{
	if (!take_text(d, 1, NAME_MAX_OCTETS, &a->name))
		return false;
	a->to = take_array(d, 2, sizeof(a->to[0]), &a->to_count);
	if (a->to == NULL || a->to_count == 0 || a->to_count > CFG_ALIAS_MOST)
		return false;
	for (unsigned i = 0; i < a->to_count; i++)
		if (!take_text(d, 1, ADDRESS_MAX, &a->to[i]))
			return false;
	return true;
}

static bool
take_aliases(struct decoding *d, struct cfg_domain *ret)
{
	ret->aliases = take_array(d, 2 + 4, sizeof(ret->aliases[0]), &ret->alias_count);
	if (ret->aliases == NULL)
		return false;
	for (unsigned i = 0; i < ret->alias_count; i++) {
		const struct cfg_alias *one = &ret->aliases[i];

		if (!take_alias(d, &ret->aliases[i]) ||
		    (i > 0 && cfg_name_cmp(one[-1].name, one->name) >= 0))
			return false;
	}
	return true;
}

static bool
take_domain(struct decoding *d, struct cfg_domain *ret)
{
	unsigned mailboxes = 0;
	bool good = take_text(d, 1, NAME_MAX_OCTETS, &ret->name) &&
	            take_text(d, 0, NAME_MAX_OCTETS, &ret->same_as) &&
	            take_text(d, 0, ADDRESS_MAX, &ret->catch_all) &&
	            take_uint(d, 1, MAILBOXES_SYSTEM, &mailboxes) &&
	            take_uint(d, 4, CFG_ENDPOINTS_MOST, &ret->endpoint) &&
	            take_number(d, 8, 0, CFG_QUOTA_MAX, &ret->quota) &&
	            take_bool(d, &ret->implied) && take_aliases(d, ret);

	ret->mailboxes = (enum cfg_mailboxes)mailboxes;
	return good;
}

static bool
take_endpoint(struct decoding *d, struct cfg_endpoint *ret)
{
	uint64_t port = 0;
	bool good = take_text(d, 1, CFG_TEXT_MAX, &ret->name) && take_bool(d, &ret->is_unix) &&
	            take_addr(d, &ret->addr) && take_number(d, 2, 0, UINT16_MAX, &port) &&
	            take_text(d, 0, CFG_TEXT_MAX, &ret->path);

	ret->port = (uint16_t)port;
	return good && (ret->is_unix ? ret->path.n > 0 : port > 0);
}

/* Each domain's is one of them, or none. */
static bool
take_endpoints(struct decoding *d, struct cfg *c)
{
	c->endpoints =
		take_array(d, 2 + 1 + 16 + 2 + 2, sizeof(c->endpoints[0]), &c->endpoint_count);
	if (c->endpoints == NULL || c->endpoint_count > CFG_ENDPOINTS_MOST)
		return false;
	for (unsigned i = 0; i < c->endpoint_count; i++) {
		const struct cfg_endpoint *one = &c->endpoints[i];

		if (!take_endpoint(d, &c->endpoints[i]) ||
		    (i > 0 && cfg_name_cmp(one[-1].name, one->name) >= 0))
			return false;
	}
	for (unsigned i = 0; i < c->domain_count; i++)
		if (c->domains[i].endpoint > c->endpoint_count)
			return false;
	return true;
}

/* The domain that names the machine's users is one whose mailboxes are theirs. */
static bool
take_system(struct decoding *d, struct cfg *c)
{
	return take_uint(d, 4, c->domain_count, &c->system) &&
	       (c->system == 0 || cfg_domain_system(c)->mailboxes == MAILBOXES_SYSTEM);
}

static bool
take_local(struct decoding *d, struct cfg_local *l)
{
	if (!take_text(d, 1, NAME_MAX_OCTETS, &l->name) ||
	    !take_number(d, 8, 0, UINT32_MAX, &l->rate))
		return false;
	l->senders = take_array(d, 2, sizeof(l->senders[0]), &l->sender_count);
	if (l->senders == NULL || l->sender_count > CFG_SENDERS_MOST)
		return false;
	for (unsigned i = 0; i < l->sender_count; i++)
		if (!take_text(d, 1, ADDRESS_MAX, &l->senders[i]))
			return false;
	return true;
}

static bool
take_locals(struct decoding *d, struct cfg *c)
{
	c->locals = take_array(d, 2 + 8 + 4, sizeof(c->locals[0]), &c->local_count);
	if (c->locals == NULL || c->local_count > CFG_LOCALS_MOST)
		return false;
	for (unsigned i = 0; i < c->local_count; i++) {
		const struct cfg_local *one = &c->locals[i];

		if (!take_local(d, &c->locals[i]) ||
		    (i > 0 && cfg_name_cmp(one[-1].name, one->name) >= 0))
			return false;
	}
	return true;
}

static bool
same_as_leads_on(const struct cfg *c)
{
	for (unsigned i = 0; i < c->domain_count; i++) {
		const struct cfg_domain *to = cfg_domain_canonical(c, c->domains[i].name);

		if (to == NULL || to->same_as.n > 0)
			return false;
	}
	return true;
}

static bool
take_domains(struct decoding *d, struct cfg *c)
{
	c->domains = take_array(d, 3 * 2 + 1 + 4 + 8 + 1 + 4, sizeof(c->domains[0]),
	                        &c->domain_count);
	if (c->domains == NULL)
		return false;
	for (unsigned i = 0; i < c->domain_count; i++) {
		const struct cfg_domain *one = &c->domains[i];

		if (!take_domain(d, &c->domains[i]) ||
		    (i > 0 && cfg_name_cmp(one[-1].name, one->name) >= 0))
			return false;
	}
	return same_as_leads_on(c);
}

static bool
take_listens(struct decoding *d, struct cfg *c)
{
	c->listens = take_array(d, 5 * 2 + 2 + 2 + 2 * 16 + 3, sizeof(c->listens[0]),
	                        &c->listen_count);
	if (c->listens == NULL)
		return false;
	for (unsigned i = 0; i < c->listen_count; i++)
		if (!take_listen(d, &c->listens[i]))
			return false;
	return true;
}

static bool
take_files(struct decoding *d, struct cfg_files *ret)
{
	ret->paths = take_array(d, 2, sizeof(ret->paths[0]), &ret->count);
	if (ret->paths == NULL || ret->count > CFG_FILES_MOST)
		return false;
	for (unsigned i = 0; i < ret->count; i++)
		if (!take_text(d, 1, CFG_TEXT_MAX, &ret->paths[i]))
			return false;
	return true;
}

static bool
take_cfg(struct decoding *d, struct cfg *c)
{
	struct str version;

	if (!take_text(d, 0, NAME_MAX_OCTETS, &version) ||
	    !str_eq(version, STR(SEKISHO_VERSION)))
		return false;
	/* clang-format off */
	return
#define TEXT(name, initial, doc)                   take_text(d, 0, CFG_TEXT_MAX, &c->name) &&
#define OPTION(name, initial, min, max, unit, doc) take_number(d, 8, min, max, &c->name) &&
#define CHOICE(name, initial, choices, doc)        take_choice(d, choices, &c->name) &&
#include "cfg/cfg.def"
		/* clang-format on */
		take_listens(d, c) && take_domains(d, c) &&
		take_uint(d, 4, c->domain_count == 0 ? 0 : c->domain_count - 1, &c->home) &&
		take_system(d, c) && take_endpoints(d, c) && take_files(d, &c->alias_files) &&
		take_files(d, &c->virtual_files) && take_locals(d, c) && d->in.n == 0;
}

enum rc
cfg_decode(struct str wire, struct cfg **ret, struct err *e)
{
	if (wire.n > CFG_OCTETS_MAX)
		return err_set(e, RC_PERM, "a configuration of %zu octets", wire.n);
	struct arena *arena =
		arena_new(sizeof(struct cfg) + STRUCT_TO_WIRE_MOST * (wire.n + 64));
	struct cfg *c = arena == NULL ? NULL : arena_alloc(arena, sizeof(*c));
	struct decoding d = {.arena = arena};

	if (c != NULL)
		d.in = arena_str(arena, wire);
	if (c == NULL || d.in.p == NULL) {
		(void)arena_free(arena);
		return err_set(e, RC_TEMP, "no memory for the configuration");
	}
	c->arena = arena;
	if (!take_cfg(&d, c)) {
		(void)cfg_free(c);
		return err_set(e, RC_PERM,
		               "the configuration's wire form is malformed at octet %zu",
		               wire.n - d.in.n);
	}
	*ret = c;
	return RC_OK;
}
