/*
 * One table in memory. See map.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/buf.h"
#include "proto/aliases.h"
#include "proto/virtual.h"
#include "vault/map.h"

#define PLACES_FIRST 64U /* a power of two, as all that follow */
#define KEY_MAX (LOCAL_MAX + 1 + DOMAIN_MAX + 1)

struct map {
	struct arena *arena; /* rows and texts */
	struct map_row **places;
	unsigned place_count;
	unsigned count;
	struct table_secret secret;
};

/* Reading one file. */
struct reading {
	const struct cfg *cfg;
	struct map *map;
	map_report *report;
	void *arg;
	unsigned bad;
	struct map_target targets[MAP_TARGETS_MAX];
	unsigned target_count;
};

/* ---- by key ---- */

static struct map_row **
place_of(const struct map *m, struct str local, struct str domain)
{
	char room[KEY_MAX];
	struct buf key = BUF_ON(room);

	buf_add(&key, local);
	buf_addc(&key, '\0'); /* in neither of the two */
	buf_add(&key, domain);
	return &m->places[siphash(m->secret, key.p, key.n) & (m->place_count - 1)];
}

struct map_row *
map_find(const struct map *m, struct str local, struct str domain)
{
	struct map_row *row = *place_of(m, local, domain);

	while (row != NULL && !(str_eq(row->local, local) && str_eq(row->domain, domain)))
		row = row->next;
	return row;
}

unsigned
map_count(const struct map *m)
{
	return m->count;
}

static void
put(struct map *m, struct map_row *row)
{
	struct map_row **place = place_of(m, row->local, row->domain);

	row->next = *place;
	*place = row;
}

/* Twice as many places, so that few rows share one. */
static bool
grow(struct map *m)
{
	struct map_row **old = m->places;
	unsigned old_count = m->place_count;
	unsigned count = old_count == 0 ? PLACES_FIRST : old_count * 2;
	struct map_row **places = calloc(count, sizeof(struct map_row *));

	if (places == NULL)
		return false;
	m->places = places;
	m->place_count = count;
	for (unsigned i = 0; i < old_count; i++)
		for (struct map_row *row = old[i], *next; row != NULL; row = next) {
			next = row->next;
			put(m, row);
		}
	free(old);
	return true;
}

/* ---- life ---- */

static struct map *
map_new(struct err *e)
{
	struct map *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		(void)err_sys(e, "a table");
		return NULL;
	}
	m->arena = arena_new(MAP_MEMORY_MAX);
	if (m->arena != NULL && grow(m) &&
	    getrandom(&m->secret, sizeof(m->secret), 0) == (ssize_t)sizeof(m->secret))
		return m;
	(void)err_set(e, RC_TEMP, "no memory for a table");
	return map_free(m);
}

struct map *
map_free(struct map *m)
{
	if (m == NULL)
		return NULL;
	(void)arena_free(m->arena);
	free(m->places);
	free(m);
	return NULL;
}

/* ---- what is wrong with it ---- */

PRINTF(4, 5)
static void
tell(struct reading *r, unsigned line, bool bad, const char *fmt, ...)
{
	char room[240];
	struct buf b = BUF_ON(room);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	r->bad += bad;
	r->report(r->arg, line, bad, b.cut ? "something is wrong here" : b.p);
}

/* At most so much of a file's text is repeated, and without its controls. */
static struct str
shown(struct str text, char *room, size_t cap)
{
	struct buf b = {.p = room, .cap = cap};

	buf_clear(&b);
	for (size_t i = 0; i < text.n && i < 60; i++)
		buf_add_escaped(&b, str_slice(text, i, i + 1));
	return buf_str(&b);
}

static const char *
unsupported(enum target_kind kind)
{
	switch (kind) {
	case TARGET_COMMAND:
		return "sekisho starts no programs";
	case TARGET_FILE:
		return "sekisho delivers to no files";
	case TARGET_INCLUDE:
		return "lists in other files are not read: name the addresses here";
	default:
		return NULL;
	}
}

/* What does nothing is told; false for what cannot be meant. */
static bool
check_target(struct reading *r, unsigned line, bool catches, const struct target *t)
{
	char room[260];
	struct str text = shown(t->text, room, sizeof(room));
	const char *why = unsupported(t->kind);
	struct str domain = str_of(t->address.domain.name);

	if (t->kind == TARGET_BAD)
		why = t->problem;
	else if (t->kind == TARGET_DOMAIN && !catches)
		why = "only a row for all of a domain can lead to all of another";
	else if (domain.n > 0 && cfg_domain_find(r->cfg, domain) == NULL)
		why = "this is in no domain of ours, and sekisho does not send mail out yet";
	if (why != NULL)
		tell(r, line, t->kind == TARGET_BAD, "%.*s: %s", STR_FMT(text), why);
	return t->kind != TARGET_BAD && !(t->kind == TARGET_DOMAIN && !catches);
}

/* ---- rows ---- */

/* Into r->targets; false where memory is out. */
static bool
read_targets(struct reading *r, unsigned line, bool catches, struct targets list)
{
	struct target t;

	r->target_count = 0;
	while (targets_next(&list, &t)) {
		if (!check_target(r, line, catches, &t))
			continue;
		if (r->target_count == MAP_TARGETS_MAX) {
			tell(r, line, true, "leads to more than %u targets", MAP_TARGETS_MAX);
			return true;
		}
		struct map_target *to = &r->targets[r->target_count++];
		*to = (struct map_target){
			.kind = t.kind,
			.text = arena_str(r->map->arena, t.text),
			.local = arena_str(r->map->arena, str_of(t.address.local)),
			.domain = arena_str(r->map->arena, str_of(t.address.domain.name))};
		if (to->text.p == NULL || to->local.p == NULL || to->domain.p == NULL)
			return false;
	}
	return true;
}

/* False where memory is out. */
static bool
add_row(struct reading *r, unsigned line, const struct address *of, struct targets list)
{
	struct map *m = r->map;
	struct str local = str_of(of->local);
	struct str domain = str_of(of->domain.name);
	const struct map_row *first = map_find(m, local, domain);

	if (first != NULL) {
		tell(r, line, false, "this is there already, in line %u: that one counts",
		     first->line);
		return true;
	}
	if (!read_targets(r, line, local.n == 0, list))
		return false;
	struct map_row *row = arena_alloc(m->arena, sizeof(*row));
	if (row == NULL || (m->count >= m->place_count && !grow(m)))
		return false;
	*row = (struct map_row){
		.local = arena_str(m->arena, local),
		.domain = arena_str(m->arena, domain),
		.to = arena_array(m->arena, r->target_count + 1, sizeof(struct map_target)),
		.to_count = r->target_count,
		.line = line};
	if (row->local.p == NULL || row->domain.p == NULL || row->to == NULL)
		return false;
	memcpy(row->to, r->targets, r->target_count * sizeof(struct map_target));
	put(m, row);
	m->count++;
	return true;
}

static bool
read_aliases(struct reading *r, struct lines *l)
{
	struct aliases_row row;

	while (aliases_next(l, &row)) {
		struct address of = {.local = ""};
		struct buf b = BUF_ON(of.local);

		buf_add(&b, str_of(row.name));
		if (row.problem != NULL)
			tell(r, row.line, true, "%s", row.problem);
		else if (!add_row(r, row.line, &of, row.targets))
			return false;
	}
	return true;
}

/* What Postfix wants there for a virtual alias domain, and what is for nobody of ours. */
static bool
leave_out(struct reading *r, const struct virtual_row *row)
{
	struct str domain = str_of(row->of.domain.name);

	if (row->kind == VIRTUAL_USER)
		return cfg_domain_find(r->cfg, str_of(row->of.local)) != NULL;
	if (cfg_domain_find(r->cfg, domain) != NULL)
		return false;
	tell(r, row->line, false, "%.*s is not a domain of ours: nobody asks for this",
	     STR_FMT(domain));
	return true;
}

static bool
read_virtual(struct reading *r, struct lines *l)
{
	struct virtual_row row;

	while (virtual_next(l, &row)) {
		if (row.problem != NULL)
			tell(r, row.line, true, "%s", row.problem);
		else if (!leave_out(r, &row) && !add_row(r, row.line, &row.of, row.targets))
			return false;
	}
	return true;
}

enum rc
map_read(const struct cfg *cfg, enum cfg_map kind, struct str text, map_report *report,
         void *arg, struct map **ret, unsigned *ret_bad, struct err *e)
{
	static struct reading r; /* with its targets too large for a stack */
	static char room[LINES_ROOM];
	struct lines l = lines_of(text, room);

	r = (struct reading){.cfg = cfg, .report = report, .arg = arg};
	r.map = map_new(e);
	if (r.map == NULL)
		return e->rc;
	if (!(kind == MAP_ALIASES ? read_aliases(&r, &l) : read_virtual(&r, &l))) {
		(void)map_free(r.map);
		return err_set(e, RC_PERM, "it takes more than %lu MiB of memory",
		               MAP_MEMORY_MAX >> 20);
	}
	*ret = r.map;
	*ret_bad = r.bad;
	return RC_OK;
}
