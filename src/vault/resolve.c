/*
 * From an address to its accounts: aliases of aliases, plus addressing, who catches all. See
 * resolve.h; what stands where says lookup.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cfg/cfg.h"
#include "proto/address.h"
#include "vault/lookup.h"
#include "vault/resolve.h"

#define ANSWER_OCTETS_MAX (1U << 20) /* RESOLVE_TARGETS_MAX addresses, four times over */

struct resolve {
	struct lookup lookup;
	struct resolve_use use;
	uint64_t walks;
	struct arena *room; /* the texts of <found> */
	struct str found[RESOLVE_TARGETS_MAX];
};

/* An alias whose targets are being followed. */
struct step {
	struct entry entry;
	char local[LOCAL_MAX + 1]; /* whom it was found for: where it forwards a whole domain */
	unsigned next;             /* of its targets */
	bool astray;               /* one of them led nowhere */
};

/* Following one recipient to its accounts. */
struct walk {
	struct resolve *r;
	uint64_t number;
	unsigned followed; /* targets of aliases */
	unsigned found;
	bool astray;  /* a target led nowhere */
	bool nobody;  /* a forwarded domain has nobody of that name */
	bool nothing; /* one led to /dev/null */
	bool system;  /* one led to a system account */
	bool loop;
	bool unknown; /* what a file says is not known */
	enum rc rc;
	struct err *e;
	unsigned depth; /* in use of <open> */
	struct step open[RESOLVE_DEPTH_MAX];
};

enum led {
	LED_NOWHERE,
	LED_ACCOUNT, /* it is among the found */
	LED_ENDS,    /* at a system account, in /dev/null, or at nobody: the walk knows */
	LED_ALIAS,   /* whose targets are to be followed */
	LED_STOP,    /* walk.loop, .unknown or .rc says why */
};

struct resolve *
resolve_new(const struct cfg *cfg, const struct maps *maps, struct resolve_use use)
{
	struct resolve *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->use = use;
	return lookup_init(&r->lookup, cfg, maps) ? r : resolve_free(r);
}

struct resolve *
resolve_free(struct resolve *r)
{
	if (r == NULL)
		return NULL;
	(void)arena_free(r->room);
	lookup_end(&r->lookup);
	free(r);
	return NULL;
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

/* ---- one address ---- */

static enum led
stop_loop(struct walk *w)
{
	w->loop = true;
	return LED_STOP;
}

static enum led
stop_unknown(struct walk *w)
{
	w->unknown = true;
	return LED_STOP;
}

static enum led
stop_trouble(struct walk *w, enum rc rc)
{
	w->rc = rc;
	return LED_STOP;
}

static enum led
add_found(struct walk *w, struct str local, const struct cfg_domain *d)
{
	char room[MAILBOX_MAX + 1];
	struct buf name = BUF_ON(room);

	resolve_name(&name, local, d->name);
	if (name.cut)
		return LED_NOWHERE; /* longer than any address */
	struct str kept = arena_str(w->r->room, buf_str(&name));
	if (kept.p == NULL)
		return stop_trouble(w, err_set(w->e, RC_TEMP, "no memory for a recipient"));
	w->r->found[w->found++] = kept; /* one a target followed, or the only one */
	return LED_ACCOUNT;
}

/* Users of the machine are the same ones in all system domains, under one name. */
static enum led
lead_user(struct walk *w, struct str local)
{
	const struct lookup *l = &w->r->lookup;

	if (l->maps == NULL || maps_known(l->maps, MAP_PASSWD) == MAPS_MISSING)
		return stop_unknown(w);
	switch (maps_user(l->maps, local)) {
	case USER_MAILBOX:
		return add_found(w, local, cfg_domain_system(l->cfg));
	case USER_SYSTEM:
		/* a file that could not be used may have had an alias of its name */
		if (lookup_is_partial(l, cfg_domain_system(l->cfg)))
			return stop_unknown(w);
		w->system = true;
		return LED_ENDS;
	default:
		return LED_NOWHERE;
	}
}

static enum led
lead_account(struct walk *w, struct str local, const struct cfg_domain *d)
{
	char room[MAILBOX_MAX + 1];
	struct buf name = BUF_ON(room);
	bool has;

	if (d->mailboxes == MAILBOXES_SYSTEM)
		return lead_user(w, local);
	resolve_name(&name, local, d->name);
	if (name.cut)
		return LED_NOWHERE;
	enum rc rc = w->r->use.has(w->r->use.arg, buf_str(&name), &has, w->e);
	if (rc != RC_OK)
		return stop_trouble(w, rc);
	return has ? add_found(w, local, d) : LED_NOWHERE;
}

/*
 * <local> exactly, as a target of <self> or, NULL, of nobody. An alias that names itself means
 * what would be there without it.
 */
static enum led
lead(struct walk *w, struct str local, const struct place *at, const struct entry *self,
     struct entry *ret_alias)
{
	bool is_self = false;
	bool missing;

	for (unsigned step = 0; step < LOOKUP_STEPS; step++) {
		*ret_alias =
			lookup_find(&w->r->lookup, (enum lookup_step)step, local, at, &missing);
		if (ret_alias->mark != NULL && self != NULL && ret_alias->mark == self->mark)
			is_self = true;
		else if (ret_alias->mark != NULL)
			return LED_ALIAS;
		else if (missing)
			return stop_unknown(w);
	}
	enum led led = lead_account(w, local, at->domain);
	return led == LED_NOWHERE && is_self ? stop_loop(w) : led;
}

/* With and then without its plus extension; `+x` has none. */
static enum led
lead_plus(struct walk *w, struct str local, const struct place *at, const struct entry *self,
          struct entry *ret_alias)
{
	size_t plus = str_find(local, '+');
	enum led led = lead(w, local, at, self, ret_alias);

	if (led == LED_NOWHERE && plus > 0 && plus < local.n)
		led = lead(w, str_slice(local, 0, plus), at, self, ret_alias);
	return led;
}

static enum led
lead_or_catch_all(struct walk *w, struct str local, const struct place *at,
                  struct entry *ret_alias)
{
	enum led led = lead_plus(w, local, at, NULL, ret_alias);

	if (led != LED_NOWHERE)
		return led;
	/* who is not named in what could be read may be named in what could not */
	if (lookup_is_partial(&w->r->lookup, at->domain))
		return stop_unknown(w);
	*ret_alias = lookup_catch_all(&w->r->lookup, at);
	return ret_alias->mark != NULL ? LED_ALIAS : LED_NOWHERE;
}

/* ---- targets ---- */

/* An address of ours, in any case. */
static enum led
lead_address(struct walk *w, const struct entry *of, struct str local, struct str domain,
             struct entry *ret_alias)
{
	const struct cfg *cfg = w->r->lookup.cfg;
	struct place at = {.asked = domain,
	                   .domain = domain.n == 0 ? lookup_own(cfg)
	                                           : cfg_domain_canonical(cfg, domain)};
	char room[LOCAL_MAX + 1];
	struct buf lower = BUF_ON(room);

	if (at.domain == NULL)
		return LED_NOWHERE;
	buf_add_lower(&lower, local);
	return lead_plus(w, buf_str(&lower), &at, of, ret_alias);
}

static enum led
lead_text(struct walk *w, const struct entry *of, struct str text, struct entry *ret_alias)
{
	struct address a;

	if (address_parse(text, true, &a) != FAULT_none)
		return LED_NOWHERE;
	return lead_address(w, of, str_of(a.local), str_of(a.domain.name), ret_alias);
}

/* The same local part in another domain of ours, as if it had been asked for. */
static enum led
lead_domain(struct walk *w, struct str local, struct str domain, struct entry *ret_alias)
{
	struct place at = {.asked = domain,
	                   .domain = cfg_domain_canonical(w->r->lookup.cfg, domain)};

	enum led led =
		at.domain == NULL ? LED_NOWHERE : lead_or_catch_all(w, local, &at, ret_alias);
	if (led != LED_NOWHERE)
		return led;
	w->nobody = true; /* that is the sender's mistake, not the table's */
	return LED_ENDS;
}

static enum led
lead_row(struct walk *w, const struct step *step, const struct map_target *to,
         struct entry *ret_alias)
{
	switch (to->kind) {
	case TARGET_ADDRESS:
		return lead_address(w, &step->entry, to->local, to->domain, ret_alias);
	case TARGET_DOMAIN:
		return lead_domain(w, str_of(step->local), to->domain, ret_alias);
	case TARGET_NOTHING:
		w->nothing = true;
		return LED_ENDS;
	default:
		return LED_NOWHERE; /* a command or a file: told when the table was read */
	}
}

/*
 * Begin with an alias's targets. One met before has given its accounts already; one that is
 * still open leads back to itself. What forwards a whole domain is no alias but another name
 * for each in it: there the depth is what stops a loop.
 */
static enum led
enter(struct walk *w, const struct entry *entry, struct str local)
{
	struct mark *mark = entry->mark;
	bool here = mark->walk == w->number && !entry->forwards;

	if (here && !mark->open)
		return LED_ALIAS;
	if (here || w->depth == RESOLVE_DEPTH_MAX)
		return stop_loop(w);
	*mark = (struct mark){.walk = w->number, .open = true, .told = mark->told};
	struct step *step = &w->open[w->depth++];
	*step = (struct step){.entry = *entry};
	struct buf b = BUF_ON(step->local);
	buf_add(&b, local);
	return LED_ALIAS;
}

static void
leave(struct walk *w)
{
	const struct step *step = &w->open[--w->depth];

	step->entry.mark->open = false;
	step->entry.mark->told = step->entry.mark->told || step->astray;
	w->astray = w->astray || step->astray;
}

static enum led
next_target(struct walk *w, struct step *step)
{
	const struct resolve_use *use = &w->r->use;
	const struct entry *entry = &step->entry;
	const struct map_target *row = entry->rows != NULL ? &entry->rows[step->next] : NULL;
	struct str text = row != NULL ? row->text : entry->texts[step->next];
	struct entry alias = {.mark = NULL};
	enum led led;

	step->next++;
	if (++w->followed > RESOLVE_TARGETS_MAX)
		return stop_loop(w);
	if (row != NULL)
		led = lead_row(w, step, row, &alias);
	else
		led = lead_text(w, entry, text, &alias);
	if (led == LED_NOWHERE && !entry->mark->told)
		use->astray(use->arg, entry->domain, entry->name, text);
	step->astray = step->astray || led == LED_NOWHERE;
	return led == LED_ALIAS ? enter(w, &alias, str_of(step->local)) : led;
}

/* All that <entry> leads to. */
static enum led
follow(struct walk *w, const struct entry *entry, struct str local)
{
	enum led led = enter(w, entry, local);

	while (w->depth > 0 && led != LED_STOP) {
		struct step *step = &w->open[w->depth - 1];

		if (step->next < step->entry.count)
			led = next_target(w, step);
		else
			leave(w);
	}
	return led == LED_STOP ? led : LED_ALIAS;
}

static enum led
lead_whole(struct walk *w, struct str local, const struct place *at)
{
	struct entry entry;
	enum led led = lead_or_catch_all(w, local, at, &entry);

	return led == LED_ALIAS ? follow(w, &entry, local) : led;
}

static enum led
lead_rcpt(struct walk *w, struct str local, const struct place *at)
{
	enum led led = lead_whole(w, local, at);

	/* RFC 5321 §4.5.1: wherever mail is received, postmaster is */
	if (led != LED_NOWHERE || !str_eq(local, STR("postmaster")))
		return led;
	const struct cfg_domain *home = cfg_domain_home(w->r->lookup.cfg);
	struct place there = {.domain = home};
	return home != NULL && home != at->domain ? lead_whole(w, local, &there) : led;
}

/* ---- the answer ---- */

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
verdict_of(const struct walk *w, enum led led, bool postmaster)
{
	bool discard =
		w->r->lookup.cfg->system_accounts == SYSTEM_ACCOUNTS_discard && !postmaster;

	if (led == LED_STOP)
		return w->loop ? RCPT_LOOP : RCPT_TROUBLE;
	if (led == LED_NOWHERE)
		return RCPT_NO_SUCH;
	if (w->found > 0)
		return RCPT_MAILBOXES;
	/* an alias that leads to no account is our mistake: the mail may wait for its mending;
	 * so it may where postmaster is an account that has no mailbox */
	if (w->astray || (w->system && postmaster))
		return RCPT_TROUBLE;
	if (w->nothing)
		return RCPT_DISCARD;
	if (w->system)
		return discard ? RCPT_DISCARD : RCPT_NO_SUCH;
	return w->nobody ? RCPT_NO_SUCH : RCPT_TROUBLE;
}

/* edge has made sure that a literal is ours; postmaster alone is that of this host. */
static struct place
place_asked(const struct cfg *cfg, struct str local, struct str domain)
{
	if (str_starts(domain, STR("[")))
		return (struct place){.domain = cfg_domain_home(cfg)};
	if (domain.n == 0 && str_eq(local, STR("postmaster")))
		domain = cfg->hostname;
	return (struct place){.asked = domain, .domain = cfg_domain_canonical(cfg, domain)};
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
	struct place at = place_asked(r->lookup.cfg, buf_str(&lower), domain);
	if (at.domain != NULL && !lower.cut)
		led = lead_rcpt(&w, buf_str(&lower), &at);
	bool postmaster = str_eq(buf_str(&lower), STR("postmaster"));
	ret->verdict = at.domain == NULL ? RCPT_NOT_OURS : verdict_of(&w, led, postmaster);
	if (ret->verdict == RCPT_MAILBOXES) {
		ret->count = unique(r->found, w.found);
		ret->mailboxes = r->found;
	}
	return w.rc;
}
