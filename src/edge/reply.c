/*
 * See reply.h.
 */
#include "edge/reply.h"
#include "base/id.h"

void
reply_print(const struct session *s, const struct reply *r, struct buf *b)
{
	if (r->lines != NULL) {
		r->lines(s, b);
		return;
	}
	buf_addf(b, "%u ", r->code);
	if (r->dsn != NULL)
		buf_addf(b, "%s ", r->dsn);
	buf_add(b, str_of(r->text));
	if (r->id != 0) {
		struct id_text id = id_text(r->id);

		/* "kept as ID", and in a refusal a note for whoever asks us about it */
		buf_addf(b, r->code < 400 ? " %s" : " [%s]", id.c);
	}
	buf_add(b, STR("\r\n"));
}
