/*
 * The configuration as text, by the rows it was read by. See cfg_show.h.
 */
#include "cfg/cfg_show.h"
#include "cfg/cfg.h"
#include "cfg/cfg_schema.h"
#include "cfg/cfg_units.h"
#include "proto/address.h"

static void
add_quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '$')
			buf_addc(b, '\\');
		buf_addc(b, s.p[i]);
	}
	buf_addc(b, '"');
}

static void
add_text_key(struct buf *b, const char *key, struct str value)
{
	if (value.n == 0)
		return;
	buf_addf(b, "    %s = ", key);
	add_quoted(b, value);
	buf_addc(b, '\n');
}

static void
show_number(struct buf *b, const struct cfg_row *row, uint64_t value)
{
	buf_addf(b, "# %s: ", row->unit);
	cfg_units_print(row->unit, row->min, b);
	buf_add(b, STR(" to "));
	cfg_units_print(row->unit, row->max, b);
	buf_add(b, STR(", default "));
	cfg_units_print(row->unit, row->number, b);
	buf_addf(b, "\n%s = ", row->name);
	cfg_units_print(row->unit, value, b);
}

static void
show_row(struct buf *b, const struct cfg_row *row, const struct cfg *c)
{
	const void *value = cfg_row_value(row, c);

	buf_addf(b, "# %s\n", row->doc);
	switch (row->kind) {
	case ROW_NUMBER:
		show_number(b, row, *(const uint64_t *)value);
		break;
	case ROW_CHOICE:
		buf_addf(b, "# one of %s, default %s\n%s = %.*s", row->choices, row->initial,
		         row->name,
		         STR_FMT(cfg_choice_word(row->choices, *(const unsigned *)value)));
		break;
	case ROW_TEXT:
		buf_addf(b, "%s = ", row->name);
		add_quoted(b, *(const struct str *)value);
		break;
	}
	buf_add(b, STR("\n\n"));
}

/* What a section and the keys in it are for: once, above the first of its kind. */
static void
show_docs(struct buf *b, enum cfg_scope of)
{
	const struct cfg_key *key;

	for (size_t i = 0; (key = cfg_key_at(i)) != NULL; i++) {
		if (key->kind == KEY_SECTION && key->opens == of)
			buf_addf(b, "# %s \"...\": %s\n", key->name, key->doc);
		else if (key->in == of && key->kind != KEY_SECTION)
			buf_addf(b, "#     %s: %s\n", key->name, key->doc);
	}
}

static void
show_listen(struct buf *b, const struct cfg_listen *l)
{
	const struct cfg_key *service = cfg_key_find(SCOPE_listen, STR("service"));

	buf_add(b, STR("listen "));
	add_quoted(b, l->name);
	buf_add(b, STR(" {\n"));
	add_text_key(b, "address", l->address);
	if (l->path.n > 0)
		buf_addf(b, "    mode = \"%04o\"\n", l->mode);
	add_text_key(b, "owner", l->owner);
	add_text_key(b, "group", l->group);
	buf_addf(b, "    service = %.*s\n}\n",
	         STR_FMT(cfg_choice_word(service->choices, (unsigned)l->service)));
}

/* The local part as it stands in an address: quoted where it must be. */
static void
show_alias(struct buf *b, const struct cfg_alias *a)
{
	struct address local = {.local = ""};
	struct buf name = BUF_ON(local.local);
	char room[(size_t)2 * LOCAL_MAX + sizeof("\"\"")];
	struct buf written = BUF_ON(room);

	buf_add(&name, a->name);
	address_print(&written, &local);
	buf_add(b, STR("    alias "));
	add_quoted(b, buf_str(&written));
	buf_add(b, STR(" { to = {"));
	for (unsigned i = 0; i < a->to_count; i++) {
		if (i > 0)
			buf_add(b, STR(", "));
		add_quoted(b, a->to[i]);
	}
	buf_add(b, STR("} }\n"));
}

static void
show_domain(struct buf *b, const struct cfg *c, const struct cfg_domain *d)
{
	const struct cfg_endpoint *to = cfg_domain_endpoint(c, d);

	if (d->implied)
		return;
	buf_add(b, STR("domain "));
	add_quoted(b, d->name);
	buf_add(b, STR(" {\n"));
	add_text_key(b, "same_as", d->same_as);
	if (d->mailboxes == MAILBOXES_SYSTEM)
		buf_add(b, STR("    mailboxes = system\n"));
	add_text_key(b, "deliver", to == NULL ? STR_NONE : to->name);
	if (d->quota > 0) {
		buf_add(b, STR("    quota = "));
		cfg_units_print("octets", d->quota, b);
		buf_addc(b, '\n');
	}
	add_text_key(b, "catch_all", d->catch_all);
	for (unsigned i = 0; i < d->alias_count; i++)
		show_alias(b, &d->aliases[i]);
	buf_add(b, STR("}\n"));
}

static void
show_files(struct buf *b, const char *name, const struct cfg_files *f)
{
	buf_addf(b, "# %s\n%s = {", cfg_key_find(SCOPE_root, str_of(name))->doc, name);
	for (unsigned i = 0; i < f->count; i++) {
		if (i > 0)
			buf_add(b, STR(", "));
		add_quoted(b, f->paths[i]);
	}
	buf_add(b, STR("}\n\n"));
}

static void
show_local(struct buf *b, const struct cfg_local *l)
{
	buf_add(b, STR("local "));
	add_quoted(b, l->name);
	buf_add(b, STR(" {\n"));
	for (unsigned i = 0; i < l->sender_count; i++) {
		buf_add(b, i == 0 ? STR("    senders = {") : STR(", "));
		add_quoted(b, l->senders[i]);
	}
	buf_add(b, l->sender_count > 0 ? STR("}\n") : STR(""));
	if (l->rate > 0)
		buf_addf(b, "    rate = \"%llu/h\"\n", (unsigned long long)l->rate);
	buf_add(b, STR("}\n"));
}

void
cfg_show(const struct cfg *c, struct buf *b)
{
	const struct cfg_row *row;

	for (size_t i = 0; (row = cfg_row_at(i)) != NULL; i++)
		show_row(b, row, c);
	cfg_show_sections(c, b);
}

void
cfg_show_sections(const struct cfg *c, struct buf *b)
{
	show_files(b, "alias_files", &c->alias_files);
	show_files(b, "virtual_files", &c->virtual_files);
	show_docs(b, SCOPE_listen);
	for (unsigned i = 0; i < c->listen_count; i++)
		if (!c->listens[i].implied)
			show_listen(b, &c->listens[i]);
	buf_addc(b, '\n');
	show_docs(b, SCOPE_domain);
	show_docs(b, SCOPE_alias);
	show_domain(b, c, &c->domains[c->home]);
	for (unsigned i = 0; i < c->domain_count; i++)
		if (i != c->home)
			show_domain(b, c, &c->domains[i]);
	buf_addc(b, '\n');
	show_docs(b, SCOPE_local);
	for (unsigned i = 0; i < c->local_count; i++)
		show_local(b, &c->locals[i]);
}
