/*
 * SMTP commands. See smtp.h.
 */
#include "proto/smtp.h"
#include "proto/xtext.h"

static const struct smtp_problem line_empty = {500, "5.5.2", "empty command"};
static const struct smtp_problem line_control = {500, "5.5.2",
                                                 "a command has no control characters"};
static const struct smtp_problem helo_syntax = {501, "5.5.4", "syntax: EHLO your.host.name"};
static const struct smtp_problem helo_long = {501, "5.5.4", "the host name is too long"};
static const struct smtp_problem mail_syntax = {501, "5.5.4", "syntax: MAIL FROM:<address>"};
static const struct smtp_problem rcpt_syntax = {501, "5.5.4", "syntax: RCPT TO:<address>"};
static const struct smtp_problem bdat_syntax = {501, "5.5.4", "syntax: BDAT size [LAST]"};
static const struct smtp_problem param_syntax = {501, "5.5.4",
                                                 "bad parameter behind the address"};
static const struct smtp_problem param_unknown = {555, "5.5.4", "parameter not known here"};
static const struct smtp_problem param_twice = {501, "5.5.4", "a parameter stands twice"};
static const struct smtp_problem size_value = {501, "5.5.4", "bad SIZE"};
static const struct smtp_problem body_value = {501, "5.5.4", "BODY is 7BIT or 8BITMIME"};
static const struct smtp_problem utf8_value = {501, "5.5.4", "SMTPUTF8 has no value"};
static const struct smtp_problem ret_value = {501, "5.5.4", "RET is FULL or HDRS"};
static const struct smtp_problem envid_value = {501, "5.5.4", "bad ENVID"};
static const struct smtp_problem notify_value = {501, "5.5.4", "bad NOTIFY"};
static const struct smtp_problem orcpt_value = {501, "5.5.4", "bad ORCPT"};

/* One `KEYWORD[=value]`; each has its own bit by its place in the table. */
struct param {
	const char *keyword;
	/* <into>: struct smtp_mail, or rcpt_taking of RCPT. Without `=` value.p is NULL. */
	const struct smtp_problem *(*take)(void *into, struct str value);
};

struct params {
	const struct param *rows;
	size_t n;
};

const struct smtp_problem *
smtp_split(struct str line, struct smtp_command *ret)
{
	if (!str_is_printable(line))
		return &line_control;
	line = str_trim(line);
	size_t verb = str_find(line, ' ');
	if (verb == 0)
		return &line_empty;
	ret->verb = str_slice(line, 0, verb);
	ret->arg = str_trim(str_slice(line, verb, line.n));
	return NULL;
}

const struct smtp_problem *
smtp_helo_parse(struct str arg, struct smtp_helo *ret)
{
	struct domain ignored;

	arg = str_trim(arg);
	if (arg.n == 0 || !str_is_printable(arg))
		return &helo_syntax;
	if (arg.n > SMTP_HELO_MAX)
		return &helo_long;
	ret->name = arg;
	ret->is_valid = domain_parse(arg, false, &ignored) == FAULT_none;
	return NULL;
}

const struct smtp_problem *
smtp_bdat_parse(struct str arg, struct smtp_bdat *ret)
{
	struct str size;
	uint64_t octets;

	arg = str_trim(arg);
	if (!str_cut(&arg, ' ', &size) || !str_u64(size, INT64_MAX, &octets))
		return &bdat_syntax;
	arg = str_trim(arg);
	if (arg.n > 0 && !str_ieq(arg, STR("LAST")))
		return &bdat_syntax;
	*ret = (struct smtp_bdat){octets, arg.n > 0};
	return NULL;
}

/* ---- parameters: RFC 5321 §4.1.2 esmtp-param ---- */

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static bool
is_keyword(struct str s)
{
	if (s.n == 0 || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

static const struct smtp_problem *
take_param(const struct params *known, struct str text, unsigned *seen, void *into)
{
	size_t equals = str_find(text, '=');
	struct str keyword = str_slice(text, 0, equals);
	struct str value = equals == text.n ? STR_NONE : str_slice(text, equals + 1, text.n);

	if (!is_keyword(keyword))
		return &param_syntax;
	for (size_t i = 0; i < known->n; i++) {
		if (!str_ieq(keyword, str_of(known->rows[i].keyword)))
			continue;
		if ((*seen & BIT(i)) != 0)
			return &param_twice;
		*seen |= BIT(i);
		return known->rows[i].take(into, value);
	}
	return &param_unknown;
}

/* What stands behind the path: nothing, or a space and parameters. */
static const struct smtp_problem *
take_params(const struct params *known, struct str in, void *into)
{
	unsigned seen = 0;
	struct str text;

	if (in.n > 0 && in.p[0] != ' ')
		return &param_syntax;
	while (str_cut(&in, ' ', &text)) {
		const struct smtp_problem *p = NULL;

		if (text.n > 0)
			p = take_param(known, text, &seen, into);
		if (p != NULL)
			return p;
	}
	return NULL;
}

/* "FROM:" or "TO:" and the blanks behind it. */
static bool
take_word(struct str *in, struct str word)
{
	*in = str_trim(*in);
	if (!str_istarts(*in, word))
		return false;
	*in = str_trim(str_slice(*in, word.n, in->n));
	return true;
}

/* ---- MAIL ---- */

/* RFC 1870 §3: 1 to 20 digits, of which the largest are more than any number of ours. */
static const struct smtp_problem *
take_size(void *into, struct str value)
{
	struct smtp_mail *m = into;

	if (value.n == 0 || value.n > 20)
		return &size_value;
	for (size_t i = 0; i < value.n; i++)
		if (!ascii_digit(value.p[i]))
			return &size_value;
	if (!str_u64(value, INT64_MAX, &m->size))
		m->size = INT64_MAX;
	return NULL;
}

static const struct smtp_problem *
take_body(void *into, struct str value)
{
	struct smtp_mail *m = into;

	if (str_ieq(value, STR("8BITMIME")))
		m->flags |= MAIL_8BIT;
	else if (!str_ieq(value, STR("7BIT")))
		return &body_value;
	return NULL;
}

static const struct smtp_problem *
take_smtputf8(void *into, struct str value)
{
	struct smtp_mail *m = into;

	if (value.p != NULL)
		return &utf8_value;
	m->flags |= MAIL_SMTPUTF8;
	return NULL;
}

static const struct smtp_problem *
take_ret(void *into, struct str value)
{
	struct smtp_mail *m = into;

	if (str_ieq(value, STR("FULL")))
		m->flags |= MAIL_RET_FULL;
	else if (str_ieq(value, STR("HDRS")))
		m->flags |= MAIL_RET_HDRS;
	else
		return &ret_value;
	return NULL;
}

static const struct smtp_problem *
take_envid(void *into, struct str value)
{
	struct smtp_mail *m = into;
	struct buf b = BUF_ON(m->envid);

	if (value.n == 0 || value.n > SMTP_ENVID_MAX || !xtext_add_decoded(&b, value))
		return &envid_value;
	return NULL;
}

/* What EHLO offers and no more. */
static const struct param mail_rows[] = {
	{"SIZE",     take_size    }, /* RFC 1870 §3 */
	{"BODY",     take_body    }, /* RFC 6152 §2 */
	{"SMTPUTF8", take_smtputf8}, /* RFC 6531 §3.1 */
	{"RET",      take_ret     }, /* RFC 3461 §4.3 */
	{"ENVID",    take_envid   }, /* RFC 3461 §4.4 */
};
static const struct params mail_params = {mail_rows, LENGTH(mail_rows)};

const struct smtp_problem *
smtp_mail_parse(struct str arg, struct smtp_mail *ret)
{
	struct smtp_mail m = {.flags = 0};

	if (!take_word(&arg, STR("FROM:")))
		return &mail_syntax;
	/* SMTPUTF8 stands behind the path that needs it */
	enum fault f = path_parse(&arg, PATH_OF_SENDER, true, &m.from);
	if (f != FAULT_none)
		return fault_problem(f, PATH_OF_SENDER);
	const struct smtp_problem *p = take_params(&mail_params, arg, &m);
	if (p != NULL)
		return p;
	if (address_was_utf8(&m.from.address) && (m.flags & MAIL_SMTPUTF8) == 0)
		return fault_problem(FAULT_not_ascii, PATH_OF_SENDER);
	*ret = m;
	return NULL;
}

/* ---- RCPT ---- */

struct rcpt_taking {
	struct smtp_rcpt rcpt;
	bool utf8;
};

static unsigned
notify_bit(struct str word)
{
	static const struct {
		const char *word;
		unsigned bit;
	} rows[] = {
		{"NEVER",   NOTIFY_NEVER  },
		{"SUCCESS", NOTIFY_SUCCESS},
		{"FAILURE", NOTIFY_FAILURE},
		{"DELAY",   NOTIFY_DELAY  }
        };

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (str_ieq(word, str_of(rows[i].word)))
			return rows[i].bit;
	return 0;
}

static const struct smtp_problem *
take_notify(void *into, struct str value)
{
	struct rcpt_taking *t = into;
	unsigned all = 0;

	for (;;) { /* not str_cut: it does not see an empty word at the end */
		size_t comma = str_find(value, ',');
		unsigned bit = notify_bit(str_slice(value, 0, comma));

		if (bit == 0)
			return &notify_value;
		all |= bit;
		if (comma == value.n)
			break;
		value = str_slice(value, comma + 1, value.n);
	}
	if ((all & NOTIFY_NEVER) != 0 && all != NOTIFY_NEVER) /* RFC 3461 §4.1 (b) */
		return &notify_value;
	t->rcpt.notify = (uint8_t)all;
	return NULL;
}

/* RFC 6533 §3: within SMTPUTF8 an address of type utf-8 may come as it is. */
static bool
add_original(struct buf *b, struct str type, struct str address, bool utf8)
{
	if (utf8 && str_ieq(type, STR("utf-8")) && !str_is_ascii(address)) {
		buf_add(b, address);
		return str_is_utf8(address) && str_is_printable(address);
	}
	return xtext_add_decoded(b, address);
}

/* original-recipient-address = addr-type ";" xtext, RFC 3461 §4.2 */
static const struct smtp_problem *
take_orcpt(void *into, struct str value)
{
	struct rcpt_taking *t = into;
	struct buf b = BUF_ON(t->rcpt.orcpt);
	size_t semicolon = str_find(value, ';');
	struct str type = str_slice(value, 0, semicolon);
	struct str address = str_slice(value, semicolon + 1, value.n);

	if (!is_keyword(type) || address.n == 0 || value.n > SMTP_ORCPT_MAX)
		return &orcpt_value;
	buf_add(&b, type);
	buf_addc(&b, ';');
	return add_original(&b, type, address, t->utf8) ? NULL : &orcpt_value;
}

static const struct param rcpt_rows[] = {
	{"NOTIFY", take_notify}, /* RFC 3461 §4.1 */
	{"ORCPT",  take_orcpt }, /* RFC 3461 §4.2 */
};
static const struct params rcpt_params = {rcpt_rows, LENGTH(rcpt_rows)};

const struct smtp_problem *
smtp_rcpt_parse(struct str arg, bool utf8, struct smtp_rcpt *ret)
{
	struct rcpt_taking t = {.utf8 = utf8};

	if (!take_word(&arg, STR("TO:")))
		return &rcpt_syntax;
	enum fault f = path_parse(&arg, PATH_OF_RECIPIENT, utf8, &t.rcpt.to);
	if (f != FAULT_none)
		return fault_problem(f, PATH_OF_RECIPIENT);
	const struct smtp_problem *p = take_params(&rcpt_params, arg, &t);
	if (p == NULL)
		*ret = t.rcpt;
	return p;
}
