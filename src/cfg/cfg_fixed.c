/*
 * What only a restart changes. See cfg_fixed.h.
 */
#include "cfg/cfg_fixed.h"
#include "cfg/cfg.h"
#include "cfg/cfg_schema.h"

/* Rows of cfg.def. */
static const char *const fixed[] = {
	"data_dir",       /* open, locked, and the root of every role */
	"control_socket", /* bound, and where operators expect it */
	"uid_base",       /* whose files these are */
};

bool
cfg_row_is_fixed(const struct cfg_row *row)
{
	for (size_t i = 0; i < LENGTH(fixed); i++)
		if (str_eq(str_of(fixed[i]), str_of(row->name)))
			return true;
	return false;
}

bool
cfg_row_same(const struct cfg_row *row, const struct cfg *a, const struct cfg *b)
{
	const void *x = cfg_row_value(row, a);
	const void *y = cfg_row_value(row, b);

	switch (row->kind) {
	case ROW_TEXT:
		return str_eq(*(const struct str *)x, *(const struct str *)y);
	case ROW_NUMBER:
		return *(const uint64_t *)x == *(const uint64_t *)y;
	case ROW_CHOICE:
		return *(const unsigned *)x == *(const unsigned *)y;
	}
	return false;
}

static bool
copy_value(const struct cfg_row *row, struct cfg *to, const struct cfg *from)
{
	void *member = cfg_row_member(row, to);
	const void *value = cfg_row_value(row, from);

	switch (row->kind) {
	case ROW_TEXT:
		*(struct str *)member = arena_str(to->arena, *(const struct str *)value);
		return ((struct str *)member)->p != NULL;
	case ROW_NUMBER:
		*(uint64_t *)member = *(const uint64_t *)value;
		break;
	case ROW_CHOICE:
		*(unsigned *)member = *(const unsigned *)value;
		break;
	}
	return true;
}

bool
cfg_keep_fixed(struct cfg *next, const struct cfg *running, const char *path,
               struct buf *report)
{
	const struct cfg_row *row;

	for (size_t i = 0; (row = cfg_row_at(i)) != NULL; i++) {
		if (!cfg_row_is_fixed(row) || cfg_row_same(row, next, running))
			continue;
		if (!copy_value(row, next, running))
			return false;
		buf_addf(report,
		         "%s: warning: %s: its old value stays in force until a restart\n",
		         path, row->name);
	}
	return true;
}
