/*
 * Tables beside accounts.db. See maps.h.
 */
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "vault/mapfile.h"
#include "vault/maps.h"

#define TABLES_MAX (1U + 2U * CFG_FILES_MOST)
#define PROBLEMS_LOGGED 20U /* of one file at once */
#define PASSWD "/etc/passwd"

/* One file. */
struct table_slot {
	enum cfg_map kind;
	unsigned number;
	char path[CFG_TEXT_MAX + 1];
	bool known;  /* <map> or <users> is there */
	bool partly; /* lines of it could not be used */
	struct map *map;
	struct users *users;
	bool seen; /* <hash> is that of what was last read, good or bad */
	uint64_t hash;
	bool told_lost;
};

struct maps {
	const struct cfg *cfg;
	struct table_secret secret;
	struct table_slot slots[TABLES_MAX];
	unsigned count;
};

/* Logging what is wrong with one file. */
struct telling {
	const char *path;
	unsigned lines;
};

/* ---- life ---- */

static void
add_slot(struct maps *m, enum cfg_map kind, unsigned number, struct str path)
{
	struct table_slot *s = &m->slots[m->count++];
	struct buf b;

	*s = (struct table_slot){.kind = kind, .number = number};
	b = BUF_ON(s->path);
	buf_add(&b, path); /* cfg bounds it */
}

static void
plan(struct maps *m, const struct cfg *cfg)
{
	m->cfg = cfg;
	if (cfg_needs_users(cfg))
		add_slot(m, MAP_PASSWD, 0, STR(PASSWD));
	for (unsigned i = 0; i < cfg->alias_files.count; i++)
		add_slot(m, MAP_ALIASES, i, cfg->alias_files.paths[i]);
	for (unsigned i = 0; i < cfg->virtual_files.count; i++)
		add_slot(m, MAP_VIRTUAL, i, cfg->virtual_files.paths[i]);
}

static void
forget(struct table_slot *s)
{
	s->map = map_free(s->map);
	s->users = users_free(s->users);
	s->known = false;
	s->partly = false;
	s->seen = false;
}

struct maps *
maps_new(const struct cfg *cfg)
{
	struct maps *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	if (getrandom(&m->secret, sizeof(m->secret), 0) != (ssize_t)sizeof(m->secret))
		return maps_free(m);
	plan(m, cfg);
	return m;
}

struct maps *
maps_free(struct maps *m)
{
	if (m == NULL)
		return NULL;
	for (unsigned i = 0; i < m->count; i++)
		forget(&m->slots[i]);
	free(m);
	return NULL;
}

/* What <from> knows of the same file. */
static void
inherit(struct table_slot *to, struct maps *from)
{
	for (unsigned i = 0; i < from->count; i++) {
		struct table_slot *s = &from->slots[i];
		unsigned number = to->number;

		if (s->kind != to->kind || !str_eq(str_of(s->path), str_of(to->path)))
			continue;
		*to = *s;
		to->number = number;
		to->seen = false; /* other domains are ours now: it says something else */
		s->map = NULL;
		s->users = NULL;
	}
}

bool
maps_reconfigure(struct maps *m, const struct cfg *cfg)
{
	struct maps *old = malloc(sizeof(*old));

	if (old == NULL)
		return false;
	*old = *m;
	m->count = 0;
	plan(m, cfg);
	for (unsigned i = 0; i < m->count; i++)
		inherit(&m->slots[i], old);
	(void)maps_free(old);
	return true;
}

static struct table_slot *
slot_of(struct maps *m, enum cfg_map kind, unsigned number)
{
	for (unsigned i = 0; i < m->count; i++)
		if (m->slots[i].kind == kind && m->slots[i].number == number)
			return &m->slots[i];
	return NULL;
}

/* ---- a file comes ---- */

static void
on_problem(void *arg, unsigned line, bool bad, const char *text)
{
	struct telling *t = arg;

	if (t->lines++ < PROBLEMS_LOGGED)
		log_put(LOG_WARN, bad ? "map_bad_line" : "map_line",
		        KVS(kv_text("file", t->path), kv_num("line", line),
		            kv_text("text", text)));
}

static void
say_rest(const struct telling *t)
{
	if (t->lines > PROBLEMS_LOGGED)
		log_put(LOG_WARN, "map_lines",
		        KVS(kv_text("file", t->path),
		            kv_num("more", t->lines - PROBLEMS_LOGGED),
		            kv_text("text", "sekisho check says them all")));
}

static void
say_failed(const struct table_slot *s, struct str why)
{
	log_put(LOG_ERROR, "map_failed",
	        KVS(kv_text("file", s->path), kv_str("why", why),
	            kv_text("so", s->known ? "what it said before still holds"
	                                   : "mail that it could lead waits")));
}

static void
say_read(const struct table_slot *s, unsigned entries)
{
	log_put(LOG_INFO, "map_read",
	        KVS(kv_text("file", s->path), kv_num("entries", entries)));
}

static void
take_users(struct maps *m, struct table_slot *s, struct str text)
{
	struct users *users = NULL;
	struct err e;

	if (users_read(text, m->cfg->system_uid_min, m->cfg->system_uid_max, &users, &e) !=
	    RC_OK) {
		say_failed(s, str_of(e.text));
		return;
	}
	if (users_find(users, STR("root")) == USER_NONE) {
		say_failed(s, STR("it does not name root: it is being written, or damaged"));
		(void)users_free(users);
		return;
	}
	(void)users_free(s->users);
	s->users = users;
	s->known = true;
	say_read(s, users_count(users));
}

/* With bad lines it takes no other's place: rather what was good than what is half there. */
static void
take_map(struct maps *m, struct table_slot *s, struct str text)
{
	struct telling t = {.path = s->path};
	struct map *map = NULL;
	unsigned bad = 0;
	struct err e;

	if (map_read(m->cfg, s->kind, text, on_problem, &t, &map, &bad, &e) != RC_OK) {
		say_failed(s, str_of(e.text));
		return;
	}
	say_rest(&t);
	if (bad > 0 && s->known && !s->partly) {
		say_failed(s, STR("it has lines that cannot be used"));
		(void)map_free(map);
		return;
	}
	(void)map_free(s->map);
	s->map = map;
	s->known = true;
	s->partly = bad > 0;
	say_read(s, map_count(map));
}

static bool
is_new(struct maps *m, struct table_slot *s, struct str text)
{
	uint64_t hash = siphash(m->secret, text.p, text.n);

	if (s->seen && s->hash == hash)
		return false;
	s->seen = true;
	s->hash = hash;
	return true;
}

bool
maps_take(struct maps *m, enum cfg_map kind, unsigned number, int fd)
{
	CLEANUP(fd_closep) int mine = fd;
	struct table_slot *s = slot_of(m, kind, number);
	size_t most = kind == MAP_PASSWD ? USERS_OCTETS_MAX : MAP_OCTETS_MAX;
	char *p = NULL;
	size_t n = 0;
	struct err e;

	if (s == NULL)
		return false;
	s->told_lost = false;
	enum rc rc = mapfile_read(mine, most, &p, &n, &e);
	if (rc == RC_AGAIN)
		return true; /* master sees that it changes, and sends it again */
	if (rc != RC_OK) {
		say_failed(s, str_of(e.text));
		return true;
	}
	struct str text = {p, n};
	if (is_new(m, s, text)) {
		if (kind == MAP_PASSWD)
			take_users(m, s, text);
		else
			take_map(m, s, text);
	}
	free(p);
	return true;
}

bool
maps_lose(struct maps *m, enum cfg_map kind, unsigned number, bool removed, struct str why)
{
	struct table_slot *s = slot_of(m, kind, number);

	if (s == NULL)
		return false;
	/* as after a start without it: what was configured and is not there is trouble */
	if (removed)
		forget(s);
	if (!s->told_lost)
		say_failed(s, why);
	s->told_lost = true;
	return true;
}

/* ---- questions ---- */

enum maps_known
maps_known(const struct maps *m, enum cfg_map kind)
{
	enum maps_known known = MAPS_ALL;

	for (unsigned i = 0; i < m->count; i++) {
		const struct table_slot *s = &m->slots[i];

		if (s->kind == kind && !s->known)
			return MAPS_MISSING;
		if (s->kind == kind && s->partly)
			known = MAPS_PARTLY;
	}
	return known;
}

struct map_row *
maps_find(const struct maps *m, enum cfg_map kind, struct str local, struct str domain)
{
	struct map_row *row = NULL;

	for (unsigned i = 0; i < m->count && row == NULL; i++)
		if (m->slots[i].kind == kind && m->slots[i].map != NULL)
			row = map_find(m->slots[i].map, local, domain);
	return row;
}

const struct users *
maps_users(const struct maps *m)
{
	for (unsigned i = 0; i < m->count; i++)
		if (m->slots[i].kind == MAP_PASSWD)
			return m->slots[i].users;
	return NULL;
}

enum user_kind
maps_user(const struct maps *m, struct str local)
{
	const struct users *users = maps_users(m);

	return users == NULL ? USER_NONE : users_find(users, local);
}
