/*
 * The form of sekisho.conf, checked and made harmless. See cfg_text.h.
 */
#include <assert.h>
#include <string.h>

#include "cfg/cfg_schema.h"
#include "cfg/cfg_text.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* unquoted */
	TOKEN_STRING, /* quoted */
	TOKEN_MARK,   /* one of = { } , */
};

struct token {
	enum token_kind kind;
	size_t from; /* [from, to) in the text, quotes included */
	size_t to;
	unsigned line;
};

struct level {
	enum cfg_scope scope;
	unsigned line;              /* where it opens */
	unsigned set[CFG_KEY_MOST]; /* by key number: the line it was set in, or 0 */
};

struct reader {
	struct str text;
	char *clean;
	size_t at;
	unsigned line;
	bool bad;     /* an octet where it may not stand: libconfuse could misread it */
	unsigned odd; /* the line of the first statement not understood */
	unsigned depth;
	struct level levels[SCOPE_COUNT]; /* sections lie in each other without returning */
	struct cfg_report *report;
};

static const char no_variables[] = "variables are not expanded: for ${ itself write \"\\${\"";

static void
bad(struct reader *r, const char *text)
{
	r->bad = true;
	cfg_report_error(r->report, r->line, NULL, "%s", text);
}

static void
blank(struct reader *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (r->clean[i] != '\n')
			r->clean[i] = ' ';
}

/* ---- octets to tokens ---- */

static char
peek(const struct reader *r, size_t ahead)
{
	if (r->at + ahead >= r->text.n)
		return '\0';
	return r->text.p[r->at + ahead];
}

/* Whether the next octet, of which there is one, is a word's. */
static bool
is_word(const struct reader *r)
{
	char c = peek(r, 0);
	char next = peek(r, 1);

	if (c == '/') /* these two libconfuse takes for comments */
		return next != '/' && next != '*';
	return ascii_alpha(c) || ascii_digit(c) || (unsigned char)c >= 0x80 ||
	       (c != '\0' && strchr("_-.:@%", c) != NULL);
}

static void
skip_blanks(struct reader *r)
{
	for (; r->at < r->text.n; r->at++) {
		char c = peek(r, 0);
		size_t from = r->at;

		if (c == '#') {
			r->at += str_find(str_slice(r->text, r->at, r->text.n), '\n');
			blank(r, from, r->at);
			c = peek(r, 0);
		}
		if (c == '\n')
			r->line++;
		else if (c == '\r')
			blank(r, r->at, r->at + 1);
		else if (c != ' ' && c != '\t')
			return;
	}
}

/* One octet or escape inside a string; false where the string cannot go on. */
static bool
string_octet(struct reader *r)
{
	char c = peek(r, 0);
	char next = peek(r, 1);

	if (r->at >= r->text.n || c == '\n') {
		bad(r, "the string does not end in its line");
		return false;
	}
	if (c == '\\' && (next == '\0' || strchr("\\\"$", next) == NULL))
		bad(r, "a backslash stands only before \\, \" and $");
	else if (c == '$' && next == '{')
		bad(r, no_variables);
	else if ((unsigned char)c < ' ' || c == 0x7f)
		bad(r, "a control octet in a string");
	r->at += c == '\\' && next != '\0' && next != '\n' ? 2 : 1;
	return true;
}

static void
take_string(struct reader *r)
{
	r->at++; /* the opening quote */
	while (peek(r, 0) != '"')
		if (!string_octet(r))
			return;
	r->at++;
}

/* Past <end> or the line's end, whichever comes first. */
static void
skip_to(struct reader *r, char end)
{
	do
		r->at++;
	while (r->at < r->text.n && peek(r, 0) != '\n' && peek(r, 0) != end);
	if (r->at < r->text.n && peek(r, 0) == end && end != '\n')
		r->at++;
}

/* What cannot start a token, in one report each. */
static void
take_stray(struct reader *r)
{
	struct str c = str_slice(r->text, r->at, r->at + 1);

	switch (c.p[0]) {
	case '(':
		bad(r, "there are no functions, such as include(), here");
		skip_to(r, ')');
		break;
	case '\'':
		bad(r, "texts stand in double quotes");
		skip_to(r, '\'');
		break;
	case '$':
		bad(r, no_variables);
		skip_to(r, '}');
		break;
	case '/':
		bad(r, "comments start with #");
		skip_to(r, '\n');
		break;
	default:
		r->bad = true;
		cfg_report_error(r->report, r->line, NULL, "%s must stand within double quotes",
		                 cfg_given(c).c);
		r->at++;
	}
}

static struct token
take_token(struct reader *r)
{
	for (;;) {
		skip_blanks(r);
		struct token t = {.from = r->at, .line = r->line};

		if (r->at == r->text.n) {
			t.kind = TOKEN_END;
		} else if (peek(r, 0) == '"') {
			t.kind = TOKEN_STRING;
			take_string(r);
		} else if (peek(r, 0) != '\0' && strchr("={},", peek(r, 0)) != NULL) {
			t.kind = TOKEN_MARK;
			r->at++;
		} else if (is_word(r)) {
			t.kind = TOKEN_WORD;
			while (r->at < r->text.n && is_word(r))
				r->at++;
		} else {
			take_stray(r);
			continue;
		}
		t.to = r->at;
		return t;
	}
}

static bool
is_mark(const struct reader *r, const struct token *t, char mark)
{
	return t->kind == TOKEN_MARK && r->text.p[t->from] == mark;
}

static bool
is_value(const struct token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_STRING;
}

/* ---- tokens to statements; each returns false where it does not understand ---- */

static bool
odd(struct reader *r, const struct token *t)
{
	if (r->odd == 0)
		r->odd = t->line;
	return false;
}

/* What stands behind `=`: a value, or a list in braces. */
static bool
take_value(struct reader *r, bool *ret_list)
{
	struct token t = take_token(r);

	*ret_list = is_mark(r, &t, '{');
	if (!*ret_list)
		return is_value(&t) || odd(r, &t);
	do {
		t = take_token(r);
		if (is_value(&t))
			t = take_token(r);
	} while (is_mark(r, &t, ','));
	return is_mark(r, &t, '}') || odd(r, &t);
}

/* Past the `}` of the `{` that was just taken. */
static bool
skip_section(struct reader *r)
{
	for (unsigned open = 1; open > 0;) {
		struct token t = take_token(r);

		if (t.kind == TOKEN_END)
			return odd(r, &t);
		if (is_mark(r, &t, '{'))
			open++;
		if (is_mark(r, &t, '}'))
			open--;
	}
	return true;
}

static bool
skip_unknown(struct reader *r)
{
	struct token t = take_token(r);
	bool list;

	if (is_mark(r, &t, '='))
		return take_value(r, &list);
	if (is_value(&t))
		t = take_token(r);
	return is_mark(r, &t, '{') ? skip_section(r) : odd(r, &t);
}

static bool
unknown_key(struct reader *r, const struct token *key)
{
	enum cfg_scope scope = r->levels[r->depth].scope;
	struct str name = str_slice(r->text, key->from, key->to);
	const struct cfg_key *near = cfg_key_nearest(scope, name);

	cfg_report_error(r->report, key->line, NULL, "unknown key %s%s%s%s", cfg_given(name).c,
	                 near == NULL ? "" : ", perhaps ", near == NULL ? "" : near->name,
	                 near == NULL ? "" : " is meant");
	if (!skip_unknown(r))
		return false;
	blank(r, key->from, r->at);
	return true;
}

static bool
take_option(struct reader *r, const struct token *word, const struct cfg_key *key)
{
	unsigned *set = &r->levels[r->depth].set[cfg_key_number(key)];
	struct token t = take_token(r);
	bool list;

	if (!is_mark(r, &t, '='))
		return odd(r, &t);
	if (!take_value(r, &list))
		return false;
	if (*set > 0)
		cfg_report_error(r->report, word->line, key->name, "set twice, first in %s",
		                 cfg_report_place(r->report, word->line, *set).c);
	else if (list && key->kind == KEY_VALUE)
		cfg_report_error(r->report, word->line, key->name,
		                 "expected one value, not a list");
	else if (!list && key->kind == KEY_LIST)
		cfg_report_error(r->report, word->line, key->name,
		                 "expected a list, as {\"one\", \"two\"}");
	if (*set > 0 || list != (key->kind == KEY_LIST))
		blank(r, word->from, r->at);
	if (*set == 0)
		*set = word->line;
	return true;
}

static bool
open_section(struct reader *r, const struct cfg_key *key)
{
	struct token t = take_token(r);

	if (!is_value(&t))
		return odd(r, &t);
	t = take_token(r);
	if (!is_mark(r, &t, '{'))
		return odd(r, &t);
	assert(r->depth + 1 < LENGTH(r->levels));
	r->levels[++r->depth] = (struct level){.scope = key->opens, .line = t.line};
	return true;
}

/* False at the end of what can be understood. */
static bool
take_statement(struct reader *r)
{
	struct token t = take_token(r);

	if (t.kind == TOKEN_END) {
		if (r->depth > 0) /* libconfuse takes the file's end for the section's */
			cfg_report_error(r->report, r->levels[r->depth].line, NULL,
			                 "the section that opens here is not closed");
		return false;
	}
	if (is_mark(r, &t, '}') && r->depth > 0) {
		r->depth--;
		return true;
	}
	if (t.kind != TOKEN_WORD)
		return odd(r, &t);
	const struct cfg_key *key =
		cfg_key_find(r->levels[r->depth].scope, str_slice(r->text, t.from, t.to));
	if (key == NULL)
		return unknown_key(r, &t);
	return key->kind == KEY_SECTION ? open_section(r, key) : take_option(r, &t, key);
}

/* The line of the first octet that is no UTF-8, or 0. */
static unsigned
line_not_utf8(struct str text, unsigned no)
{
	struct str line;

	for (; str_cut(&text, '\n', &line); no++)
		if (!str_is_utf8(line))
			return no;
	return 0;
}

bool
cfg_text_clean(struct str text, char *clean, struct cfg_seen *seen, struct cfg_report *report)
{
	struct reader r = {.text = text, .clean = clean, .line = seen->line, .report = report};
	unsigned not_utf8 = line_not_utf8(text, seen->line);

	if (not_utf8 > 0) {
		cfg_report_error(report, not_utf8, NULL, "the text is not UTF-8");
		return false;
	}
	if (text.n > 0)
		memcpy(clean, text.p, text.n);
	memcpy(r.levels[0].set, seen->set, sizeof(seen->set));
	while (take_statement(&r))
		;
	while (r.at < text.n) /* octets are judged, and comments blanked, up to the end */
		(void)take_token(&r);
	memcpy(seen->set, r.levels[0].set, sizeof(seen->set));
	seen->line = r.line + 1; /* the caller ends each file's last line */
	if (seen->odd == 0)
		seen->odd = r.odd;
	return !r.bad;
}
