/*
 * Everybody who has a mailbox, page by page: accounts and the machine's users, in the order of
 * their addresses.
 */
#ifndef VAULT_LIST_H
#define VAULT_LIST_H

#include "base/err.h"
#include "base/str.h"

#define LIST_PAGE 64U /* msg.def: in one user_answer */

struct accounts;
struct cfg_domain;
struct users;

struct list_from {
	struct accounts *accounts;
	const struct users *users;       /* NULL: none */
	const struct cfg_domain *domain; /* that names the users; NULL where there is none */
};

struct list_row {
	struct str address;
	uint64_t added_us; /* 0 where <system> */
	bool system;       /* a user of the machine */
};

/* Texts live until it returns. */
typedef void list_each(void *arg, const struct list_row *row);

/* Up to LIST_PAGE of those after <after>; *ret_more: there are more behind the last. */
enum rc list_page(const struct list_from *from, struct str after, list_each *each, void *arg,
                  bool *ret_more, struct err *e) MUST_CHECK;

#endif
