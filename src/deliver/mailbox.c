/*
 * Folders of mailboxes. See mailbox.h.
 */
#include "deliver/mailbox.h"
#include "base/buf.h"

static bool
is_domain_octet(char c)
{
	return (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '-' || c == '.';
}

/* RFC 1035 §2.3.1 as far as a file name needs it: nothing but LDH, and no empty label. */
static bool
is_domain(struct str s)
{
	char before = '.';

	if (s.n > MAILBOX_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_domain_octet(s.p[i]) || (s.p[i] == '.' && before == '.'))
			return false;
		before = s.p[i];
	}
	return before != '.'; /* nor is it empty */
}

static bool
is_unsafe(struct str s, size_t at)
{
	unsigned char c = (unsigned char)s.p[at];

	return c < 0x20 || c == 0x7f || c == '/' || c == '%' || (c == '.' && at == 0);
}

static void
add_user(struct buf *b, struct str local)
{
	for (size_t i = 0; i < local.n; i++) {
		if (is_unsafe(local, i))
			buf_addf(b, "%%%02X", (unsigned char)local.p[i]);
		else
			buf_addc(b, local.p[i]);
	}
}

enum rc
mailbox_path_of(struct str mailbox, struct mailbox_path *ret, struct err *e)
{
	size_t at = str_rfind(mailbox, '@'); /* a quoted local part may have one of its own */
	struct str domain = str_slice(mailbox, at + 1, mailbox.n);
	struct mailbox_path path;
	struct buf user = BUF_ON(path.user);
	struct buf folder = BUF_ON(path.domain);

	if (at == 0 || at == mailbox.n)
		return err_set(e, RC_PERM, "not a mailbox: no local part");
	if (!is_domain(domain))
		return err_set(e, RC_PERM, "not a mailbox: its domain is no host name");
	add_user(&user, str_slice(mailbox, 0, at));
	buf_add(&folder, domain);
	if (user.cut || folder.cut)
		return err_set(e, RC_PERM, "the mailbox is too long for a folder's name");
	*ret = path;
	return RC_OK;
}
