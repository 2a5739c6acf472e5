/*
 * Alias files. See aliases.h.
 *
 *     row  = name *blank ":" list            list: targets.c
 *     name = quoted / octets without quote, colon or @
 */
#include "proto/aliases.h"

static const char *
read_name(struct str text, struct aliases_row *ret)
{
	struct address a;
	struct buf b = BUF_ON(ret->name);
	enum fault f = target_address(str_trim(text), &a);

	if (f != FAULT_none)
		return fault_text(f);
	if (a.domain.name[0] != '\0')
		return "an alias is a local part: it has no @domain";
	buf_add_lower(&b, str_of(a.local));
	return NULL;
}

static const char *
read_row(const struct line *line, struct aliases_row *ret)
{
	size_t colon = target_word(line->text, ':');
	struct targets look;
	struct target first;

	if (line->cut)
		return "the line is longer than 65535 octets";
	if (lines_blank(line->text.p[0]))
		return "it begins with a blank, and there is no line before that it continues";
	if (colon == line->text.n)
		return "expected name: target, target";
	ret->targets.rest = str_slice(line->text, colon + 1, line->text.n);
	look = ret->targets;
	if (!targets_next(&look, &first))
		return "the alias leads nowhere: nothing stands behind the colon";
	return read_name(str_slice(line->text, 0, colon), ret);
}

bool
aliases_next(struct lines *l, struct aliases_row *ret)
{
	struct line line;

	*ret = (struct aliases_row){.line = 0};
	if (!lines_next(l, &line))
		return false;
	ret->line = line.number;
	ret->problem = read_row(&line, ret);
	return true;
}
