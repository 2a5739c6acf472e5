/*
 * The rows of cfg.def: units, ranges and the defaults that are found out. See cfg_build.h.
 */
#include <string.h>
#include <unistd.h>

#include "cfg/cfg_build.h"
#include "cfg/cfg_units.h"
#include "proto/domain.h"

static void
set_number(struct cfg_build *b, const struct cfg_row *row, const struct cfg_value *v)
{
	uint64_t *to = cfg_row_member(row, b->c);
	char room[100];
	struct buf range = BUF_ON(room);

	*to = row->number;
	if (v == NULL ||
	    (cfg_units_parse(row->unit, v->text, to) && *to >= row->min && *to <= row->max))
		return;
	cfg_units_print(row->unit, row->min, &range);
	buf_add(&range, STR(" to "));
	cfg_units_print(row->unit, row->max, &range);
	cfg_report_error(b->report, v->line, row->name, "expected %s %s%s, got %s", room,
	                 row->unit, cfg_units_example(row->unit), cfg_given(v->text).c);
}

static void
set_choice(struct cfg_build *b, const struct cfg_row *row, const struct cfg_value *v)
{
	unsigned *to = cfg_row_member(row, b->c);
	struct str word = v == NULL ? str_of(row->initial) : v->text;

	if (!cfg_choice_find(row->choices, word, to))
		cfg_report_error(b->report, v == NULL ? 0 : v->line, row->name,
		                 "expected one of %s, got %s", row->choices, cfg_given(word).c);
}

static bool
set_text(struct cfg_build *b, const struct cfg_row *row, const struct cfg_value *v)
{
	struct str *to = cfg_row_member(row, b->c);

	if (v != NULL && v->text.n > CFG_TEXT_MAX)
		cfg_report_error(b->report, v->line, row->name, "expected at most %u octets",
		                 CFG_TEXT_MAX);
	*to = arena_str(b->keeps, v == NULL ? str_of(row->initial) : v->text);
	return to->p != NULL;
}

static unsigned
line_of(const struct cfg_value *v)
{
	return v == NULL ? 0 : v->line;
}

/* The machine's name, as its administrator set it: nobody is asked who could lie. */
static bool
hostname_default(struct cfg_build *b)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0)
		name[0] = '\0';
	if (strchr(name, '.') == NULL)
		cfg_report_error(b->report, 0, "hostname",
		                 "the machine's name %s has no domain: set hostname, as "
		                 "hostname = \"mail.example.org\"",
		                 cfg_given(str_of(name)).c);
	b->c->hostname = arena_str(b->keeps, str_of(name));
	return b->c->hostname.p != NULL;
}

static bool
check_hostname(struct cfg_build *b)
{
	const struct cfg_value *v = cfg_tree_value(b->file, "hostname");
	struct domain d;

	if (v == NULL && !hostname_default(b))
		return false;
	enum fault f = domain_parse(b->c->hostname, true, &d);
	if (f != FAULT_none) {
		cfg_report_error(b->report, line_of(v), "hostname",
		                 "expected a full host name, got %s: %s",
		                 cfg_given(b->c->hostname).c, fault_text(f));
		return true;
	}
	if (d.is_literal || (v != NULL && strchr(d.name, '.') == NULL))
		cfg_report_error(b->report, line_of(v), "hostname",
		                 "expected a full host name, as mail.example.org, got %s",
		                 cfg_given(b->c->hostname).c);
	b->c->hostname = arena_str(b->keeps, str_of(d.name));
	return b->c->hostname.p != NULL;
}

bool
cfg_is_absolute(struct str path)
{
	struct str part;

	if (!str_starts(path, STR("/")))
		return false;
	while (str_cut(&path, '/', &part))
		if (str_eq(part, STR("..")) || str_eq(part, STR(".")))
			return false;
	return true;
}

void
cfg_build_path(struct cfg_build *b, const char *key, struct str *path)
{
	const struct cfg_value *v = cfg_tree_value(b->file, key);

	if (!cfg_is_absolute(*path))
		cfg_report_error(b->report, line_of(v), key,
		                 "expected a path from / without . and .., got %s",
		                 cfg_given(*path).c);
	while (path->n > 1 && path->p[path->n - 1] == '/')
		path->n--;
}

/* A socket's path, <initial> where none is given. */
static bool
check_socket(struct cfg_build *b, const char *key, struct str initial, struct str *path)
{
	const struct cfg_value *v = cfg_tree_value(b->file, key);

	if (path->n == 0)
		*path = arena_str(b->keeps, initial);
	if (v != NULL)
		cfg_build_path(b, key, path);
	if (path->n > CFG_PATH_MAX)
		cfg_report_error(b->report, line_of(v), key,
		                 "expected at most %u octets, got %zu%s", CFG_PATH_MAX, path->n,
		                 v == NULL ? " below data_dir: set it" : "");
	return path->p != NULL;
}

static bool
check_sockets(struct cfg_build *b)
{
	struct cfg *c = b->c;
	char room[CFG_TEXT_MAX + sizeof("/control.sock")];
	struct buf control = BUF_ON(room);
	char local_room[CFG_TEXT_MAX + sizeof("/submit")];
	struct buf local = BUF_ON(local_room);

	buf_addf(&control, "%.*s/control.sock", STR_FMT(c->data_dir));
	if (str_eq(c->data_dir, STR("/var/lib/sekisho")))
		buf_add(&local, STR(CFG_LOCAL_SOCKET));
	else
		buf_addf(&local, "%.*s/submit", STR_FMT(c->data_dir));
	return check_socket(b, "control_socket", buf_str(&control), &c->control_socket) &&
	       (str_eq(c->local_socket, STR(CFG_OFF)) ||
	        check_socket(b, "local_socket", buf_str(&local), &c->local_socket));
}

bool
cfg_build_options(struct cfg_build *b)
{
	const struct cfg_row *row;

	for (size_t i = 0; (row = cfg_row_at(i)) != NULL; i++) {
		const struct cfg_value *v = cfg_tree_value(b->file, row->name);

		if (row->kind == ROW_NUMBER)
			set_number(b, row, v);
		else if (row->kind == ROW_CHOICE)
			set_choice(b, row, v);
		else if (!set_text(b, row, v))
			return false;
	}
	cfg_build_path(b, "data_dir", &b->c->data_dir);
	return check_hostname(b) && check_sockets(b);
}
