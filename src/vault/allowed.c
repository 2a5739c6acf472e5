/*
 * Allowed senders over SQLite. See allowed.h.
 */
#include <stdlib.h>

#include "cfg/cfg.h"
#include "db/db.h"
#include "proto/address.h"
#include "vault/accounts.h"
#include "vault/allowed.h"
#include "vault/users.h"

#define USER_MOST 32U /* octets of a user's name, as in sections local */

struct allowed {
	sqlite3 *db; /* the accounts' */
	sqlite3_stmt *has;
	sqlite3_stmt *add;
	sqlite3_stmt *drop;
	sqlite3_stmt *list;
};

enum rc
allowed_open(struct accounts *a, struct allowed **ret, struct err *e)
{
	struct allowed *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_sys(e, "allowed senders");
	w->db = accounts_db(a);
	const struct {
		sqlite3_stmt **to;
		const char *sql;
	} rows[] = {
		{&w->has,  "SELECT EXISTS (SELECT 1 FROM senders WHERE name = ?1"
	                  " AND address = ?2)"                },
		{&w->add,  "INSERT INTO senders (name, address, added_us)"
	                  " VALUES (?1, ?2, ?3)"              },
		{&w->drop, "DELETE FROM senders WHERE name = ?1 AND address = ?2"      },
		{&w->list, "SELECT name, address, added_us FROM senders"
	                   " WHERE (name, address) > (?1, ?2)"
	                   " ORDER BY name, address LIMIT ?3"},
	};
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (db_prepare(w->db, rows[i].sql, rows[i].to, e) != RC_OK) {
			(void)allowed_close(w);
			return e->rc;
		}
	*ret = w;
	return RC_OK;
}

struct allowed *
allowed_close(struct allowed *w)
{
	free(w); /* the statements go with the accounts' database */
	return NULL;
}

static bool
is_user(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f ||
		    s.p[i] == ':' || s.p[i] == '/' || s.p[i] == '@' || s.p[i] == '"')
			return false;
	return s.n > 0 && s.n <= USER_MOST;
}

enum rc
allowed_read(const struct cfg *cfg, struct str name, struct str address, struct buf *ret,
             struct err *e)
{
	struct address a;
	enum fault fault = FAULT_none;

	if (!is_user(name))
		return err_set(e, RC_PERM, "%.*s: this is no name of a user of this machine",
		               STR_FMT(str_slice(name, 0, 100)));
	if (str_eq(address, STR(ALLOWED_NULL))) {
		buf_add(ret, address);
		return RC_OK;
	}
	fault = address_parse(address, true, &a);
	if (fault != FAULT_none)
		return err_set(e, RC_PERM, "%.*s: %s", STR_FMT(address), fault_text(fault));
	const struct cfg_domain *domain = cfg_domain_canonical(cfg, str_of(a.domain.name));
	if (domain == NULL)
		return err_set(e, RC_PERM, "%.*s: %s is not a domain of ours", STR_FMT(address),
		               a.domain.name);
	struct buf canonical = BUF_ON(a.domain.name);
	buf_add(&canonical, domain->name); /* fits: it came from such a name */
	address_key(ret, &a);
	return RC_OK;
}

enum rc
allowed_user(const struct users *users, struct str name, struct err *e)
{
	if (users == NULL)
		return err_set(e, RC_TEMP,
		               "whether %.*s is a user of this machine cannot be told: "
		               "/etc/passwd has not been read",
		               STR_FMT(name));
	if (users_find(users, name) == USER_NONE)
		return err_set(e, RC_PERM, "%.*s: no user of this machine has this name",
		               STR_FMT(name));
	return RC_OK;
}

enum rc
allowed_add(struct allowed *w, struct str name, struct str address, uint64_t now_us,
            struct err *e)
{
	db_bind_str(w->add, 1, name);
	db_bind_str(w->add, 2, address);
	(void)sqlite3_bind_int64(w->add, 3, (sqlite3_int64)now_us); /* the place is there */
	enum rc rc = db_run(w->add, e);
	if (rc != RC_OK && sqlite3_errcode(w->db) == SQLITE_CONSTRAINT)
		return err_set(e, RC_PERM, "%.*s may send as %.*s already", STR_FMT(name),
		               STR_FMT(address));
	return rc;
}

enum rc
allowed_drop(struct allowed *w, struct str name, struct str address, struct err *e)
{
	db_bind_str(w->drop, 1, name);
	db_bind_str(w->drop, 2, address);
	if (db_run(w->drop, e) != RC_OK)
		return e->rc;
	if (sqlite3_changes(w->db) == 0)
		return err_set(e, RC_PERM, "%.*s was not allowed to send as %.*s",
		               STR_FMT(name), STR_FMT(address));
	return RC_OK;
}

enum rc
allowed_has(struct allowed *w, struct str name, struct str address, bool *ret, struct err *e)
{
	int64_t has;

	db_bind_str(w->has, 1, name);
	db_bind_str(w->has, 2, address);
	if (db_number(w->has, &has, e) != RC_OK)
		return e->rc;
	*ret = has != 0;
	return RC_OK;
}

enum rc
allowed_list(struct allowed *w, struct str name, struct str address, unsigned most,
             allowed_each *each, void *arg, bool *ret_more, struct err *e)
{
	unsigned count = 0;
	int code;

	db_bind_str(w->list, 1, name);
	db_bind_str(w->list, 2, address);
	(void)sqlite3_bind_int64(w->list, 3, (sqlite3_int64)most + 1); /* the place is there */
	while ((code = sqlite3_step(w->list)) == SQLITE_ROW && count++ < most)
		each(arg, db_column_str(w->list, 0), db_column_str(w->list, 1),
		     (uint64_t)sqlite3_column_int64(w->list, 2));
	*ret_more = code == SQLITE_ROW;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		(void)db_err(w->db, e, "list allowed senders");
	(void)sqlite3_reset(w->list); /* repeats the error of the step */
	return code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : e->rc;
}
