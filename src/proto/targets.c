/*
 * The right side of alias rows. See targets.h.
 *
 *     list    = *( "," / blank / comment ) [ item list ]
 *     item    = phrase "<" address ">" / "|" text-to-comma / word
 *     word    = 1*( quoted / octet ), no blank, comma or comment in it outside of quotes
 *     quoted  = DQUOTE *( octet / "\" octet ) DQUOTE
 *     comment = "(" *( octet / "\" octet / comment ) ")"
 */
#include "proto/targets.h"
#include "proto/lines.h"

#define TEXT_MOST 1024U /* octets of an unquoted word that we look into */

/* Behind the quoted string or comment that starts at s.p[at]; s.n where it does not end. */
static size_t
skip_inside(struct str s, size_t at)
{
	bool quoted = s.p[at] == '"';
	unsigned depth = 1;

	while (++at < s.n) {
		if (s.p[at] == '\\')
			at++;
		else if (quoted ? s.p[at] == '"' : s.p[at] == ')')
			depth--;
		else if (!quoted && s.p[at] == '(')
			depth++;
		if (depth == 0)
			return at + 1;
	}
	return s.n;
}

size_t
target_word(struct str s, char stop)
{
	size_t at = 0;

	while (at < s.n) {
		if (s.p[at] == stop || (stop == ' ' && lines_blank(s.p[at])))
			return at;
		at = s.p[at] == '"' || s.p[at] == '(' ? skip_inside(s, at) : at + 1;
	}
	return s.n;
}

/* ---- one word ---- */

enum fault
target_address(struct str s, struct address *ret)
{
	char room[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(room);
	enum fault f = address_parse(s, true, ret);

	if (f != FAULT_no_domain)
		return f;
	buf_add(&b, s);
	buf_add(&b, STR("@localhost")); /* any will do: it is taken off again */
	if (b.cut)
		return FAULT_local_long;
	f = address_parse(buf_str(&b), true, ret);
	if (f == FAULT_none)
		ret->domain = (struct domain){.name = ""};
	return f;
}

static struct target
bad(struct str text, const char *problem)
{
	return (struct target){.kind = TARGET_BAD, .text = text, .problem = problem};
}

static struct target
address_of(struct str text, struct str word)
{
	struct target t = {.kind = TARGET_ADDRESS, .text = text};
	enum fault f;

	if (str_starts(word, STR("\\"))) /* sendmail's "without aliases" */
		word = str_slice(word, 1, word.n);
	if (str_starts(word, STR("@"))) {
		t.kind = TARGET_DOMAIN;
		f = domain_parse(str_slice(word, 1, word.n), true, &t.address.domain);
	} else {
		f = target_address(word, &t.address);
	}
	return f == FAULT_none ? t : bad(text, fault_text(f));
}

/* What stands in the quotes that are all of <word>; false where they are not. */
static bool
unquote(struct str word, struct buf *b)
{
	if (word.n < 2 || word.p[0] != '"' || skip_inside(word, 0) != word.n ||
	    word.p[word.n - 1] != '"')
		return false;
	for (size_t at = 1; at + 1 < word.n; at++) {
		if (word.p[at] == '\\' && at + 2 < word.n)
			at++;
		buf_addc(b, word.p[at]);
	}
	return true;
}

static struct target
target_of(struct str text)
{
	char room[TEXT_MOST];
	struct buf inside = BUF_ON(room);
	struct str word = unquote(text, &inside) ? buf_str(&inside) : text;

	if (str_starts(word, STR("|")))
		return (struct target){.kind = TARGET_COMMAND, .text = text};
	if (str_eq(word, STR("/dev/null")))
		return (struct target){.kind = TARGET_NOTHING, .text = text};
	if (str_starts(word, STR("/")))
		return (struct target){.kind = TARGET_FILE, .text = text};
	if (str_istarts(word, STR(":include:")))
		return (struct target){.kind = TARGET_INCLUDE, .text = text};
	return address_of(text, text);
}

/* ---- the list ---- */

static struct str
skip_between(struct str s)
{
	size_t at = 0;

	while (at < s.n && (s.p[at] == ',' || s.p[at] == '(' || lines_blank(s.p[at])))
		at = s.p[at] == '(' ? skip_inside(s, at) : at + 1;
	return str_slice(s, at, s.n);
}

/* `Phrase <address>`: <phrase> is what stands before the bracket at <open>. */
static struct target
bracketed(struct str item, size_t open)
{
	struct str inside = str_slice(item, open + 1, item.n);
	size_t end = target_word(inside, '>');
	struct str behind = skip_between(str_slice(inside, end + 1, inside.n));

	if (end == inside.n)
		return bad(item, "the bracket < is not closed");
	if (behind.n > 0 || target_word(str_slice(item, 0, open), '@') < open)
		return bad(item, "a comma is missing between two addresses");
	return address_of(item, str_trim(str_slice(inside, 0, end)));
}

static struct str
without_end(struct str s)
{
	while (s.n > 0 && lines_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Up to a blank or a comment. */
static size_t
word_end(struct str item)
{
	size_t end = target_word(item, ' ');
	size_t at = 0;

	while (at < end && item.p[at] != '(')
		at = item.p[at] == '"' ? skip_inside(item, at) : at + 1;
	return at < end ? at : end;
}

/* What stands up to the next comma; a whole target where it has a bracket or is a command. */
static bool
next_item(struct targets *t, struct target *ret)
{
	size_t comma = target_word(t->rest, ',');
	struct str item = without_end(str_slice(t->rest, 0, comma));
	size_t open = target_word(item, '<');

	t->rest = str_slice(t->rest, comma, t->rest.n);
	if (str_starts(item, STR("|"))) {
		*ret = target_of(item);
		return true;
	}
	if (open < item.n) {
		*ret = bracketed(item, open);
		return true;
	}
	t->words = item;
	return false;
}

bool
targets_next(struct targets *t, struct target *ret)
{
	t->words = skip_between(t->words);
	while (t->words.n == 0) {
		t->rest = skip_between(t->rest);
		if (t->rest.n == 0)
			return false;
		if (next_item(t, ret))
			return true;
	}
	size_t taken = word_end(t->words);
	*ret = target_of(str_slice(t->words, 0, taken));
	t->words = str_slice(t->words, taken, t->words.n);
	return true;
}
