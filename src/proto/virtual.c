/*
 * Virtual alias tables. See virtual.h.
 *
 *     row = ( local "@" domain / local / "@" domain ) 1*blank list      list: targets.c
 */
#include "proto/virtual.h"

static const char *
read_key(struct str key, struct virtual_row *ret)
{
	struct address a = {.local = ""};
	struct buf b = BUF_ON(ret->of.local);
	enum fault f;

	if (str_starts(key, STR("@")))
		f = domain_parse(str_slice(key, 1, key.n), true, &a.domain);
	else
		f = target_address(key, &a);
	if (f != FAULT_none)
		return fault_text(f);
	ret->kind = VIRTUAL_ADDRESS;
	if (a.local[0] == '\0')
		ret->kind = VIRTUAL_DOMAIN;
	else if (a.domain.name[0] == '\0')
		ret->kind = VIRTUAL_USER;
	ret->of.domain = a.domain;
	buf_add_lower(&b, str_of(a.local));
	return NULL;
}

static const char *
read_row(const struct line *line, struct virtual_row *ret)
{
	size_t end = target_word(line->text, ' ');
	struct targets look;
	struct target first;

	if (line->cut)
		return "the line is longer than 65535 octets";
	if (end == 0)
		return "it begins with a blank, and there is no line before that it continues";
	if (line->text.p[0] == '/')
		return "this is a pattern: tables of regular expressions are not read";
	ret->targets.rest = str_slice(line->text, end, line->text.n);
	look = ret->targets;
	if (!targets_next(&look, &first))
		return "expected address target, target";
	return read_key(str_slice(line->text, 0, end), ret);
}

bool
virtual_next(struct lines *l, struct virtual_row *ret)
{
	struct line line;

	*ret = (struct virtual_row){.line = 0};
	if (!lines_next(l, &line))
		return false;
	ret->line = line.number;
	ret->problem = read_row(&line, ret);
	return true;
}
