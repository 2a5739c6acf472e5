/*
 * Two lists as one. See list.h.
 */
#include "vault/list.h"
#include "base/buf.h"
#include "cfg/cfg.h"
#include "proto/address.h"
#include "vault/accounts.h"
#include "vault/users.h"

/* A merge: accounts come one by one, each after the users before it. */
struct merge {
	const struct list_from *from;
	struct str users[LIST_PAGE + 1];
	unsigned user_count;
	unsigned next_user;
	unsigned count;
	list_each *each;
	void *arg;
};

static void
give(struct merge *m, struct str address, uint64_t added_us, bool system)
{
	struct list_row row = {address, added_us, system};

	if (m->count++ < LIST_PAGE)
		m->each(m->arg, &row);
}

/* Users whose addresses stand before <before>; all where it is empty. */
static void
give_users(struct merge *m, struct str before)
{
	while (m->next_user < m->user_count) {
		char room[MAILBOX_MAX + 1];
		struct buf b = BUF_ON(room);

		buf_add(&b, m->users[m->next_user]);
		buf_addc(&b, '@');
		buf_add(&b, m->from->domain->name);
		if (before.n > 0 && str_order(buf_str(&b), before) >= 0)
			return;
		m->next_user++;
		give(m, buf_str(&b), 0, true);
	}
}

static void
on_account(void *arg, struct str address, uint64_t added_us)
{
	struct merge *m = arg;

	give_users(m, address);
	give(m, address, added_us, false);
}

enum rc
list_page(const struct list_from *from, struct str after, list_each *each, void *arg,
          bool *ret_more, struct err *e)
{
	struct merge m = {.from = from, .each = each, .arg = arg};
	bool more;

	if (from->users != NULL && from->domain != NULL)
		m.user_count = users_list(from->users, from->domain->name, after, m.users,
		                          LIST_PAGE + 1);
	if (accounts_list(from->accounts, after, LIST_PAGE, on_account, &m, &more, e) != RC_OK)
		return e->rc;
	if (!more)
		give_users(&m, STR(""));
	*ret_more = more || m.count > LIST_PAGE;
	return RC_OK;
}
