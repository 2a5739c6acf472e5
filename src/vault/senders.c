/*
 * As whom a user of the machine may send. See senders.h.
 *
 * One form is compared: the local part in lower case, the domain whose mailboxes it has. So
 * web@ours and Web@its-other-name are one sender, as they are one mailbox.
 */
#include "vault/senders.h"
#include "base/buf.h"
#include "cfg/cfg.h"
#include "proto/address.h"

/* What is wanted, with and without its extension. */
struct wanted {
	char room[2][MAILBOX_MAX + DOMAIN_MAX + 1];
	struct str forms[2];
	unsigned count;
	struct str base; /* the local part without its extension */
};

static void
add_form(struct wanted *w, struct str local, struct str domain)
{
	struct address a = {.local = ""};
	struct buf to_local = BUF_ON(a.local);
	struct buf to_domain = BUF_ON(a.domain.name);
	struct buf b = BUF_ON(w->room[w->count]);

	buf_add(&to_local, local);
	buf_add(&to_domain, domain);
	address_key(&b, &a);
	if (!to_local.cut && !to_domain.cut && !b.cut)
		w->forms[w->count++] = buf_str(&b);
}

static void
want(struct wanted *w, const struct sender *s, struct str domain)
{
	size_t plus = str_find(s->local, '+');

	*w = (struct wanted){.base = s->local};
	add_form(w, s->local, domain);
	if (plus == 0 || plus == s->local.n)
		return;
	w->base = str_slice(s->local, 0, plus);
	add_form(w, w->base, domain);
}

static bool
is_listed(const struct cfg_local *l, struct str form)
{
	for (unsigned i = 0; l != NULL && i < l->sender_count; i++)
		if (str_eq(l->senders[i], form))
			return true;
	return false;
}

/* The host's name is not the first domain's here: alice@first may be another Alice's account,
 * while alice@host is whoever is called so on this machine. Where that name is a domain with
 * accounts itself, alice@host is an account too. */
static bool
is_host(const struct cfg *c, const struct sender *s, const struct cfg_domain *canonical)
{
	return (str_ieq(s->domain, c->hostname) || str_ieq(s->domain, STR("localhost"))) &&
	       !str_ieq(s->domain, canonical->name);
}

static bool
is_own(const struct cfg *c, const struct sender *s, const struct wanted *w,
       const struct cfg_domain *canonical)
{
	return str_ieq(w->base, s->user) &&
	       (canonical->mailboxes == MAILBOXES_SYSTEM || is_host(c, s, canonical));
}

static bool
has_own(const struct cfg *c, const struct sender *s, const struct cfg_local *l)
{
	return !s->anothers &&
	       (l == NULL || (s->uid >= c->system_uid_min && s->uid <= c->system_uid_max));
}

static enum sender_verdict
judge_listed(const struct cfg_local *l, const struct sender *s, struct str form,
             senders_allowed *allowed, void *arg, struct err *e)
{
	bool may = is_listed(l, form);

	if (!may && allowed(arg, s->user, form, &may, e) != RC_OK)
		return SENDER_TROUBLE;
	return may ? SENDER_MAY : SENDER_MAY_NOT;
}

enum sender_verdict
senders_judge(const struct cfg *c, const struct sender *s, senders_allowed *allowed, void *arg,
              struct err *e)
{
	const struct cfg_local *l = cfg_local_find(c, s->user);
	enum sender_verdict v = SENDER_MAY_NOT;
	struct wanted w;

	if (s->local.n == 0 && s->domain.n == 0)
		return s->uid == 0 ? SENDER_MAY
		                   : judge_listed(l, s, STR("<>"), allowed, arg, e);
	const struct cfg_domain *d = cfg_domain_canonical(c, s->domain);
	if (d == NULL)
		return SENDER_MAY_NOT;
	want(&w, s, d->name);
	if (s->uid == 0 || (has_own(c, s, l) && is_own(c, s, &w, d)))
		return SENDER_MAY;
	for (unsigned i = 0; i < w.count && v == SENDER_MAY_NOT; i++)
		v = judge_listed(l, s, w.forms[i], allowed, arg, e);
	return v;
}
