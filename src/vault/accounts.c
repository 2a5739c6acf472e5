/*
 * Accounts over SQLite, with the answers kept in memory. See accounts.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/table.h"
#include "cfg/cfg.h"
#include "db/db.h"
#include "proto/address.h"
#include "vault/accounts.h"
#include "vault/resolve.h"

#define CACHE_MOST 4096 /* answers kept; past it all are forgotten and asked for anew */

/* A whole address, zeros behind it: compared octet by octet. */
struct cache_key {
	char name[MAILBOX_MAX + 1];
};

struct accounts {
	sqlite3 *db;
	sqlite3_stmt *version;
	sqlite3_stmt *has;
	sqlite3_stmt *add;
	sqlite3_stmt *remove;
	sqlite3_stmt *list;
	struct table *cache; /* cache_key -> bool */
	struct table_secret secret;
	int64_t seen; /* PRAGMA data_version that <cache> belongs to */
};

/* Since version 2: what users of the machine may send as, see allowed.c. */
#define SENDERS \
	"CREATE TABLE senders (" \
	" name TEXT NOT NULL," \
	" address TEXT NOT NULL," \
	" added_us INTEGER NOT NULL," \
	" PRIMARY KEY (name, address)" \
	") STRICT, WITHOUT ROWID;"

/* synchronous = FULL: an account that was confirmed survives a power cut. */
static const struct db_kind kind = {
	.name = ACCOUNTS_FILE,
	.version = ACCOUNTS_VERSION,
	.pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		   "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
	.schema = "CREATE TABLE accounts ("
		  " address TEXT PRIMARY KEY NOT NULL,"
		  " added_us INTEGER NOT NULL"
		  ") STRICT, WITHOUT ROWID;" SENDERS,
	.upgrades = (const char *const[]){SENDERS},
};

static enum rc
forget(struct accounts *a, struct err *e)
{
	if (a->cache != NULL && table_count(a->cache) == 0)
		return RC_OK;
	a->cache = table_free(a->cache);
	a->cache = table_new(sizeof(struct cache_key), sizeof(bool), CACHE_MOST, a->secret);
	return a->cache == NULL ? err_set(e, RC_TEMP, "no memory for accounts") : RC_OK;
}

static enum rc
prepare(struct accounts *a, struct err *e)
{
	const struct {
		sqlite3_stmt **to;
		const char *sql;
	} rows[] = {
		{&a->version, "PRAGMA data_version"                                      },
		{&a->has,     "SELECT EXISTS (SELECT 1 FROM accounts WHERE address = ?1)"},
		{&a->add,     "INSERT INTO accounts (address, added_us) VALUES (?1, ?2)" },
		{&a->remove,  "DELETE FROM accounts WHERE address = ?1"                  },
		{&a->list,    "SELECT address, added_us FROM accounts WHERE address > ?1"
	                   " ORDER BY address LIMIT ?2"        },
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (db_prepare(a->db, rows[i].sql, rows[i].to, e) != RC_OK)
			return e->rc;
	return RC_OK;
}

/* A lost page would turn known users into unknown ones (550): rather serve nobody (4xx). */
static enum rc
read_through(struct accounts *a, struct err *e)
{
	sqlite3_stmt *s;

	if (db_prepare(a->db, "PRAGMA quick_check(1)", &s, e) != RC_OK)
		return e->rc;
	enum rc rc = RC_OK;
	if (sqlite3_step(s) != SQLITE_ROW)
		rc = db_err(a->db, e, "check " ACCOUNTS_FILE);
	else if (!str_eq(db_column_str(s, 0), STR("ok")))
		rc = err_set(e, RC_PERM, ACCOUNTS_FILE " is damaged: %s",
		             (const char *)sqlite3_column_text(s, 0));
	(void)sqlite3_finalize(s);
	return rc;
}

enum rc
accounts_open(const char *path, struct accounts **ret, struct err *e)
{
	struct accounts *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_sys(e, "open " ACCOUNTS_FILE);
	if (getrandom(&a->secret, sizeof(a->secret), 0) != (ssize_t)sizeof(a->secret))
		(void)err_sys(e, "draw a secret");
	else if (forget(a, e) == RC_OK && db_open(path, &kind, &a->db, e) == RC_OK &&
	         read_through(a, e) == RC_OK && prepare(a, e) == RC_OK &&
	         accounts_refresh(a, e) == RC_OK) {
		*ret = a;
		return RC_OK;
	}
	(void)accounts_close(a);
	return e->rc;
}

sqlite3 *
accounts_connection(struct accounts *a)
{
	return a->db;
}

struct accounts *
accounts_close(struct accounts *a)
{
	if (a == NULL)
		return NULL;
	(void)db_close(a->db);
	(void)table_free(a->cache);
	free(a);
	return NULL;
}

enum rc
accounts_name(const struct cfg *cfg, struct str address, struct buf *ret, struct err *e)
{
	struct address a;
	char room[MAILBOX_MAX + 1];
	struct buf right = BUF_ON(room);
	enum fault fault = address_parse(address, true, &a);

	if (fault != FAULT_none)
		return err_set(e, RC_PERM, "%.*s: %s", STR_FMT(address), fault_text(fault));
	/* the local part becomes a folder's name */
	if (a.local[0] == '.' || strchr(a.local, '/') != NULL)
		return err_set(e, RC_PERM, "%.*s: a mailbox's name has no / and no . in front",
		               STR_FMT(address));
	const struct cfg_domain *domain = cfg_domain_canonical(cfg, str_of(a.domain.name));
	if (domain == NULL)
		return err_set(e, RC_PERM, "%.*s: %s is not a domain of ours", STR_FMT(address),
		               a.domain.name);
	if (domain->mailboxes == MAILBOXES_SYSTEM)
		return err_set(e, RC_PERM,
		               "%.*s: mailboxes of %.*s are those of the machine's users, as "
		               "adduser(8) makes them",
		               STR_FMT(address), STR_FMT(domain->name));
	if (str_eq(domain->name, str_of(a.domain.name))) {
		address_key(ret, &a);
		return RC_OK;
	}
	resolve_name(&right, str_of(a.local), domain->name);
	return err_set(e, RC_PERM, "%s is another name for %.*s: the mailbox is %s",
	               a.domain.name, STR_FMT(domain->name), right.p);
}

enum rc
accounts_add(struct accounts *a, struct str name, uint64_t now_us, struct err *e)
{
	db_bind_str(a->add, 1, name);
	(void)sqlite3_bind_int64(a->add, 2, (sqlite3_int64)now_us); /* the place is there */
	enum rc rc = db_run(a->add, e);
	if (rc == RC_OK)
		return forget(a, e);
	if (sqlite3_errcode(a->db) == SQLITE_CONSTRAINT)
		return err_set(e, RC_PERM, "%.*s exists already", STR_FMT(name));
	return rc;
}

enum rc
accounts_remove(struct accounts *a, struct str name, struct err *e)
{
	db_bind_str(a->remove, 1, name);
	enum rc rc = db_run(a->remove, e);
	if (rc != RC_OK)
		return rc;
	if (sqlite3_changes(a->db) == 0)
		return err_set(e, RC_PERM, "%.*s has no account", STR_FMT(name));
	return forget(a, e);
}

enum rc
accounts_refresh(struct accounts *a, struct err *e)
{
	int64_t now;

	if (db_number(a->version, &now, e) != RC_OK)
		return e->rc;
	if (now == a->seen)
		return RC_OK;
	a->seen = now;
	return forget(a, e);
}

static enum rc
remember(struct accounts *a, const struct cache_key *key, bool has, struct err *e)
{
	bool *answer = table_put(a->cache, key);

	if (answer == NULL && forget(a, e) != RC_OK)
		return e->rc;
	if (answer == NULL)
		answer = table_put(a->cache, key);
	if (answer != NULL)
		*answer = has;
	return RC_OK;
}

enum rc
accounts_has(struct accounts *a, struct str name, bool *ret, struct err *e)
{
	struct cache_key key = {.name = ""};
	struct buf b = BUF_ON(key.name);
	int64_t has;

	buf_add(&b, name);
	*ret = false;
	if (b.cut)
		return RC_OK; /* longer than any address */
	const bool *known = table_get(a->cache, &key);
	if (known != NULL) {
		*ret = *known;
		return RC_OK;
	}
	db_bind_str(a->has, 1, name);
	if (db_number(a->has, &has, e) != RC_OK)
		return e->rc;
	*ret = has != 0;
	return remember(a, &key, *ret, e);
}

enum rc
accounts_list(struct accounts *a, struct str after, unsigned most, accounts_each *each,
              void *arg, bool *ret_more, struct err *e)
{
	unsigned count = 0;
	int code;

	db_bind_str(a->list, 1, after);
	(void)sqlite3_bind_int64(a->list, 2, (sqlite3_int64)most + 1); /* the place is there */
	while ((code = sqlite3_step(a->list)) == SQLITE_ROW && count++ < most)
		each(arg, db_column_str(a->list, 0),
		     (uint64_t)sqlite3_column_int64(a->list, 1));
	*ret_more = code == SQLITE_ROW;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		(void)db_err(a->db, e, "list accounts");
	(void)sqlite3_reset(a->list); /* repeats the error of the step */
	return code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : e->rc;
}

sqlite3 *
accounts_db(struct accounts *a)
{
	return a->db;
}
