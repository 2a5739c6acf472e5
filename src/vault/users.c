/*
 * Users of the machine, in a hash table. See users.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/table.h"
#include "proto/address.h"
#include "proto/passwd.h"
#include "vault/users.h"

struct user_key {
	char name[LOCAL_MAX + 1]; /* zeros behind it */
};

struct users {
	struct table *table; /* user_key -> enum user_kind */
	struct table *uids;  /* uint32_t -> user_key */
	unsigned mailboxes;
};

static bool
key_of(struct str name, struct user_key *ret)
{
	*ret = (struct user_key){.name = ""};
	if (name.n == 0 || name.n > LOCAL_MAX)
		return false; /* no address has it */
	memcpy(ret->name, name.p, name.n);
	return true;
}

/* A mailbox's name is a folder's too, as accounts_name has it; and a local part that needs
 * quotes is nobody's login name. */
static bool
is_name(struct str name)
{
	struct address a = {.local = "", .domain = {.name = "x"}};
	char room[MAILBOX_MAX + 1];
	struct buf local = BUF_ON(a.local);
	struct buf printed = BUF_ON(room);

	buf_add(&local, name);
	address_print(&printed, &a);
	return str_is_printable(name) && str_is_utf8(name) && name.p[0] != '.' &&
	       str_find(name, '/') == name.n && printed.p[0] != '"';
}

static bool
add(struct users *u, const struct passwd_row *row, uint64_t uid_min, uint64_t uid_max)
{
	bool mailbox = row->uid >= uid_min && row->uid <= uid_max;
	struct user_key key;
	enum user_kind *kind;

	if (!key_of(row->name, &key) || !is_name(row->name))
		return true; /* no mailbox, but no trouble either */
	kind = table_put(u->table, &key);
	if (kind == NULL)
		return false;
	if (*kind != USER_NONE)
		return true;
	*kind = mailbox ? USER_MAILBOX : USER_SYSTEM;
	u->mailboxes += mailbox;
	struct user_key *first = table_put(u->uids, &row->uid);
	if (first != NULL && first->name[0] == '\0')
		*first = key;
	return first != NULL;
}

static unsigned
count_lines(struct str text)
{
	unsigned count = 1;

	for (size_t i = 0; i < text.n; i++)
		count += text.p[i] == '\n';
	return count;
}

static bool
make_tables(struct users *u, unsigned most, struct table_secret secret)
{
	u->table = table_new(sizeof(struct user_key), sizeof(enum user_kind), most, secret);
	u->uids = table_new(sizeof(uint32_t), sizeof(struct user_key), most, secret);
	return u->table != NULL && u->uids != NULL;
}

enum rc
users_read(struct str passwd, uint64_t uid_min, uint64_t uid_max, struct users **ret,
           struct err *e)
{
	struct users *u = calloc(1, sizeof(*u));
	unsigned lines = count_lines(passwd);
	struct table_secret secret;
	struct passwd_row row;

	if (u == NULL)
		return err_sys(e, "users");
	if (lines > USERS_MOST) {
		(void)err_set(e, RC_PERM, "more than %u lines", USERS_MOST);
	} else if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret)) {
		(void)err_sys(e, "draw a secret");
	} else if (!make_tables(u, lines, secret)) {
		(void)err_set(e, RC_TEMP, "no memory for users");
	} else {
		while (passwd_next(&passwd, &row))
			(void)add(u, &row, uid_min, uid_max); /* there is room for each line */
		*ret = u;
		return RC_OK;
	}
	(void)users_free(u);
	return e->rc;
}

enum user_kind
users_find(const struct users *u, struct str name)
{
	struct user_key key;

	if (!key_of(name, &key))
		return USER_NONE;
	const enum user_kind *kind = table_get(u->table, &key);
	return kind == NULL ? USER_NONE : *kind;
}

bool
users_is_anothers(const struct users *u, struct str name)
{
	char room[LOCAL_MAX + 1];
	struct buf lower = BUF_ON(room);

	buf_add_lower(&lower, name);
	return !str_eq(buf_str(&lower), name) && users_find(u, buf_str(&lower)) != USER_NONE;
}

struct str
users_name(const struct users *u, uint32_t uid)
{
	const struct user_key *key = table_get(u->uids, &uid);

	return key == NULL ? STR_NONE : str_of(key->name);
}

unsigned
users_count(const struct users *u)
{
	return u->mailboxes;
}

struct users *
users_free(struct users *u)
{
	if (u != NULL) {
		(void)table_free(u->table);
		(void)table_free(u->uids);
	}
	free(u);
	return NULL;
}

/* ---- in order ---- */

/* As addresses of one domain are ordered: what stands behind the shorter one is an @. */
static int
name_order(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = str_order(str_slice(a, 0, n), str_slice(b, 0, n));

	if (order != 0 || a.n == b.n)
		return order;
	return str_order(a.n == n ? STR("@") : str_slice(a, n, n + 1),
	                 b.n == n ? STR("@") : str_slice(b, n, n + 1));
}

/* Keep the <most> lowest, in order. Not qsort: it may ask for sysinfo, which seccomp ends us
 * for; and a page of them is all that anybody wants. */
static unsigned
insert(struct str *sorted, unsigned count, unsigned most, struct str name)
{
	unsigned at = count;

	while (at > 0 && name_order(sorted[at - 1], name) > 0)
		at--;
	if (at == most)
		return count;
	if (count == most)
		count--;
	memmove(&sorted[at + 1], &sorted[at], (count - at) * sizeof(*sorted));
	sorted[at] = name;
	return count + 1;
}

static bool
is_behind(struct str name, struct str domain, struct str after)
{
	char room[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(room);

	buf_add(&b, name);
	buf_addc(&b, '@');
	buf_add(&b, domain);
	return !b.cut && str_order(buf_str(&b), after) > 0;
}

unsigned
users_list(const struct users *u, struct str domain, struct str after, struct str *ret,
           unsigned most)
{
	const void *key;
	void *kind;
	size_t at = 0;
	unsigned count = 0;

	while (table_next(u->table, &at, &key, &kind)) {
		struct str name = str_of(((const struct user_key *)key)->name);

		if (*(enum user_kind *)kind == USER_MAILBOX && is_behind(name, domain, after))
			count = insert(ret, count, most, name);
	}
	return count;
}
