/*
 * vault: who has a mailbox here. Answers edges (where does this recipient lead?) and the
 * operator (add, list). doc/vault.md.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "ipc/metric.h"
#include "role/copying.h"
#include "role/role.h"
#include "vault/accounts.h"
#include "vault/allowed.h"
#include "vault/list.h"
#include "vault/maps.h"
#include "vault/resolve.h"
#include "vault/senders.h"

#define SENDER_ROWS 64     /* msg.def: in one sender_rows */
#define ANSWER_TARGETS 128 /* msg.def: in one rcpt_answer */

/* Its folder for accounts.db, the WAL and its shared memory; nothing else. */
static const struct walls walls = {
	.folder = FOLDER_FILES,
	.files = 64 + PEERS_MAX, /* edges */
	.writes = true,
	.calls = (const char *const[]){DB_CALLS, NULL},
};

struct vault {
	struct accounts *accounts;
	struct allowed *allowed;
	struct maps *maps;
	struct resolve *resolve;
	struct metrics metrics;
	uint64_t since_us;   /* wall clock of our start */
	struct db_copy copy; /* for the operator's backup */
	bool fresh;          /* refreshed in this loop turn */
	bool failing; /* the accounts could not be read when last asked for; logged then */
};

/* ---- the accounts as resolve sees them ---- */

static enum rc
has_account(void *arg, struct str mailbox, bool *ret, struct err *e)
{
	struct vault *v = arg;

	if (!v->fresh && accounts_refresh(v->accounts, e) != RC_OK)
		return e->rc;
	v->fresh = true;
	return accounts_has(v->accounts, mailbox, ret, e);
}

static enum rc
is_allowed(void *arg, struct str user, struct str address, bool *ret, struct err *e)
{
	struct vault *v = arg;

	return allowed_has(v->allowed, user, address, ret, e);
}

static void
say_astray(void *arg, struct str domain, struct str alias, struct str target)
{
	(void)arg;
	log_put(LOG_WARN, "alias_astray",
	        KVS(kv_str("domain", domain), kv_str("alias", alias),
	            kv_str("target", target)));
}

/* A failure is logged when it begins and when it ends, not with each recipient. */
static void
note_health(struct vault *v, enum rc rc, const struct err *e)
{
	if (rc != RC_OK && !v->failing)
		log_say(LOG_ERROR, "accounts_failed", e->text);
	if (rc == RC_OK && v->failing)
		log_say(LOG_INFO, "accounts_again", ACCOUNTS_FILE " can be read again");
	v->failing = rc != RC_OK;
}

/* ---- answers ---- */

/* A neighbour too far behind to be answered must start over. */
static void
answer(struct channel *to, const struct msg *m)
{
	struct err e;

	if (channel_send(to, m, &e) == RC_OK || e.rc == RC_TEMP)
		return;
	log_say(LOG_ERROR, "answer", e.text);
	channel_cut(to, "it could not be answered");
}

/* At least one message, the last without <more>. */
static void
answer_rcpt(struct channel *to, const struct msg_rcpt_ask *ask, const struct resolved *found)
{
	unsigned sent = 0;

	do {
		static char room[MSG_OCTETS_MAX];
		struct buf b = BUF_ON(room);
		struct msg m = {
			.no = MSG_rcpt_answer,
			.rcpt_answer = {.session = ask->session,
		                        .ask = ask->ask,
		                        .verdict = (uint8_t)found->verdict}
                };
		struct list *l = &m.rcpt_answer.targets;

		for (; sent < found->count && l->count < ANSWER_TARGETS; sent++) {
			struct item_target t = {.mailbox = found->mailboxes[sent]};

			/* an address is shorter than a target may be: they all fit */
			if (item_add_target(&b, &t))
				l->count++;
		}
		l->wire = buf_str(&b);
		m.rcpt_answer.more = sent < found->count;
		answer(to, &m);
	} while (sent < found->count);
}

static void
on_rcpt_ask(struct role *r, struct channel *from, const struct msg *m)
{
	struct vault *v = r->self;
	struct resolved found;
	struct err e;

	note_health(v,
	            resolve_rcpt(v->resolve, m->rcpt_ask.local, m->rcpt_ask.domain, &found, &e),
	            &e);
	v->metrics.n[METRIC_answers + found.verdict]++;
	answer_rcpt(from, &m->rcpt_ask, &found);
}

static void
on_metric_ask(struct role *r, struct channel *from, const struct msg *m)
{
	const struct vault *v = r->self;
	struct err e;

	if (metric_answer(from, VAULT, m->metric_ask.ask, v->since_us, &v->metrics, &e) !=
	    RC_OK)
		log_say(LOG_WARN, "metric_answer", e.text);
}

/* Where passwd could not be read, nobody is told that he is nobody. */
static enum sender_verdict
judge_sender(struct vault *v, const struct cfg *c, struct sender *s)
{
	const struct users *users = maps_users(v->maps);
	struct err e;

	if (users == NULL)
		return SENDER_TROUBLE;
	s->user = users_name(users, s->uid);
	if (s->user.n == 0)
		return SENDER_NO_USER;
	s->anothers = users_is_anothers(users, s->user);
	enum sender_verdict verdict = senders_judge(c, s, is_allowed, v, &e);
	note_health(v, verdict == SENDER_TROUBLE ? RC_TEMP : RC_OK, &e);
	return verdict;
}

static void
on_sender_ask(struct role *r, struct channel *from, const struct msg *m)
{
	const struct msg_sender_ask *ask = &m->sender_ask;
	struct sender s = {.uid = ask->uid, .local = ask->local, .domain = ask->domain};
	struct msg out = {
		.no = MSG_sender_answer,
		.sender_answer = {.session = ask->session, .ask = ask->ask}
        };

	out.sender_answer.verdict = (uint8_t)judge_sender(r->self, r->cfg, &s);
	out.sender_answer.user = s.user;
	answer(from, &out);
}

static void
answer_user(struct channel *to, uint32_t ask, enum rc rc, const struct err *e)
{
	struct msg m = {
		.no = MSG_user_answer, .user_answer = {.ask = ask, .rc = (uint8_t)rc}
        };

	if (rc != RC_OK)
		m.user_answer.text = str_of(e->text);
	answer(to, &m);
}

static void
on_user_add(struct role *r, struct channel *from, const struct msg *m)
{
	struct vault *v = r->self;
	char room[LOG_LINE_MAX];
	struct buf name = BUF_ON(room);
	struct err e;

	enum rc rc = accounts_name(r->cfg, m->user_add.address, &name, &e);
	if (rc == RC_OK)
		rc = accounts_add(v->accounts, buf_str(&name), r->wall_us, &e);
	log_put(LOG_INFO, "user_add",
	        KVS(kv_str("address", m->user_add.address),
	            kv_text("result", rc == RC_OK ? "added" : e.text)));
	answer_user(from, m->user_add.ask, rc, &e);
}

static void
on_user_remove(struct role *r, struct channel *from, const struct msg *m)
{
	struct vault *v = r->self;
	char room[LOG_LINE_MAX];
	struct buf name = BUF_ON(room);
	struct err e;

	enum rc rc = accounts_name(r->cfg, m->user_remove.address, &name, &e);
	if (rc == RC_OK)
		rc = accounts_remove(v->accounts, buf_str(&name), &e);
	log_put(LOG_INFO, "user_remove",
	        KVS(kv_str("address", m->user_remove.address),
	            kv_text("result", rc == RC_OK ? "removed" : e.text)));
	answer_user(from, m->user_remove.ask, rc, &e);
}

static enum rc
allow(struct vault *v, const struct role *r, const struct msg_sender_allow *m, struct err *e)
{
	char room[LOG_LINE_MAX];
	struct buf address = BUF_ON(room);

	if (allowed_read(r->cfg, m->user, m->address, &address, e) != RC_OK)
		return e->rc;
	if (m->allow == 0)
		return allowed_drop(v->allowed, m->user, buf_str(&address), e);
	if (allowed_user(maps_users(v->maps), m->user, e) != RC_OK)
		return e->rc;
	return allowed_add(v->allowed, m->user, buf_str(&address), r->wall_us, e);
}

static void
on_sender_allow(struct role *r, struct channel *from, const struct msg *m)
{
	const struct msg_sender_allow *a = &m->sender_allow;
	struct err e;

	enum rc rc = allow(r->self, r, a, &e);
	log_put(LOG_INFO, a->allow ? "user_allow" : "user_disallow",
	        KVS(kv_str("user", a->user), kv_str("address", a->address),
	            kv_text("result", rc == RC_OK ? "done" : e.text)));
	answer_user(from, a->ask, rc, &e);
}

/* One page of the list on its way into a message. */
struct page {
	struct buf *b;
	unsigned count;
};

static void
add_to_page(void *arg, const struct list_row *row)
{
	struct page *p = arg;
	struct item_account item = {
		.address = row->address, .added_us = row->added_us, .system = row->system};

	/* false for an address that something else wrote into the file: not one of ours */
	if (item_add_account(p->b, &item))
		p->count++;
}

static void
on_user_list(struct role *r, struct channel *from, const struct msg *m)
{
	static char room[MSG_OCTETS_MAX];
	struct vault *v = r->self;
	struct buf b = BUF_ON(room);
	struct page page = {.b = &b};
	struct msg out = {.no = MSG_user_answer, .user_answer = {.ask = m->user_list.ask}};
	struct list_from all = {v->accounts, maps_users(v->maps), cfg_domain_system(r->cfg)};
	struct err e;
	bool more;

	enum rc rc = list_page(&all, m->user_list.after, add_to_page, &page, &more, &e);
	note_health(v, rc, &e);
	if (rc != RC_OK) {
		answer_user(from, m->user_list.ask, rc, &e);
		return;
	}
	out.user_answer.more = more;
	out.user_answer.accounts = (struct list){page.count, buf_str(&b)};
	answer(from, &out);
}

static void
add_allowed(void *arg, struct str user, struct str address, uint64_t added_us)
{
	struct page *p = arg;
	struct item_allowed item = {.user = user, .address = address, .added_us = added_us};

	if (item_add_allowed(p->b, &item)) /* false: not one of ours */
		p->count++;
}

static void
on_sender_list(struct role *r, struct channel *from, const struct msg *m)
{
	static char room[MSG_OCTETS_MAX];
	struct vault *v = r->self;
	struct buf b = BUF_ON(room);
	struct page page = {.b = &b};
	struct msg out = {.no = MSG_sender_rows, .sender_rows = {.ask = m->sender_list.ask}};
	struct err e;
	bool more = false;

	enum rc rc = allowed_list(v->allowed, m->sender_list.user, m->sender_list.address,
	                          SENDER_ROWS, add_allowed, &page, &more, &e);
	note_health(v, rc, &e);
	out.sender_rows.rc = (uint8_t)rc;
	out.sender_rows.more = more;
	out.sender_rows.rows = (struct list){page.count, buf_str(&b)};
	answer(from, &out);
}

/* ---- files that master shows us ---- */

static void
on_map(struct role *r, struct channel *master, const struct msg *m)
{
	struct vault *v = r->self;

	if (!maps_take(v->maps, (enum cfg_map)m->map.kind, m->map.number, m->map.file))
		channel_cut(master, "a file that the configuration does not name");
}

static void
on_map_gone(struct role *r, struct channel *master, const struct msg *m)
{
	struct vault *v = r->self;

	if (!maps_lose(v->maps, (enum cfg_map)m->map_gone.kind, m->map_gone.number,
	               m->map_gone.removed != 0, m->map_gone.why))
		channel_cut(master, "a file that the configuration does not name");
}

static void
on_copy_ask(struct role *r, struct channel *from, const struct msg *m)
{
	struct vault *v = r->self;

	copying_answer(&v->copy, accounts_connection(v->accounts), from, &m->copy_ask,
	               r->now_ms);
}

/* ---- life ---- */

static enum rc
vault_open(struct role *r, struct err *e)
{
	static struct vault vault;

	vault.maps = maps_new(r->cfg);
	if (vault.maps != NULL)
		vault.resolve =
			resolve_new(r->cfg, vault.maps,
		                    (struct resolve_use){has_account, say_astray, &vault});
	if (vault.resolve == NULL)
		return err_set(e, RC_TEMP, "no memory for aliases");
	r->self = &vault;
	vault.since_us = clock_wall_us();
	if (accounts_open(ACCOUNTS_FILE, &vault.accounts, e) != RC_OK)
		return e->rc;
	return allowed_open(vault.accounts, &vault.allowed, e);
}

/* RFC 5321 §4.5.1: say early where postmaster would be refused. */
static void
say_postmasters(struct vault *v, const struct cfg *c)
{
	struct resolved found;
	struct err e;

	for (unsigned i = 0; i < c->domain_count; i++) {
		const struct cfg_domain *d = &c->domains[i];

		if (d->same_as.n > 0 || d->implied)
			continue;
		note_health(v, resolve_rcpt(v->resolve, STR("postmaster"), d->name, &found, &e),
		            &e);
		if (found.verdict != RCPT_MAILBOXES)
			log_put(LOG_WARN, "postmaster_missing", KVS(kv_str("domain", d->name)));
	}
}

static void
vault_begin(struct role *r)
{
	say_postmasters(r->self, r->cfg);
}

static enum rc
vault_reconfigure(struct role *r, const struct cfg *next, struct err *e)
{
	struct vault *v = r->self;
	struct resolve *resolve =
		resolve_new(next, v->maps, (struct resolve_use){has_account, say_astray, v});

	if (resolve == NULL || !maps_reconfigure(v->maps, next)) {
		(void)resolve_free(resolve);
		return err_set(e, RC_TEMP, "no memory for aliases");
	}
	(void)resolve_free(v->resolve);
	v->resolve = resolve;
	say_postmasters(v, next);
	return RC_OK;
}

static void
vault_turn(struct role *r)
{
	struct vault *v = r->self;

	v->fresh = false;
	db_copy_tick(&v->copy, r->now_ms);
}

static void
vault_close(struct role *r)
{
	struct vault *v = r->self;

	v->resolve = resolve_free(v->resolve);
	v->maps = maps_free(v->maps);
	v->allowed = allowed_close(v->allowed);
	db_copy_stop(&v->copy);
	v->accounts = accounts_close(v->accounts);
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_rcpt_ask] = on_rcpt_ask,       [MSG_map] = on_map,
	[MSG_sender_ask] = on_sender_ask,   [MSG_sender_allow] = on_sender_allow,
	[MSG_sender_list] = on_sender_list, [MSG_map_gone] = on_map_gone,
	[MSG_user_add] = on_user_add,       [MSG_user_remove] = on_user_remove,
	[MSG_user_list] = on_user_list,     [MSG_copy_ask] = on_copy_ask,
	[MSG_metric_ask] = on_metric_ask,
};

static const struct role_def def = {
	.me = VAULT,
	.walls = &walls,
	.open = vault_open,
	.begin = vault_begin,
	.reconfigure = vault_reconfigure,
	.turn = vault_turn,
	.close = vault_close,
	.handlers = handlers,
};

int
main(int argc, char **argv)
{
	db_before_walls();
	return role_main(&def, argc, argv);
}
