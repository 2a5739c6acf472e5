/*
 * Replies of servers. See smtp_reply.h.
 *
 *     Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 *     Reply-code = %x32-35 %x30-35 %x30-39
 */
#include "proto/smtp_reply.h"

static const struct {
	const char *keyword;
	uint32_t offer;
} keywords[] = {
	{"PIPELINING", OFFER_PIPELINING},
	{"8BITMIME",   OFFER_8BITMIME  },
	{"SMTPUTF8",   OFFER_SMTPUTF8  },
	{"SIZE",       OFFER_SIZE      },
	{"DSN",        OFFER_DSN       },
};

void
smtp_reply_init(struct smtp_reply *r)
{
	*r = (struct smtp_reply){.code = 0};
}

/* ---- one line ---- */

static bool
take_code(struct str line, unsigned *ret)
{
	/* the second digit is let go up to 9: there are servers beyond the grammar */
	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || !ascii_digit(line.p[1]) ||
	    !ascii_digit(line.p[2]))
		return false;
	*ret = (unsigned)(line.p[0] - '0') * 100 + (unsigned)(line.p[1] - '0') * 10 +
	       (unsigned)(line.p[2] - '0');
	return true;
}

/* No NUL, no stray CR, no bare LF: they are how words of others become lines of this server. */
static bool
is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* A line without its CRLF, or RC_AGAIN. */
static enum rc
take_line(struct str *in, struct str *ret, struct err *e)
{
	size_t lf = str_find(str_slice(*in, 0, REPLY_LINE_MAX), '\n');
	struct str line = str_slice(*in, 0, lf);

	if (lf == REPLY_LINE_MAX)
		return err_set(e, RC_PERM, "a reply line of over %u octets", REPLY_LINE_MAX);
	if (lf == in->n)
		return RC_AGAIN;
	if (line.n == 0 || line.p[line.n - 1] != '\r')
		return err_set(e, RC_PERM, "a reply line that does not end in CR LF");
	line.n--;
	if (!is_clean(line))
		return err_set(e, RC_PERM, "a reply line with control octets");
	*in = str_slice(*in, lf + 1, in->n);
	*ret = line;
	return RC_OK;
}

/* Up to three digits, RFC 3463 §2. */
static size_t
digits(struct str s, size_t from)
{
	size_t n = 0;

	while (n < 3 && from + n < s.n && ascii_digit(s.p[from + n]))
		n++;
	return n;
}

/* Octets of "5.1.1" at the start of <text>; 0 where there is none, or of another class. */
static size_t
dsn_octets(struct str text, unsigned code)
{
	size_t subject;
	size_t detail;

	if (text.n < 5 || text.p[0] != (char)('0' + code / 100) || text.p[1] != '.')
		return 0;
	subject = digits(text, 2);
	if (subject == 0 || 2 + subject >= text.n || text.p[2 + subject] != '.')
		return 0;
	detail = digits(text, 3 + subject);
	size_t n = 3 + subject + detail;
	if (detail == 0 || (n < text.n && text.p[n] != ' '))
		return 0;
	return n;
}

/* ---- what is kept ---- */

static size_t
letter_octets(struct str s)
{
	size_t n = 1;

	while (n < s.n && n < 4 && ((unsigned char)s.p[n] & 0xc0U) == 0x80)
		n++;
	return str_is_utf8(str_slice(s, 0, n)) ? n : 1;
}

/* Letter by letter while there is room: what is cut is cut between letters. */
static void
add_text(struct buf *b, struct str s)
{
	while (s.n > 0 && !b->cut) {
		struct str letter = str_slice(s, 0, letter_octets(s));
		bool good = str_is_utf8(letter) && str_is_printable(letter);

		buf_add(b, good ? letter : letter.p[0] == '\t' ? STR(" ") : STR("?"));
		s = str_slice(s, letter.n, s.n);
	}
}

static void
keep_text(struct smtp_reply *r, struct str text)
{
	size_t n = dsn_octets(text, r->code);
	struct buf b = {.p = r->text, .n = str_of(r->text).n, .cap = sizeof(r->text)};

	if (n > 0 && r->lines == 0) {
		struct buf dsn = BUF_ON(r->dsn);

		buf_add(&dsn, str_slice(text, 0, n));
	}
	/* the other lines mostly repeat it */
	if (n > 0 && str_eq(str_slice(text, 0, n), str_of(r->dsn)))
		text = str_slice(text, n, text.n);
	text = str_trim(text);
	if (b.n > 0 && text.n > 0)
		buf_add(&b, STR(" "));
	add_text(&b, text);
}

/* RFC 5321 §4.1.1.1: ehlo-keyword, then parameters behind spaces. */
static void
keep_offer(struct smtp_reply *r, struct str text)
{
	struct str word = str_slice(text, 0, str_find(text, ' '));

	for (size_t i = 0; i < LENGTH(keywords); i++)
		if (str_ieq(word, str_of(keywords[i].keyword)))
			r->offers |= keywords[i].offer;
}

/* ---- a whole reply ---- */

/* RC_AGAIN: more lines follow. */
static enum rc
keep_line(struct smtp_reply *r, struct str line, struct err *e)
{
	unsigned code;
	char mark = line.n > 3 ? line.p[3] : ' ';
	struct str text = str_slice(line, 4, line.n);

	if (!take_code(line, &code) || (mark != ' ' && mark != '-'))
		return err_set(e, RC_PERM, "not a reply");
	if (r->lines > 0 && code != r->code)
		return err_set(e, RC_PERM, "a reply of two codes, %u and %u", r->code, code);
	if (r->lines == REPLY_LINES_MAX)
		return err_set(e, RC_PERM, "a reply of over %u lines", REPLY_LINES_MAX);
	r->code = code;
	keep_text(r, text);
	if (r->lines > 0)
		keep_offer(r, text);
	r->lines++;
	return mark == '-' ? RC_AGAIN : RC_OK;
}

enum rc
smtp_reply_take(struct smtp_reply *r, struct str *in, struct err *e)
{
	struct str line = STR_NONE;
	enum rc rc;

	do {
		rc = take_line(in, &line, e);
		if (rc != RC_OK)
			return rc;
		rc = keep_line(r, line, e);
	} while (rc == RC_AGAIN);
	return rc;
}

void
smtp_reply_print(struct buf *b, const struct smtp_reply *r)
{
	buf_addf(b, "%u", r->code);
	if (r->dsn[0] != '\0')
		buf_addf(b, " %s", r->dsn);
	if (r->text[0] != '\0')
		buf_addf(b, " %s", r->text);
}

enum rc
smtp_reply_rc(const struct smtp_reply *r)
{
	static const enum rc classes[] = {RC_OK, RC_AGAIN, RC_TEMP, RC_PERM};

	return classes[(r->code / 100 - 2) % LENGTH(classes)];
}
