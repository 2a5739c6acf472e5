/*
 * Whatever a list is, its addresses have no controls, have exactly one @ outside of quotes or
 * none, never come to an SMTP command's bracket from outside of quotes, and read alone each is
 * itself. A walk ends.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/address_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static void
check_text(struct str s, bool bare)
{
	bool quoted = false;
	bool literal = false;
	unsigned ats = 0;

	must(s.n > 0 && str_is_printable(s));
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((quoted || literal) && c == '\\')
			i++;
		else if (!literal && c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == ']'))
			literal = c == '[';
		else if (!quoted && !literal)
			must(c != '<' && c != '>' && c != ' ' && c != ',');
		ats += !quoted && !literal && c == '@';
	}
	must(!quoted && !literal && ats == (bare ? 0 : 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};
	struct address_list l = {.in = in};
	struct address_list_item item;
	struct address_list_item again;
	enum address_list_got got;
	size_t most = size + 1; /* an address takes an octet at least */

	while ((got = address_list_next(&l, &item)) == ADDRESS_LIST_ONE) {
		must(most-- > 0);
		must(l.in.n <= in.n && l.in.p + l.in.n == in.p + in.n);
		must(item.word.p >= in.p && item.word.p + item.word.n <= l.in.p);
		check_text(str_of(item.text), item.bare);
		struct address_list one = {.in = str_of(item.text)};
		must(address_list_next(&one, &again) == ADDRESS_LIST_ONE);
		must(strcmp(again.text, item.text) == 0 && again.bare == item.bare);
		must(address_list_next(&one, &again) == ADDRESS_LIST_END);
	}
	must(got == ADDRESS_LIST_END ? l.in.n == 0 : l.in.n <= size);
	return 0;
}
