/*
 * Listen sections: addresses, and that no two of them want the same. See cfg_build.h.
 */
#include "cfg/cfg_build.h"

#define SMTP_PORT 25U
#define NAME_MOST 32U /* octets of a listener's name */

/* "25" behind the last colon. */
static bool
take_port(struct str *address, uint16_t *ret)
{
	size_t colon = str_rfind(*address, ':');
	uint64_t port;

	if (!str_u64(str_slice(*address, colon + 1, address->n), UINT16_MAX, &port) ||
	    port == 0)
		return false;
	*address = str_slice(*address, 0, colon);
	*ret = (uint16_t)port;
	return true;
}

#define PATH_PREFIX "unix:"
#define MODE_INITIAL 0660

/* Absolute, and short enough for the kernel; its folder is master's to find or not. */
static bool
parse_path(struct str path, struct cfg_listen *l)
{
	if (path.n < 2 || path.n > CFG_PATH_MAX || path.p[0] != '/' ||
	    path.p[path.n - 1] == '/' || !str_is_printable(path))
		return false;
	l->path = path;
	return true;
}

static bool
parse_address(struct str address, struct cfg_listen *l)
{
	static const struct netaddr any4 = {
		{[10] = 0xff, [11] = 0xff}
        };

	if (str_starts(address, STR(PATH_PREFIX)))
		return parse_path(str_slice(address, sizeof(PATH_PREFIX) - 1, address.n), l);
	if (!take_port(&address, &l->port))
		return false;
	if (str_eq(address, STR("*"))) {
		l->v4 = l->v6 = true;
		l->addr4 = any4;
		return true;
	}
	l->v6 = str_starts(address, STR("["));
	l->v4 = !l->v6;
	if (l->v4)
		return netaddr_parse(address, &l->addr4) && netaddr_is_v4(&l->addr4);
	if (address.p[address.n - 1] != ']')
		return false;
	return netaddr_parse(str_slice(address, 1, address.n - 1), &l->addr6) &&
	       !netaddr_is_v4(&l->addr6);
}

static bool
is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) && s.p[i] != '-' &&
		    s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= NAME_MOST;
}

static bool
is_any(const struct netaddr *a)
{
	static const struct netaddr none = {{0}};
	struct netaddr without = *a;

	if (netaddr_is_v4(a))
		without.octets[10] = without.octets[11] = 0;
	return netaddr_eq(&without, &none);
}

/* Binding to all addresses takes the port of each. */
static bool
meet(const struct netaddr *a, const struct netaddr *b)
{
	return netaddr_eq(a, b) || is_any(a) || is_any(b);
}

static bool
overlap(const struct cfg_listen *a, const struct cfg_listen *b)
{
	if (a->path.n > 0 || b->path.n > 0)
		return str_eq(a->path, b->path);
	return a->port == b->port && ((a->v4 && b->v4 && meet(&a->addr4, &b->addr4)) ||
	                              (a->v6 && b->v6 && meet(&a->addr6, &b->addr6)));
}

/* Not so where its address was wrong. */
static bool
is_somewhere(const struct cfg_listen *l)
{
	return l->port > 0 || l->path.n > 0;
}

static void
check_against(struct cfg_build *b, const struct cfg_node *n, unsigned line,
              const struct cfg_listen *l)
{
	for (const struct cfg_listen *other = b->c->listens; other < l; other++) {
		if (str_eq(other->name, l->name))
			cfg_report_error(b->report, n->line, "listen",
			                 "there are two sections named %s",
			                 cfg_given(l->name).c);
		if (is_somewhere(other) && is_somewhere(l) && overlap(other, l))
			cfg_report_error(b->report, line, "address",
			                 "%s is taken by listen \"%.*s\" with %s",
			                 cfg_given(l->address).c, STR_FMT(other->name),
			                 cfg_given(other->address).c);
	}
}

static void
set_service(struct cfg_build *b, const struct cfg_node *n, struct cfg_listen *l)
{
	const struct cfg_key *key = cfg_key_find(SCOPE_listen, STR("service"));
	const struct cfg_value *v = cfg_tree_value(n, "service");
	struct str word = v == NULL ? str_of(key->initial) : v->text;
	unsigned service = SERVICE_SMTP;

	if (!cfg_choice_find(key->choices, word, &service))
		cfg_report_error(b->report, v == NULL ? n->line : v->line, "service",
		                 "expected one of %s, got %s", key->choices, cfg_given(word).c);
	l->service = (enum cfg_service)service;
}

/* The text of a key that a UNIX socket alone has; false where memory is out. */
static bool
set_unix_text(struct cfg_build *b, const struct cfg_node *n, const struct cfg_listen *l,
              const char *key, struct str *ret)
{
	const struct cfg_value *v = cfg_tree_value(n, key);

	*ret = STR_NONE;
	if (v == NULL)
		return true;
	if (l->port > 0)
		cfg_report_error(b->report, v->line, key,
		                 "is for an address \"unix:/path\" alone");
	else if (v->text.n == 0 || v->text.n > NAME_MOST)
		cfg_report_error(b->report, v->line, key, "expected a name or a number, got %s",
		                 cfg_given(v->text).c);
	*ret = arena_str(b->keeps, v->text);
	return ret->p != NULL;
}

/* Three octal digits, with or without a 0 in front: what sets no other bits. */
static bool
parse_mode(struct str s, uint16_t *ret)
{
	unsigned mode = 0;

	if (s.n == 4 && s.p[0] == '0')
		s = str_slice(s, 1, s.n);
	if (s.n != 3)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
		mode = mode * 8 + (unsigned)(s.p[i] - '0');
	}
	*ret = (uint16_t)mode;
	return true;
}

static bool
set_unix(struct cfg_build *b, const struct cfg_node *n, struct cfg_listen *l)
{
	struct str mode;

	if (!set_unix_text(b, n, l, "owner", &l->owner) ||
	    !set_unix_text(b, n, l, "group", &l->group) ||
	    !set_unix_text(b, n, l, "mode", &mode))
		return false;
	l->mode = l->port > 0 ? 0 : MODE_INITIAL;
	if (mode.n > 0 && l->port == 0 && !parse_mode(mode, &l->mode))
		cfg_report_error(b->report, cfg_tree_value(n, "mode")->line, "mode",
		                 "expected three octal digits, as 0660, got %s",
		                 cfg_given(mode).c);
	return true;
}

static bool
build_listen(struct cfg_build *b, const struct cfg_node *n, struct cfg_listen *l)
{
	const struct cfg_value *v = cfg_tree_value(n, "address");

	if (!is_name(n->title))
		cfg_report_error(
			b->report, n->line, "listen",
			"expected a name of at most %u letters, digits, - and _, got %s",
			NAME_MOST, cfg_given(n->title).c);
	l->name = arena_str(b->keeps, n->title);
	set_service(b, n, l);
	if (v == NULL) {
		cfg_report_error(b->report, n->line, "listen", "%s has no address",
		                 cfg_given(n->title).c);
		return l->name.p != NULL;
	}
	l->address = arena_str(b->keeps, v->text);
	if (l->name.p == NULL || l->address.p == NULL)
		return false;
	if (!parse_address(l->address, l)) {
		l->port = 0;
		cfg_report_error(b->report, v->line, "address",
		                 "expected *:PORT, IPv4:PORT, [IPv6]:PORT or "
		                 "unix:/path of at most %u octets, got %s",
		                 CFG_PATH_MAX, cfg_given(v->text).c);
	}
	if (!set_unix(b, n, l))
		return false;
	if (l->service == SERVICE_LOCAL && l->port > 0)
		cfg_report_error(b->report, v->line, "address",
		                 "service = local needs a unix:/path, got %s",
		                 cfg_given(v->text).c);
	if (l->service == SERVICE_LMTP && l->port == SMTP_PORT)
		cfg_report_error(b->report, v->line, "address",
		                 "LMTP has no place on port %u, where others send by SMTP "
		                 "(RFC 2033 §5), got %s",
		                 SMTP_PORT, cfg_given(v->text).c);
	check_against(b, n, v->line, l);
	return true;
}

/* What local_socket asks for. */
static bool
add_local(struct cfg_build *b)
{
	struct cfg *c = b->c;
	char room[CFG_PATH_MAX + sizeof(PATH_PREFIX)];
	struct buf address = BUF_ON(room);
	struct cfg_listen *l = &c->listens[c->listen_count];

	buf_add(&address, STR(PATH_PREFIX));
	buf_add(&address, c->local_socket);
	if (str_eq(c->local_socket, STR(CFG_OFF)) || address.cut)
		return true; /* a path that is too long has been reported */
	*l = (struct cfg_listen){.name = STR("local_socket"),
	                         .address = arena_str(b->keeps, buf_str(&address)),
	                         .path = c->local_socket,
	                         .mode = 0666,
	                         .service = SERVICE_LOCAL,
	                         .implied = true};
	for (const struct cfg_listen *other = c->listens; other < l; other++)
		if (overlap(other, l))
			cfg_report_error(b->report, 0, "local_socket",
			                 "%s is taken by listen \"%.*s\"", cfg_given(l->path).c,
			                 STR_FMT(other->name));
	c->listen_count++;
	return l->address.p != NULL;
}

/* Whoever asks there is not asked who he is, so nobody from elsewhere may ask. */
static void
check_metrics(struct cfg_build *b)
{
	const struct cfg_value *v = cfg_tree_value(b->file, "metrics");
	struct cfg_listen l = {.port = 0};

	if (b->c->metrics.n == 0)
		return;
	unsigned line = v == NULL ? 0 : v->line;
	if (!cfg_metrics(b->c->metrics, &l.addr4, &l.port)) {
		cfg_report_error(b->report, line, "metrics",
		                 "expected a loopback address with a port, as 127.0.0.1:9100 "
		                 "or [::1]:9100, got %s",
		                 cfg_given(b->c->metrics).c);
		return;
	}
	l.v4 = netaddr_is_v4(&l.addr4);
	l.v6 = !l.v4;
	l.addr6 = l.addr4;
	for (unsigned i = 0; i < b->c->listen_count; i++)
		if (overlap(&b->c->listens[i], &l))
			cfg_report_error(b->report, line, "metrics",
			                 "%s is taken by listen \"%.*s\" with %s",
			                 cfg_given(b->c->metrics).c,
			                 STR_FMT(b->c->listens[i].name),
			                 cfg_given(b->c->listens[i].address).c);
}

bool
cfg_build_listens(struct cfg_build *b)
{
	struct cfg *c = b->c;
	unsigned count = cfg_build_count(b->file, "listen");

	if (count == 0)
		cfg_report_error(b->report, 0, "listen",
		                 "there is none; expected at least one, as "
		                 "listen \"mx\" { address = \"*:25\" }");
	if (count > CFG_LISTENS_MOST) {
		cfg_report_error(b->report, 0, "listen", "there are %u, expected at most %u",
		                 count, CFG_LISTENS_MOST);
		return true;
	}
	c->listens = arena_array(b->keeps, CFG_LISTENS_MOST + 1U, sizeof(c->listens[0]));
	if (c->listens == NULL)
		return false;
	for (const struct cfg_node *n = cfg_build_next(b->file->nodes, "listen"); n != NULL;
	     n = cfg_build_next(n->next, "listen"))
		if (!build_listen(b, n, &c->listens[c->listen_count++]))
			return false;
	if (!add_local(b))
		return false;
	check_metrics(b);
	return true;
}
