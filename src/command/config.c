/*
 * sekisho config: the values in effect, as a file that would set them, or as JSON.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "cfg/cfg_schema.h"
#include "cfg/cfg_show.h"
#include "command/command.h"

#define TEXT_OCTETS \
	((size_t)4 * CFG_OCTETS_MAX) /* what the wire form holds, with words around it */

/* The least that has to be said, with names that are nobody's (RFC 2606). */
static const char sample[] = "hostname = \"mail.example.org\"\n"
			     "listen \"mx\" { address = \"*:25\" }\n"
			     "domain \"example.org\" {\n"
			     "    alias \"postmaster\" { to = {\"alice\"} }\n"
			     "}\n";

static struct cfg *
read_sample(void)
{
	char room[1024];
	struct buf report = BUF_ON(room);
	struct cfg *c = NULL;

	buf_clear(&report);
	if (cfg_read_text("sample", str_of(sample), &c, &report) != RC_OK)
		(void)fputs(room, stderr);
	return c;
}

static json_t *
text(struct str s)
{
	return json_stringn(s.n == 0 ? "" : s.p, s.n);
}

static json_t *
row_json(const struct cfg_row *row, const struct cfg *c)
{
	const void *value = cfg_row_value(row, c);

	if (row->kind == ROW_NUMBER)
		return json_integer((json_int_t) * (const uint64_t *)value);
	if (row->kind == ROW_CHOICE)
		return text(cfg_choice_word(row->choices, *(const unsigned *)value));
	return text(*(const struct str *)value);
}

static json_t *
listen_json(const struct cfg_listen *l)
{
	const struct cfg_key *service = cfg_key_find(SCOPE_listen, STR("service"));

	json_t *o = json_pack("{s:o, s:o, s:o}", "name", text(l->name), "address",
	                      text(l->address), "service",
	                      text(cfg_choice_word(service->choices, (unsigned)l->service)));

	if (l->path.n > 0)
		(void)json_object_update_new(o, json_pack("{s:i, s:o, s:o}", "mode",
		                                          (int)l->mode, "owner", text(l->owner),
		                                          "group", text(l->group)));
	return o;
}

static json_t *
aliases_json(const struct cfg_domain *d)
{
	json_t *all = json_object();

	for (unsigned i = 0; i < d->alias_count; i++) {
		const struct cfg_alias *a = &d->aliases[i];
		json_t *to = json_array();

		for (unsigned j = 0; j < a->to_count; j++)
			(void)json_array_append_new(to, text(a->to[j]));
		(void)json_object_setn_new(all, a->name.p, a->name.n, to);
	}
	return all;
}

static json_t *
domain_json(const struct cfg_domain *d)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:o}", "name", text(d->name), "same_as",
	                 text(d->same_as), "catch_all", text(d->catch_all), "implied",
	                 d->implied, "aliases", aliases_json(d));
}

static json_t *
local_json(const struct cfg_local *l)
{
	json_t *senders = json_array();

	for (unsigned i = 0; i < l->sender_count; i++)
		(void)json_array_append_new(senders, text(l->senders[i]));
	return json_pack("{s:o, s:o, s:I}", "name", text(l->name), "senders", senders, "rate",
	                 (json_int_t)l->rate);
}

static json_t *
cfg_json(const struct cfg *c)
{
	json_t *all = json_object();
	json_t *listens = json_array();
	json_t *domains = json_array();
	json_t *locals = json_array();
	const struct cfg_row *row;

	for (size_t i = 0; (row = cfg_row_at(i)) != NULL; i++)
		(void)json_object_set_new(all, row->name, row_json(row, c));
	for (unsigned i = 0; i < c->listen_count; i++)
		if (!c->listens[i].implied)
			(void)json_array_append_new(listens, listen_json(&c->listens[i]));
	for (unsigned i = 0; i < c->domain_count; i++)
		(void)json_array_append_new(domains, domain_json(&c->domains[i]));
	(void)json_object_set_new(all, "listen", listens);
	for (unsigned i = 0; i < c->local_count; i++)
		(void)json_array_append_new(locals, local_json(&c->locals[i]));
	(void)json_object_set_new(all, "domain", domains);
	(void)json_object_set_new(all, "local", locals);
	return all;
}

static int
print_json(const struct cfg *c)
{
	json_t *all = cfg_json(c);
	int failed = json_dumpf(all, stdout, JSON_ENSURE_ASCII);

	(void)putchar('\n');
	json_decref(all);
	return failed == 0 ? EX_OK : command_fail(EX_OSERR, "cannot print the JSON");
}

static int
print_text(const struct cfg *c)
{
	struct buf b = {.p = malloc(TEXT_OCTETS), .cap = TEXT_OCTETS};

	if (b.p == NULL)
		return command_fail(EX_OSERR, "no memory");
	buf_clear(&b);
	cfg_show(c, &b);
	if (!b.cut)
		(void)fwrite(b.p, 1, b.n, stdout); /* main looks at ferror */
	free(b.p);
	return b.cut ? command_fail(EX_SOFTWARE, "the text is over %zu octets", TEXT_OCTETS)
	             : EX_OK;
}

int
command_config(const struct call *call)
{
	bool defaults = (call->flags & COMMAND_DEFAULTS) != 0;
	struct cfg *c = defaults ? read_sample() : command_cfg(call, false);

	if (c == NULL)
		return EX_CONFIG;
	int code = (call->flags & COMMAND_JSON) != 0 ? print_json(c) : print_text(c);
	(void)cfg_free(c);
	return code;
}
