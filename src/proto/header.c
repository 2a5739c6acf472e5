/*
 * Header fields. See header.h.
 *
 *     field       = field-name *WSP ":" unstructured CRLF    RFC 5322 §2.2, §4.5
 *     field-name  = 1*( %d33-57 / %d59-126 )
 *     unstructured may be folded: a line end with WSP behind it   §2.2.3
 */
#include <assert.h>

#include "proto/header.h"

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* The octets up to and with the LF that ends the field at the start of <s>. */
static size_t
field_end(struct str s)
{
	size_t at = 0;

	do {
		at += str_find(str_slice(s, at, s.n), '\n');
		if (at == s.n)
			return at;
		at++;
	} while (at < s.n && is_wsp(s.p[at]));
	return at;
}

/* Without one LF or CRLF at the end. */
static struct str
chomp(struct str s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/* The name at the start of <s>; false where none or no colon stands there. */
static bool
split_name(struct str s, struct str *ret_name, struct str *ret_value)
{
	size_t n = 0;
	size_t colon;

	while (n < s.n && s.p[n] > ' ' && s.p[n] < 0x7f && s.p[n] != ':')
		n++;
	for (colon = n; colon < s.n && is_wsp(s.p[colon]); colon++)
		;
	if (n == 0 || colon == s.n || s.p[colon] != ':')
		return false;
	*ret_name = str_slice(s, 0, n);
	*ret_value = str_slice(s, colon + 1, s.n);
	return true;
}

bool
header_next(struct str *in, struct header_field *ret)
{
	struct header_field f;

	/* the name first: a body of one endless line costs no search for its end */
	if (!split_name(*in, &f.name, &f.value))
		return false;
	f.all = str_slice(*in, 0, field_end(*in));
	f.value = chomp(str_slice(f.all, (size_t)(f.value.p - f.all.p), f.all.n));
	*in = str_slice(*in, f.all.n, in->n);
	*ret = f;
	return true;
}

static bool
is_blank(char c)
{
	return is_wsp(c) || c == '\n' || c == '\r';
}

/* Whether <value>, unfolded and without blanks at its ends, is <text>. */
static bool
value_is(struct str value, struct str text)
{
	size_t at = 0;

	while (value.n > 0 && is_blank(value.p[0]))
		value = str_slice(value, 1, value.n);
	while (value.n > 0 && is_blank(value.p[value.n - 1]))
		value.n--;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\n' || value.p[i] == '\r')
			continue;
		if (at == text.n || ascii_lower(value.p[i]) != ascii_lower(text.p[at]))
			return false;
		at++;
	}
	return at == text.n;
}

struct header_hops
header_count_hops(struct str head, struct str mailbox)
{
	struct header_hops hops = {0, false};
	struct header_field f;

	while (header_next(&head, &f)) {
		if (str_ieq(f.name, STR("Received")))
			hops.received++;
		else if (mailbox.n > 0 && str_ieq(f.name, STR("Delivered-To")))
			hops.delivered = hops.delivered || value_is(f.value, mailbox);
	}
	return hops;
}

/* A blank with ink on both sides may start a line: no line of ours is blank or ends in one. */
static bool
may_fold(struct str value, size_t at)
{
	size_t ink = at;

	if (at == 0 || value.p[at] != ' ' || value.p[at - 1] == ' ')
		return false;
	while (ink < value.n && value.p[ink] == ' ')
		ink++;
	return ink < value.n;
}

/* Where the line that starts at <from> with <room> columns left ends: the last fold in it, or
 * the next. */
static size_t
line_end(struct str value, size_t from, size_t room)
{
	size_t best = value.n;

	if (value.n - from <= room)
		return value.n;
	for (size_t at = from + 1; at < value.n; at++) {
		if (!may_fold(value, at))
			continue;
		if (at - from > room)
			return best == value.n ? at : best;
		best = at;
	}
	return best;
}

bool
header_add_field(struct buf *b, const char *name, struct str value)
{
	struct buf was = *b;
	size_t used = str_of(name).n + STR(": ").n;
	bool short_lines = true;

	assert(used < HEADER_LINE_FOLD);
	if (!str_is_printable(value))
		return false;
	buf_addf(b, "%s: ", name);
	for (size_t from = 0; from < value.n && !b->cut;) {
		size_t to = line_end(value, from, HEADER_LINE_FOLD - used);

		short_lines = short_lines && to - from + used <= HEADER_LINE_MAX;
		buf_add(b, from == 0 ? STR("") : STR("\n"));
		buf_add(b, str_slice(value, from, to));
		from = to;
		used = 0;
	}
	buf_addc(b, '\n');
	if (short_lines && !b->cut)
		return true;
	was.cut = was.cut || b->cut;
	*b = was; /* half a field is another field */
	b->p[b->n] = '\0';
	return false;
}
