/*
 * Address lists of header fields, RFC 5322 §3.4 with the obsolete forms of §4.4: names, groups,
 * comments, quoting, folding and source routes are read over; what is left are addresses.
 */
#ifndef PROTO_ADDRESS_LIST_H
#define PROTO_ADDRESS_LIST_H

#include "base/str.h"

#define ADDRESS_LIST_TEXT_MAX 600 /* octets: longer than any address with all of it quoted */

/* A walk. Start with <in> as the field's value, the rest zero. */
struct address_list {
	struct str in; /* unread */
	bool in_group; /* between `name:` and `;` */
};

struct address_list_item {
	/* local@domain, or the local part alone; quoting as it was given, no comments and no
	 * blanks outside of quotes. NUL-terminated, no controls. Not checked any further: the
	 * server that gets it does (address_parse). */
	char text[ADDRESS_LIST_TEXT_MAX + 1];
	bool bare;       /* without @: a local part of whoever reads it */
	struct str word; /* where the local part stands in what was read */
};

enum address_list_got {
	ADDRESS_LIST_ONE,
	ADDRESS_LIST_END,
	ADDRESS_LIST_BAD, /* what <in> starts with is no address: read no further */
};

/* The next address; empty elements and empty groups are passed over. */
enum address_list_got address_list_next(struct address_list *l,
                                        struct address_list_item *ret) MUST_CHECK;

#endif
