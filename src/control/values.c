/*
 * The configuration in force. See values.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cfg/cfg.h"
#include "cfg/cfg_show.h"
#include "control/answer.h"
#include "control/values.h"

#define TEXT_OCTETS ((size_t)4 * CFG_OCTETS_MAX) /* what the wire form holds, with words */
#define PAGE_OCTETS 10240U                       /* each may take six when escaped */

/* Not within a character. */
static struct str
page_of(struct str text, uint64_t from)
{
	size_t end = (size_t)from + PAGE_OCTETS;

	if (from >= text.n)
		return STR_NONE;
	while (end < text.n && ((unsigned char)text.p[end] & 0xc0) == 0x80)
		end--;
	return str_slice(text, (size_t)from, end);
}

static void
add_page(struct buf *b, struct str text, uint64_t from)
{
	struct str page = page_of(text, from);
	char hash[17];

	(void)snprintf(hash, sizeof(hash), "%016" PRIx64, XXH3_64bits(text.p, text.n));
	answer_line(b, json_pack("{s:{s:s%, s:s}}", "row", "text", page.n == 0 ? "" : page.p,
	                         page.n, "hash", hash));
	answer_end(b, from + page.n < text.n);
}

void
answer_values(struct buf *b, const struct request *q, const struct cfg *c, struct buf *text)
{
	if (text->p == NULL) {
		*text = (struct buf){.p = malloc(TEXT_OCTETS), .cap = TEXT_OCTETS};
		if (text->p == NULL) {
			b->cut = true;
			return;
		}
		buf_clear(text);
		cfg_show(c, text);
	}
	if (text->cut)
		b->cut = true;
	else
		add_page(b, buf_str(text), q->number[PARAM_at]);
	if (q->number[PARAM_at] + PAGE_OCTETS >= text->n)
		values_forget(text);
}

void
values_forget(struct buf *text)
{
	free(text->p);
	*text = (struct buf){.p = NULL};
}
