/*
 * The tables of what may stand in sekisho.conf. See cfg_schema.h.
 */
#include <assert.h>

#include "cfg/cfg.h"
#include "cfg/cfg_schema.h"

#define SLIP_MOST 2U  /* letters wrong, missing or too many in a key that we still recognise */
#define NAME_MOST 32U /* octets of a key; a longer word is no slip for one */

/* clang-format off */
#define VALUE_KEY(in_, name_, doc_) \
	{.in = SCOPE_##in_, .kind = KEY_VALUE, .name = #name_, .opens = SCOPE_##in_, .doc = (doc_)}
static const struct cfg_key keys[] = {
#define TEXT(name, initial, doc)                   VALUE_KEY(root, name, doc),
#define OPTION(name, initial, min, max, unit, doc) VALUE_KEY(root, name, doc),
#define CHOICE(name, initial, choices, doc)        VALUE_KEY(root, name, doc),
#include "cfg/cfg.def"
#define TEXT(in, name, doc) VALUE_KEY(in, name, doc),
#define SECTION(in_, name_, doc_) \
	{.in = SCOPE_##in_, .kind = KEY_SECTION, .name = #name_, .opens = SCOPE_##name_, .doc = (doc_)},
#define CHOICE(in_, name_, first, choices_, doc_) \
	{.in = SCOPE_##in_, .kind = KEY_VALUE, .name = #name_, .opens = SCOPE_##in_, \
	 .initial = (first), .choices = (choices_), .doc = (doc_)},
#define LIST(in_, name_, doc_) \
	{.in = SCOPE_##in_, .kind = KEY_LIST, .name = #name_, .opens = SCOPE_##in_, .doc = (doc_)},
#include "cfg/section.def"
};

#define ROW(kind_, name_, doc_) \
	.kind = (kind_), .name = #name_, .at = offsetof(struct cfg, name_), .doc = (doc_)
static const struct cfg_row rows[] = {
#define TEXT(name_, first, doc_)            {ROW(ROW_TEXT, name_, doc_), .initial = (first)},
#define CHOICE(name_, first, choices_, doc_) \
	{ROW(ROW_CHOICE, name_, doc_), .initial = (first), .choices = (choices_)},
#define OPTION(name_, first, least, most, unit_, doc_) \
	{ROW(ROW_NUMBER, name_, doc_), .number = (first), .min = (least), .max = (most), .unit = (unit_)},
#include "cfg/cfg.def"
};
/* clang-format on */

_Static_assert(LENGTH(keys) <= CFG_KEY_MOST, "raise CFG_KEY_MOST");

const struct cfg_key *
cfg_key_at(size_t at)
{
	return at < LENGTH(keys) ? &keys[at] : NULL;
}

size_t
cfg_key_number(const struct cfg_key *key)
{
	return (size_t)(key - keys);
}

const struct cfg_key *
cfg_key_find(enum cfg_scope in, struct str name)
{
	for (size_t i = 0; i < LENGTH(keys); i++)
		if (keys[i].in == in && str_eq(str_of(keys[i].name), name))
			return &keys[i];
	return NULL;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, row by row; both at most NAME_MOST long. */
static unsigned
distance(struct str a, struct str b)
{
	unsigned row[NAME_MOST + 1];

	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned change = diagonal + (a.p[i - 1] != b.p[j - 1]);

			diagonal = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.n];
}

const struct cfg_key *
cfg_key_nearest(enum cfg_scope in, struct str name)
{
	const struct cfg_key *nearest = NULL;
	unsigned best = SLIP_MOST + 1;

	if (name.n > NAME_MOST)
		return NULL;
	for (size_t i = 0; i < LENGTH(keys); i++) {
		struct str key = str_of(keys[i].name);

		assert(key.n <= NAME_MOST);
		if (keys[i].in == in && distance(name, key) < best) {
			best = distance(name, key);
			nearest = &keys[i];
		}
	}
	return nearest;
}

const struct cfg_row *
cfg_row_at(size_t at)
{
	return at < LENGTH(rows) ? &rows[at] : NULL;
}

void *
cfg_row_member(const struct cfg_row *row, struct cfg *c)
{
	return (char *)c + row->at;
}

const void *
cfg_row_value(const struct cfg_row *row, const struct cfg *c)
{
	return (const char *)c + row->at;
}
