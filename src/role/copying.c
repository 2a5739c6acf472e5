/*
 * Copies for the operator's backup. See copying.h.
 */
#include "role/copying.h"
#include "base/log.h"

void
copying_answer(struct db_copy *copy, sqlite3 *db, struct channel *from,
               const struct msg_copy_ask *m, uint64_t now_ms)
{
	struct err e = {.text = ""};
	enum rc rc = db == NULL ? err_set(&e, RC_TEMP, "the file cannot be read now")
	                        : db_copy_do(copy, db, (enum db_copy_act)m->act, now_ms, &e);
	struct msg answer = {
		.no = MSG_copy_answer,
		.copy_answer = {.ask = m->ask,
	                        .rc = (uint8_t)rc,
	                        .whole = copy->whole,
	                        .pages = copy->pages,
	                        .left = copy->left,
	                        .text = str_slice(str_of(e.text), 0, 240)}
        };

	if (channel_send(from, &answer, &e) != RC_OK)
		log_say(LOG_WARN, "copy_answer", e.text);
}
