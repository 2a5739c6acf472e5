/*
 * What parses, prints; what was printed parses to the same address, needs no SMTPUTF8 that was
 * not asked for, has no controls and fits the limits of msg.def. The first octet chooses how.
 */
#include <stdlib.h>

#include "proto/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static struct buf
printed_into(char *room, size_t cap, const struct address *a,
             void (*print)(struct buf *, const struct address *))
{
	struct buf b = {.p = room, .cap = cap};

	buf_clear(&b);
	print(&b, a);
	must(!b.cut && str_is_printable(buf_str(&b)) && str_is_utf8(buf_str(&b)));
	return b;
}

static void
check_domain(const struct domain *d)
{
	struct domain again;
	struct str name = str_of(d->name);

	must(str_is_ascii(name) && name.n > 0 && name.n <= DOMAIN_MAX);
	must(domain_parse(name, false, &again) == FAULT_none);
	must(str_eq(str_of(again.name), name) && again.is_literal == d->is_literal);
	must(!d->is_literal || netaddr_eq(&again.ip, &d->ip));
}

static void
check_address(const struct address *a, bool utf8)
{
	char room[MAILBOX_MAX + 1];
	char again[MAILBOX_MAX + 1];
	struct address b;
	struct buf first = printed_into(room, sizeof(room), a, address_print);

	must(utf8 || !address_was_utf8(a));
	must(address_parse(buf_str(&first), utf8, &b) == FAULT_none);
	must(str_eq(str_of(a->local), str_of(b.local)));
	must(str_eq(str_of(a->domain.name), str_of(b.domain.name)));
	struct buf second = printed_into(again, sizeof(again), &b, address_print);
	must(str_eq(buf_str(&first), buf_str(&second)));
	struct buf key = printed_into(again, sizeof(again), a, address_key);
	must(key.n == first.n && str_ieq(buf_str(&key), buf_str(&first)));
	check_domain(&a->domain);
}

static void
check_path(struct str in, enum path_of whose, bool utf8)
{
	struct str rest = in;
	struct path p;
	enum fault f = path_parse(&rest, whose, utf8, &p);

	if (f != FAULT_none) {
		must(fault_problem(f, whose) != NULL && rest.p == in.p && rest.n == in.n);
		return;
	}
	must(rest.n < in.n && in.p[in.n - rest.n - 1] == '>');
	must(p.kind != PATH_NULL || whose == PATH_OF_SENDER);
	must(p.kind != PATH_POSTMASTER || whose == PATH_OF_RECIPIENT);
	if (p.kind == PATH_MAILBOX)
		check_address(&p.address, utf8);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address a;

	if (size == 0)
		return 0;
	struct str in = {(const char *)data + 1, size - 1};
	bool utf8 = (data[0] & 1) != 0;
	check_path(in, (data[0] & 2) != 0 ? PATH_OF_SENDER : PATH_OF_RECIPIENT, utf8);
	if (address_parse(in, utf8, &a) == FAULT_none)
		check_address(&a, utf8);
	return 0;
}
