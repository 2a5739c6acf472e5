/*
 * Aliases, plus addressing, catch_all. See resolve.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cfg/cfg.h"
#include "proto/address.h"
#include "vault/resolve.h"

#define ANSWER_OCTETS_MAX (1U << 20) /* RESOLVE_TARGETS_MAX addresses, four times over */

/* What is known of an alias or catch_all beyond its configuration. */
struct mark {
	uint64_t walk; /* the last walk that came here */
	bool open;     /* in that walk: its targets are being followed */
	bool told;     /* its astray targets were reported */
};

/* An alias; or a catch_all, whose name is empty. */
struct entry {
	const struct cfg_domain *domain;
	struct str name;
	const struct str *to;
	unsigned to_count;
	struct mark *mark; /* NULL: there is no such entry */
};

struct resolve {
	const struct cfg *cfg;
	struct resolve_use use;
	struct mark *marks; /* of each domain in turn: its aliases, then its catch_all */
	unsigned *first;    /* of each domain: where its marks start */
	uint64_t walks;
	struct arena *room; /* the texts of <found> */
	struct str found[RESOLVE_TARGETS_MAX];
};

/* An alias whose targets are being followed. */
struct step {
	struct entry entry;
	unsigned next; /* of its targets */
	bool astray;   /* one of them led nowhere */
};

/* Following one recipient to its accounts. */
struct walk {
	struct resolve *r;
	uint64_t number;
	unsigned followed; /* targets of aliases */
	unsigned found;
	bool loop;
	enum rc rc;
	struct err *e;
	unsigned depth; /* in use of <open> */
	struct step open[RESOLVE_DEPTH_MAX];
};

enum led {
	LED_NOWHERE,
	LED_ACCOUNT, /* it is among the found */
	LED_ALIAS,   /* whose targets are to be followed */
	LED_STOP,    /* walk.loop or walk.rc says why */
};

static int
str_order(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

struct resolve *
resolve_new(const struct cfg *cfg, struct resolve_use use)
{
	struct resolve *r = calloc(1, sizeof(*r));
	unsigned count = 0;

	if (r == NULL)
		return NULL;
	r->cfg = cfg;
	r->use = use;
	r->first = calloc((size_t)cfg->domain_count + 1, sizeof(*r->first));
	if (r->first == NULL)
		return resolve_free(r);
	for (unsigned i = 0; i < cfg->domain_count; i++) {
		r->first[i] = count;
		count += cfg->domains[i].alias_count + 1;
	}
	r->marks = calloc((size_t)count + 1, sizeof(*r->marks));
	return r->marks == NULL ? resolve_free(r) : r;
}

struct resolve *
resolve_free(struct resolve *r)
{
	if (r == NULL)
		return NULL;
	(void)arena_free(r->room);
	free(r->marks);
	free(r->first);
	free(r);
	return NULL;
}

static struct entry
alias_find(struct resolve *r, const struct cfg_domain *d, struct str local)
{
	const struct cfg_alias *alias = cfg_alias_find(d, local);

	if (alias == NULL)
		return (struct entry){.mark = NULL};
	unsigned at = r->first[d - r->cfg->domains] + (unsigned)(alias - d->aliases);
	return (struct entry){d, alias->name, alias->to, alias->to_count, &r->marks[at]};
}

static struct entry
catch_all_find(struct resolve *r, const struct cfg_domain *d)
{
	unsigned at = r->first[d - r->cfg->domains] + d->alias_count;

	if (d->catch_all.n == 0)
		return (struct entry){.mark = NULL};
	return (struct entry){d, STR(""), &d->catch_all, 1, &r->marks[at]};
}

void
resolve_name(struct buf *b, struct str local, struct str domain)
{
	struct address a = {.local = ""};
	struct buf l = BUF_ON(a.local);
	struct buf d = BUF_ON(a.domain.name);

	buf_add(&l, local);
	buf_add(&d, domain);
	address_key(b, &a);
}

static enum led
stop(struct walk *w, enum rc rc)
{
	w->rc = rc;
	w->loop = rc == RC_OK;
	return LED_STOP;
}

static enum led
add_found(struct walk *w, struct str name)
{
	struct str kept = arena_str(w->r->room, name);

	if (kept.p == NULL)
		return stop(w, err_set(w->e, RC_TEMP, "no memory for a recipient"));
	w->r->found[w->found++] = kept; /* one a target followed, or the only one */
	return LED_ACCOUNT;
}

/* <local> exactly, as a target of <self> or, NULL, of nobody. */
static enum led
lead(struct walk *w, struct str local, const struct cfg_domain *d, const struct entry *self,
     struct entry *ret_alias)
{
	char room[MAILBOX_MAX + 1];
	struct buf name = BUF_ON(room);
	struct entry alias = alias_find(w->r, d, local);
	bool is_self = alias.mark != NULL && self != NULL && alias.mark == self->mark;
	bool has;

	*ret_alias = alias;
	if (alias.mark != NULL && !is_self)
		return LED_ALIAS;
	resolve_name(&name, local, d->name);
	if (name.cut)
		return LED_NOWHERE;
	enum rc rc = w->r->use.has(w->r->use.arg, buf_str(&name), &has, w->e);
	if (rc != RC_OK)
		return stop(w, rc);
	if (has)
		return add_found(w, buf_str(&name));
	/* an alias that names itself, without an account of its name */
	return is_self ? stop(w, RC_OK) : LED_NOWHERE;
}

/* With and then without its plus extension; `+x` has none. */
static enum led
lead_plus(struct walk *w, struct str local, const struct cfg_domain *d,
          const struct entry *self, struct entry *ret_alias)
{
	size_t plus = str_find(local, '+');
	enum led led = lead(w, local, d, self, ret_alias);

	if (led == LED_NOWHERE && plus > 0 && plus < local.n)
		led = lead(w, str_slice(local, 0, plus), d, self, ret_alias);
	return led;
}

static enum led
lead_target(struct walk *w, const struct entry *of, struct str target, struct entry *ret_alias)
{
	struct address a;
	char room[LOCAL_MAX + 1];
	struct buf local = BUF_ON(room);

	if (++w->followed > RESOLVE_TARGETS_MAX)
		return stop(w, RC_OK);
	if (address_parse(target, true, &a) != FAULT_none)
		return LED_NOWHERE;
	const struct cfg_domain *d = cfg_domain_canonical(w->r->cfg, str_of(a.domain.name));
	if (d == NULL)
		return LED_NOWHERE;
	buf_add_lower(&local, str_of(a.local));
	return lead_plus(w, buf_str(&local), d, of, ret_alias);
}

/*
 * Begin with an alias's targets. One met before has given its accounts already; one that is
 * still open leads back to itself.
 */
static enum led
enter(struct walk *w, const struct entry *entry)
{
	struct mark *mark = entry->mark;

	if (mark->walk == w->number && !mark->open)
		return LED_ALIAS;
	if (mark->walk == w->number || w->depth == RESOLVE_DEPTH_MAX)
		return stop(w, RC_OK);
	*mark = (struct mark){.walk = w->number, .open = true, .told = mark->told};
	w->open[w->depth++] = (struct step){.entry = *entry};
	return LED_ALIAS;
}

static void
leave(struct walk *w)
{
	const struct step *step = &w->open[--w->depth];

	step->entry.mark->open = false;
	step->entry.mark->told = step->entry.mark->told || step->astray;
}

static enum led
next_target(struct walk *w, struct step *step)
{
	const struct resolve_use *use = &w->r->use;
	const struct entry *entry = &step->entry;
	struct str target = entry->to[step->next++];
	struct entry alias;
	enum led led = lead_target(w, entry, target, &alias);

	if (led == LED_NOWHERE && !entry->mark->told)
		use->astray(use->arg, entry->domain->name, entry->name, target);
	step->astray = step->astray || led == LED_NOWHERE;
	return led == LED_ALIAS ? enter(w, &alias) : led;
}

/* All that <entry> leads to. */
static enum led
follow(struct walk *w, const struct entry *entry)
{
	enum led led = enter(w, entry);

	while (w->depth > 0 && led != LED_STOP) {
		struct step *step = &w->open[w->depth - 1];

		if (step->next < step->entry.to_count)
			led = next_target(w, step);
		else
			leave(w);
	}
	return led == LED_STOP ? led : LED_ALIAS;
}

static enum led
lead_or_catch_all(struct walk *w, struct str local, const struct cfg_domain *d)
{
	struct entry entry;
	enum led led = lead_plus(w, local, d, NULL, &entry);

	if (led == LED_NOWHERE) {
		entry = catch_all_find(w->r, d);
		led = entry.mark != NULL ? LED_ALIAS : LED_NOWHERE;
	}
	return led == LED_ALIAS ? follow(w, &entry) : led;
}

static enum led
lead_rcpt(struct walk *w, struct str local, const struct cfg_domain *d)
{
	enum led led = lead_or_catch_all(w, local, d);

	/* RFC 5321 §4.5.1: wherever mail is received, postmaster is */
	if (led != LED_NOWHERE || !str_eq(local, STR("postmaster")))
		return led;
	const struct cfg_domain *home = cfg_domain_home(w->r->cfg);
	return home != NULL && home != d ? lead_or_catch_all(w, local, home) : led;
}

/* The first of <count> sorted ones that does not stand before <s>. */
static unsigned
place_of(const struct str *sorted, unsigned count, struct str s)
{
	unsigned low = 0;

	while (low < count) {
		unsigned middle = low + (count - low) / 2;

		if (str_order(sorted[middle], s) < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* Sorted, each once; how many are left. Not qsort: from 1 KiB on it asks the kernel how much
 * memory there is (sysinfo), and seccomp ends us for that. */
static unsigned
unique(struct str *found, unsigned count)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct str one = found[i];
		unsigned at = place_of(found, kept, one);

		if (at < kept && str_eq(found[at], one))
			continue;
		memmove(&found[at + 1], &found[at], (kept - at) * sizeof(*found));
		found[at] = one;
		kept++;
	}
	return kept;
}

static enum rcpt_verdict
verdict_of(const struct walk *w, enum led led)
{
	if (led == LED_STOP)
		return w->loop ? RCPT_LOOP : RCPT_TROUBLE;
	if (led == LED_NOWHERE)
		return RCPT_NO_SUCH;
	/* an alias that leads to no account is our mistake: the mail may wait for its mending
	 */
	return w->found > 0 ? RCPT_MAILBOXES : RCPT_TROUBLE;
}

/* edge has made sure that a literal is ours; postmaster alone is that of this host. */
static const struct cfg_domain *
domain_asked(const struct cfg *cfg, struct str local, struct str domain)
{
	if (str_starts(domain, STR("[")))
		return cfg_domain_home(cfg);
	if (domain.n == 0 && str_eq(local, STR("postmaster")))
		return cfg_domain_canonical(cfg, cfg->hostname);
	return cfg_domain_canonical(cfg, domain);
}

enum rc
resolve_rcpt(struct resolve *r, struct str local, struct str domain, struct resolved *ret,
             struct err *e)
{
	struct walk w = {.r = r, .number = ++r->walks, .e = e};
	char room[LOCAL_MAX + 1];
	struct buf lower = BUF_ON(room);
	enum led led = LED_NOWHERE;

	*ret = (struct resolved){.verdict = RCPT_TROUBLE};
	r->room = arena_free(r->room);
	r->room = arena_new(ANSWER_OCTETS_MAX);
	if (r->room == NULL)
		return err_set(e, RC_TEMP, "no memory for a recipient");
	buf_add_lower(&lower, local);
	const struct cfg_domain *d = domain_asked(r->cfg, buf_str(&lower), domain);
	if (d != NULL && !lower.cut)
		led = lead_rcpt(&w, buf_str(&lower), d);
	ret->verdict = d == NULL ? RCPT_NOT_OURS : verdict_of(&w, led);
	if (ret->verdict == RCPT_MAILBOXES) {
		ret->count = unique(r->found, w.found);
		ret->mailboxes = r->found;
	}
	return w.rc;
}
