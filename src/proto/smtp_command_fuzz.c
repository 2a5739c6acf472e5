/*
 * A command line: whatever verb and arguments come out of it have no controls, keep to their
 * limits and to the rules between them; a refusal is a reply of class 4 or 5.
 */
#include <stdlib.h>

#include "proto/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool promise)
{
	if (!promise)
		abort();
}

/* True where the command was taken. */
static bool
taken(const struct smtp_problem *p)
{
	if (p == NULL)
		return true;
	must((p->code / 100 == 5 || p->code / 100 == 4) && p->dsn[0] - '0' == p->code / 100);
	must(str_is_printable(str_of(p->text)) && str_is_ascii(str_of(p->text)));
	return false;
}

static void
check_path(const struct path *p, bool utf8)
{
	char room[MAILBOX_MAX + 1];
	struct buf b = BUF_ON(room);

	address_print(&b, &p->address);
	must(!b.cut && str_is_printable(buf_str(&b)));
	must((b.n == 0) == (p->kind == PATH_NULL));
	must(utf8 || (!address_was_utf8(&p->address) && str_is_ascii(buf_str(&b))));
}

static void
check_mail(struct str arg)
{
	const uint32_t ret_both = MAIL_RET_FULL | MAIL_RET_HDRS;
	struct smtp_mail m;

	if (!taken(smtp_mail_parse(arg, &m)))
		return;
	check_path(&m.from, (m.flags & MAIL_SMTPUTF8) != 0);
	must(m.from.kind != PATH_POSTMASTER);
	must((m.flags & MAIL_IN_FILE) == 0 && (m.flags & ret_both) != ret_both);
	must(m.size <= INT64_MAX);
	must(str_is_printable(str_of(m.envid)) && str_is_ascii(str_of(m.envid)));
}

static void
check_rcpt(struct str arg, bool utf8)
{
	struct smtp_rcpt r;

	if (!taken(smtp_rcpt_parse(arg, utf8, &r)))
		return;
	check_path(&r.to, utf8);
	must(r.to.kind != PATH_NULL && r.notify < 16);
	must((r.notify & NOTIFY_NEVER) == 0 || r.notify == NOTIFY_NEVER);
	must(str_is_printable(str_of(r.orcpt)) && (utf8 || str_is_ascii(str_of(r.orcpt))));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str line = {(const char *)data, size};
	struct smtp_command c;
	struct smtp_helo h;
	struct smtp_bdat b;

	if (!taken(smtp_split(line, &c)))
		return 0;
	must(c.verb.n > 0 && str_find(c.verb, ' ') == c.verb.n);
	must(str_is_printable(c.verb) && str_is_printable(c.arg));
	check_mail(c.arg);
	check_rcpt(c.arg, false);
	check_rcpt(c.arg, true);
	if (taken(smtp_helo_parse(c.arg, &h)))
		must(h.name.n > 0 && h.name.n <= SMTP_HELO_MAX && str_is_printable(h.name));
	if (taken(smtp_bdat_parse(c.arg, &b)))
		must(b.size <= INT64_MAX);
	return 0;
}
