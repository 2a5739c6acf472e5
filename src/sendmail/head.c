/*
 * Headers on their way out. See head.h.
 */
#include "sendmail/head.h"
#include "proto/address_list.h"
#include "proto/header.h"

#define NAME_MOST 60U /* octets of a full name that fits one encoded word, RFC 2047 §2 */

static bool
is_one_of(struct str name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (str_ieq(name, str_of(*names)))
			return true;
	return false;
}

static const char *const to_fields[] = {"To", "Cc", "Bcc", NULL};
static const char *const resent_to_fields[] = {"Resent-To", "Resent-Cc", "Resent-Bcc", NULL};
static const char *const address_fields[] = {
	"From",          "Sender",          "Reply-To",  "To",        "Cc", "Resent-From",
	"Resent-Sender", "Resent-Reply-To", "Resent-To", "Resent-Cc", NULL};
static const char *const dropped_fields[] = {"Bcc", "Resent-Bcc", "Return-Path",
                                             "Content-Length", NULL};

static void
note(struct head *h, struct str name)
{
	bool resent = str_istarts(name, STR("Resent-"));

	if (resent && !h->resent)
		*h = (struct head){.resent = true}; /* what was there is of who sent it first */
	if (h->resent && !resent)
		return;
	if (resent)
		name = str_slice(name, STR("Resent-").n, name.n);
	h->has_from = h->has_from || str_ieq(name, STR("From"));
	h->has_date = h->has_date || str_ieq(name, STR("Date"));
	h->has_id = h->has_id || str_ieq(name, STR("Message-ID"));
}

enum rc
head_read(struct str text, struct rcpts *to, struct head *ret, struct err *e)
{
	struct head h = {.resent = false};
	struct header_field f;
	struct str rest = text;
	bool resent_to = false;

	while (header_next(&rest, &f)) {
		note(&h, f.name);
		resent_to = resent_to || is_one_of(f.name, resent_to_fields);
	}
	rest = text;
	while (to != NULL && header_next(&rest, &f))
		if (is_one_of(f.name, resent_to ? resent_to_fields : to_fields) &&
		    rcpts_add(to, f.value, e) != RC_OK)
			return err_in(e, "%.*s", STR_FMT(f.name));
	*ret = h;
	return RC_OK;
}

/* A field whose bare names get a domain; where it cannot be read it stays as it is. */
static void
write_addresses(struct buf *b, const struct header_field *f, struct str origin)
{
	struct address_list l = {.in = f->value};
	struct address_list_item item;
	const char *from = f->all.p;

	while (address_list_next(&l, &item) == ADDRESS_LIST_ONE) {
		const char *end = item.word.p + item.word.n;

		if (!item.bare)
			continue;
		buf_add(b, (struct str){from, (size_t)(end - from)});
		buf_addc(b, '@');
		buf_add(b, origin);
		from = end;
	}
	buf_add(b, (struct str){from, (size_t)(f->all.p + f->all.n - from)});
}

/* RFC 5322 §3.2.4, or RFC 2047 §4.2 where it is not ASCII; nothing where it is neither. */
static void
add_name(struct buf *b, struct str name)
{
	if (name.n == 0 || name.n > NAME_MOST || !str_is_printable(name) || !str_is_utf8(name))
		return;
	if (str_is_ascii(name)) {
		buf_addc(b, '"');
		for (size_t i = 0; i < name.n; i++) {
			if (name.p[i] == '"' || name.p[i] == '\\')
				buf_addc(b, '\\');
			buf_addc(b, name.p[i]);
		}
		buf_add(b, STR("\" "));
		return;
	}
	if (name.n > NAME_MOST / 3)
		return;
	buf_add(b, STR("=?utf-8?q?"));
	for (size_t i = 0; i < name.n; i++) {
		bool plain = ascii_alpha(name.p[i]) || ascii_digit(name.p[i]);

		if (plain)
			buf_addc(b, name.p[i]);
		else
			buf_addf(b, "=%02X", (unsigned char)name.p[i]);
	}
	buf_add(b, STR("?= "));
}

static void
add_missing(const struct head *h, const struct head_add *add, struct buf *b)
{
	const char *prefix = h->resent ? "Resent-" : "";

	if (!h->has_id)
		buf_addf(b, "%sMessage-ID: <%.*s>\n", prefix, STR_FMT(add->id));
	if (!h->has_date)
		buf_addf(b, "%sDate: %.*s\n", prefix, STR_FMT(add->date));
	if (h->has_from)
		return;
	buf_addf(b, "%sFrom: ", prefix);
	if (add->sender.n > 0) {
		add_name(b, add->full_name);
		buf_addf(b, "<%.*s>\n", STR_FMT(add->sender));
	} else {
		buf_addf(b, "MAILER-DAEMON@%.*s\n", STR_FMT(add->origin));
	}
}

void
head_write(struct str text, const struct head *h, const struct head_add *add, struct buf *b)
{
	struct header_field f;

	add_missing(h, add, b);
	while (header_next(&text, &f)) {
		if (is_one_of(f.name, dropped_fields))
			continue;
		if (is_one_of(f.name, address_fields))
			write_addresses(b, &f, add->origin);
		else
			buf_add(b, f.all);
	}
}
