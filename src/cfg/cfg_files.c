/*
 * Lists of files beside sekisho.conf. See cfg_build.h.
 */
#include "cfg/cfg_build.h"

static void
check_path(struct cfg_build *b, const struct cfg_value *v, const struct cfg_files *f)
{
	if (!cfg_is_absolute(v->text) || v->text.n > CFG_TEXT_MAX)
		cfg_report_error(b->report, v->line, v->key->name,
		                 "expected a path from / without . and .., at most %u octets "
		                 "long, got %s",
		                 CFG_TEXT_MAX, cfg_given(v->text).c);
	for (unsigned i = 0; i < f->count; i++)
		if (str_eq(f->paths[i], v->text))
			cfg_report_error(b->report, v->line, v->key->name, "%s is there twice",
			                 cfg_given(v->text).c);
}

static bool
set_files(struct cfg_build *b, const char *key, struct cfg_files *f)
{
	f->paths = arena_array(b->keeps, CFG_FILES_MOST, sizeof(f->paths[0]));
	if (f->paths == NULL)
		return false;
	for (const struct cfg_value *v = b->file->values; v != NULL; v = v->next) {
		if (!str_eq(str_of(v->key->name), str_of(key)))
			continue;
		check_path(b, v, f);
		if (f->count == CFG_FILES_MOST) {
			cfg_report_error(b->report, v->line, key, "expected at most %u files",
			                 CFG_FILES_MOST);
			return true;
		}
		f->paths[f->count] = arena_str(b->keeps, v->text);
		if (f->paths[f->count++].p == NULL)
			return false;
	}
	return true;
}

bool
cfg_build_files(struct cfg_build *b)
{
	return set_files(b, "alias_files", &b->c->alias_files) &&
	       set_files(b, "virtual_files", &b->c->virtual_files);
}
