/*
 * Recipients. See rcpts.h.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/address_list.h"
#include "sendmail/rcpts.h"

static enum rc
add_one(struct rcpts *r, const char *name, struct err *e)
{
	if (r->count == RCPTS_MOST)
		return err_set(e, RC_PERM, "more than %u recipients", RCPTS_MOST);
	if (r->count == r->cap) {
		size_t cap = r->cap == 0 ? 16 : r->cap * 2;
		char **names = realloc(r->names, cap * sizeof(*names)); /* below RCPTS_MOST */

		if (names == NULL)
			return err_sys(e, "recipients");
		r->names = names;
		r->cap = cap;
	}
	r->names[r->count] = strdup(name);
	if (r->names[r->count] == NULL)
		return err_sys(e, "recipients");
	r->count++;
	return RC_OK;
}

enum rc
rcpts_add(struct rcpts *r, struct str list, struct err *e)
{
	struct address_list l = {.in = list};
	struct address_list_item item;
	enum address_list_got got;

	while ((got = address_list_next(&l, &item)) == ADDRESS_LIST_ONE)
		if (add_one(r, item.text, e) != RC_OK)
			return e->rc;
	if (got == ADDRESS_LIST_END)
		return RC_OK;
	return err_set(e, RC_PERM, "this cannot be read as an address: %.*s",
	               STR_FMT(str_slice(l.in, 0, 60)));
}

void
rcpts_free(struct rcpts *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->names[i]);
	free(r->names);
	*r = (struct rcpts){.names = NULL};
}
