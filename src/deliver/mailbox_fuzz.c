/*
 * Property: whatever octets are called a mailbox, they are refused, or become two names that
 * are one folder deep each, none of ours, and from which the mailbox can be read again: so no
 * two mailboxes share a folder.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "deliver/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_name(const char *name)
{
	check(name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL);
	check(strlen(name) <= MAILBOX_NAME_MAX);
}

static char
octet_of(const char *hex)
{
	char digits[3] = {hex[0], hex[1], '\0'};

	return (char)strtoul(digits, NULL, 16);
}

static void
add_decoded(struct buf *b, const char *name)
{
	for (; *name != '\0'; name++) {
		buf_addc(b, *name == '%' ? octet_of(name + 1) : *name);
		if (*name == '%')
			name += 2;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char room[2 * MAILBOX_NAME_MAX + 2];
	struct buf again = BUF_ON(room);
	struct str mailbox = {(const char *)data, size};
	struct mailbox_path path;
	struct err e;

	if (mailbox_path_of(mailbox, &path, &e) != RC_OK)
		return 0;
	check_name(path.domain);
	check_name(path.user);
	add_decoded(&again, path.user);
	buf_addc(&again, '@');
	buf_add(&again, str_of(path.domain));
	check(str_eq(buf_str(&again), mailbox));
	return 0;
}
