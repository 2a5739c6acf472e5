/*
 * Address lists. See address_list.h.
 *
 *     address-list = address *("," address)                    RFC 5322 §3.4, and §4.4 for
 *     address      = mailbox / [phrase] ":" [mailbox-list] ";"  empty elements, routes and
 *     mailbox      = [phrase] "<" [route ":"] addr-spec ">"     dots in phrases
 *                  / addr-spec / local-part
 *
 * One token of look-ahead: what may be an address is gathered until something shows that it
 * was a phrase. A name that looks like an address (`a@x <b@y>`) is a phrase too: many write it.
 */
#include "proto/address_list.h"
#include "base/buf.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,    /* an atom or a quoted string */
	TOKEN_LITERAL, /* [...] */
	TOKEN_MARK,    /* one of <>@,;:. */
	TOKEN_BAD,
};

struct token {
	enum token_kind kind;
	struct str text; /* with its quotes or brackets */
	bool apart;      /* blanks or comments stand before it */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_atom(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f &&
	       str_find(STR("()<>[]:;@\\,.\""), c) == STR("()<>[]:;@\\,.\"").n;
}

/* The length of what <open> begins and <close> ends, `\` taking the next octet's meaning; they
 * nest where both differ and <nests>. 0 where it does not end, or has a control. */
static size_t
enclosed(struct str s, char close, bool nests)
{
	size_t depth = 1;

	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if ((unsigned char)c < ' ' && !is_blank(c))
			return 0;
		if (c == '\\' && (++i == s.n || (unsigned char)s.p[i] < ' '))
			return 0; /* a fold is no octet of the text: it cannot be quoted */
		if (c == '\\')
			continue;
		if (c == close && --depth == 0)
			return i + 1;
		if (nests && c == s.p[0])
			depth++;
	}
	return 0;
}

static struct token
next_token(struct str *in)
{
	struct token t = {.kind = TOKEN_BAD};
	size_t n = 0;

	while (in->n > 0 && (is_blank(in->p[0]) || in->p[0] == '(')) {
		n = in->p[0] == '(' ? enclosed(*in, ')', true) : 1;
		t.text = str_slice(*in, 0, 0);
		if (n == 0)
			return t;
		*in = str_slice(*in, n, in->n);
		t.apart = true;
	}
	n = 0;
	if (in->n == 0) {
		t.kind = TOKEN_END;
	} else if (is_atom(in->p[0])) {
		t.kind = TOKEN_WORD;
		while (n < in->n && is_atom(in->p[n]))
			n++;
	} else if (in->p[0] == '"') {
		n = enclosed(*in, '"', false);
		t.kind = n > 0 ? TOKEN_WORD : TOKEN_BAD;
	} else if (in->p[0] == '[') {
		n = enclosed(*in, ']', false);
		t.kind = n > 0 ? TOKEN_LITERAL : TOKEN_BAD;
	} else if (str_find(STR("<>@,;:."), in->p[0]) < STR("<>@,;:.").n) {
		t.kind = TOKEN_MARK;
		n = 1;
	}
	t.text = str_slice(*in, 0, n);
	*in = str_slice(*in, n, in->n);
	return t;
}

static bool
is_mark(const struct token *t, char c)
{
	return t->kind == TOKEN_MARK && t->text.p[0] == c;
}

/* Folding within quotes is no part of them (RFC 5322 §3.2.4); other blanks are. */
static void
add_unfolded(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_addc(b, s.p[i] == '\t' ? ' ' : s.p[i]);
}

/* Words and dots as one text, from <t> on, which then is what ends them. False where two words
 * stand side by side, or a dot where no word follows or goes before: a phrase. */
static bool
take_dotted(struct address_list *l, struct token *t, struct buf *b, struct str *ret_where)
{
	bool dotted = true; /* a word may come */
	bool good = true;
	struct str where = t->text;

	while (t->kind == TOKEN_WORD || is_mark(t, '.')) {
		bool dot = t->kind == TOKEN_MARK;

		good = good && dot != dotted;
		dotted = dot;
		add_unfolded(b, t->text);
		where.n = (size_t)(t->text.p + t->text.n - where.p);
		*t = next_token(&l->in);
	}
	*ret_where = where;
	return good && !dotted;
}

/* "@" [domain], the @ being <t>. */
static bool
take_domain(struct address_list *l, struct token *t, struct buf *b)
{
	struct str where;

	buf_addc(b, '@');
	*t = next_token(&l->in);
	if (t->kind != TOKEN_LITERAL)
		return take_dotted(l, t, b, &where);
	add_unfolded(b, t->text);
	*t = next_token(&l->in);
	return true;
}

/* local-part ["@" domain], from <t> on. */
static bool
take_spec(struct address_list *l, struct token *t, struct buf *b, struct address_list_item *ret)
{
	bool good = take_dotted(l, t, b, &ret->word);

	ret->bare = !is_mark(t, '@');
	if (!ret->bare)
		good = take_domain(l, t, b) && good;
	return good;
}

/* Behind the `<`: a route is read over (RFC 5322 §4.4), the address is what stands before `>`.
 */
static bool
take_angle(struct address_list *l, struct token *t, struct buf *b,
           struct address_list_item *ret)
{
	*t = next_token(&l->in);
	while (is_mark(t, '@') || is_mark(t, ',')) {
		if (is_mark(t, ','))
			*t = next_token(&l->in);
		else if (!take_domain(l, t, b))
			return false;
		buf_clear(b);
		if (is_mark(t, ':')) {
			*t = next_token(&l->in);
			break;
		}
	}
	if (!take_spec(l, t, b, ret) || !is_mark(t, '>'))
		return false;
	*t = next_token(&l->in);
	return true;
}

static bool
ends_address(const struct address_list *l, const struct token *t)
{
	return t->kind == TOKEN_END || is_mark(t, ',') || (is_mark(t, ';') && l->in_group);
}

/* One element from <t> on; <t> then is what ended it. */
static bool
take_address(struct address_list *l, struct token *t, struct buf *b,
             struct address_list_item *ret)
{
	bool good = take_spec(l, t, b, ret);

	if (is_mark(t, ':') && !l->in_group) {
		l->in_group = true;
		buf_clear(b);
		return true;
	}
	/* a phrase with an @ in it, or in several pieces: all up to the angle */
	while (t->kind == TOKEN_WORD || t->kind == TOKEN_LITERAL || is_mark(t, '.') ||
	       is_mark(t, '@')) {
		good = false;
		*t = next_token(&l->in);
	}
	if (is_mark(t, '<')) {
		buf_clear(b);
		good = take_angle(l, t, b, ret);
	}
	return good && ends_address(l, t);
}

enum address_list_got
address_list_next(struct address_list *l, struct address_list_item *ret)
{
	struct address_list was = *l;

	for (;;) {
		struct buf b = BUF_ON(ret->text);
		struct token t = next_token(&l->in);

		if (t.kind == TOKEN_END)
			return ADDRESS_LIST_END;
		if (is_mark(&t, ',') || (is_mark(&t, ';') && l->in_group)) {
			l->in_group = l->in_group && is_mark(&t, ',');
			continue;
		}
		was.in = (struct str){t.text.p, l->in.n + t.text.n};
		if (!take_address(l, &t, &b, ret) || b.cut || !str_is_printable(buf_str(&b))) {
			l->in = was.in;
			return ADDRESS_LIST_BAD;
		}
		if (is_mark(&t, ';'))
			l->in_group = false;
		if (b.n > 0)
			return ADDRESS_LIST_ONE;
	}
}
