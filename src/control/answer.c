/*
 * Answers as lines of JSON. See answer.h.
 */
#include <stdlib.h>
#include <sysexits.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/id.h"
#include "base/logfmt.h"
#include "control/answer.h"

#define TEXT_OCTETS_MAX 2048                 /* the longest text of item.def is 1800 */
#define BODY_TEXT_OCTETS (40960 / 3 * 4 + 8) /* of body_answer, as base 64 */
#define TEXT_ROOM (4 * TEXT_OCTETS_MAX + 1)

/* jansson escapes all that is no printable ASCII, but for DEL. */
static void
add_ascii(struct buf *b, struct str json)
{
	while (json.n > 0) {
		size_t n = str_find(json, 0x7f);

		buf_add(b, str_slice(json, 0, n));
		if (n < json.n)
			buf_add(b, STR("\\u007f"));
		json = str_slice(json, n + 1, json.n);
	}
}

void
answer_line(struct buf *b, json_t *o)
{
	char *text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (text == NULL) {
		b->cut = true;
	} else {
		add_ascii(b, str_of(text));
		buf_addc(b, '\n');
	}
	free(text);
	json_decref(o);
}

static json_t *
json_text(struct str s)
{
	char room[TEXT_ROOM];
	struct buf b = BUF_ON(room);

	if (str_is_utf8(s))
		return json_stringn(s.n == 0 ? "" : s.p, s.n);
	buf_add_escaped(&b, s);
	return b.cut ? NULL : json_stringn(b.p, b.n);
}

json_t *
answer_time(uint64_t wall_us)
{
	char room[40];
	struct buf b = BUF_ON(room);

	date_add_rfc3339(&b, wall_us);
	return json_stringn(b.p, b.n);
}

json_t *
answer_id(uint64_t id)
{
	return json_string(id_text(id).c);
}

void
answer_error(struct buf *b, int status, const char *text)
{
	answer_line(b,
	            json_pack("{s:o, s:i}", "error", json_text(str_of(text)), "exit", status));
}

void
answer_end(struct buf *b, bool more)
{
	answer_line(b, json_pack("{s:b, s:b}", "end", 1, "more", more));
}

/* ---- queue ---- */

static void
add_queued(struct buf *b, const struct item_queued *row)
{
	static const char *const states[] = {"waiting", "held", "delivering"};

	answer_line(
		b,
		json_pack("{s:{s:o, s:I, s:i, s:i, s:o, s:s, s:I, s:o, s:o, s:o, s:o, s:o}}",
	                  "row", "id", answer_id(row->id), "size", (json_int_t)row->size, "n",
	                  (int)row->n, "rcpts", (int)row->rcpts, "arrived",
	                  answer_time(id_wall_us(row->id)), "state", states[row->state],
	                  "tries", (json_int_t)row->tries, "next", answer_time(row->next_us),
	                  "sender", json_text(row->sender), "rcpt", json_text(row->orig),
	                  "mailbox", json_text(row->mailbox), "reply", json_text(row->reply)));
}

/* Where the next page begins. */
static void
end_page(struct buf *b, bool more, uint64_t id, unsigned n)
{
	if (more && id > 0)
		answer_line(b, json_pack("{s:b, s:b, s:o, s:i}", "end", 1, "more", 1, "id",
		                         answer_id(id), "n", (int)n));
	else
		answer_end(b, more);
}

void
answer_queue(struct buf *b, const struct request *q, const struct msg *m)
{
	struct list rows = m->queue_answer.rows;
	struct item_queued row;

	(void)q;
	if (m->queue_answer.rc != RC_OK) {
		answer_error(b, EX_TEMPFAIL, "the queue cannot be read now");
		return;
	}
	while (item_next_queued(&rows, &row))
		add_queued(b, &row);
	end_page(b, m->queue_answer.more, m->queue_answer.id, m->queue_answer.n);
}

void
answer_changed(struct buf *b, const struct request *q, const struct msg *m)
{
	const struct msg_queue_changed *a = &m->queue_changed;

	(void)q;
	if (a->rc != RC_OK) {
		answer_error(b, EX_TEMPFAIL, "the queue cannot be changed now");
		return;
	}
	answer_line(b,
	            json_pack("{s:{s:I, s:I, s:I}}", "row", "changed", (json_int_t)a->changed,
	                      "same", (json_int_t)a->same, "out", (json_int_t)a->out));
	end_page(b, a->more, a->id, a->n);
}

/* Octets of any kind: JSON has no text for them. */
static json_t *
json_octets(struct str octets)
{
	static char room[BODY_TEXT_OCTETS];
	struct buf text = BUF_ON(room);

	buf_clear(&text);
	base64_add(&text, octets);
	return text.cut ? NULL : json_stringn(text.p, text.n);
}

void
answer_body(struct buf *b, const struct request *q, const struct msg *m)
{
	const struct msg_body_answer *a = &m->body_answer;
	char room[sizeof(((struct err *)0)->text)];
	struct buf text = BUF_ON(room);

	(void)q;
	if (a->rc != RC_OK) {
		buf_add(&text, a->text);
		answer_error(b, a->rc == RC_PERM ? EX_DATAERR : EX_TEMPFAIL, text.p);
		return;
	}
	answer_line(b, json_pack("{s:{s:I, s:I, s:o}}", "row", "at", (json_int_t)a->at, "size",
	                         (json_int_t)a->size, "octets", json_octets(a->octets)));
	answer_end(b, a->at + a->octets.n < a->size && a->octets.n > 0);
}

/* ---- journal ---- */

static json_t *
json_field(struct str value)
{
	char room[TEXT_ROOM];
	struct buf b = BUF_ON(room);

	logfmt_add_value(&b, value);
	return b.cut ? NULL : json_text(buf_str(&b));
}

/* The record's fields in their order; what is not logfmt stays as it is, under `text`. */
static json_t *
json_fields(struct str fields)
{
	json_t *o = json_object();
	bool good = o != NULL;
	struct str key;
	struct str value;

	while (good && logfmt_next(&fields, &key, &value)) {
		char name[TEXT_OCTETS_MAX];
		struct buf b = BUF_ON(name);

		buf_add(&b, key);
		good = json_object_set_new(o, b.p, json_field(value)) == 0;
	}
	if (good && fields.n > 0)
		good = json_object_set_new(o, "text", json_text(fields)) == 0;
	if (good)
		return o;
	json_decref(o);
	return NULL;
}

void
answer_journal(struct buf *b, const struct request *q, const struct msg *m)
{
	struct list records = m->journal_answer.records;
	struct item_record r;

	(void)q;
	if (m->journal_answer.rc != RC_OK) {
		answer_error(b, EX_TEMPFAIL, "the journal cannot be read now");
		return;
	}
	while (item_next_record(&records, &r))
		answer_line(b, json_pack("{s:{s:o, s:o, s:o}}", "row", "id", answer_id(r.id),
		                         "time", answer_time(r.at_us), "fields",
		                         json_fields(r.fields)));
	answer_end(b, m->journal_answer.more);
}

/* ---- accounts ---- */

static void
add_user_error(struct buf *b, const struct msg_user_answer *m)
{
	char room[sizeof(((struct err *)0)->text)];
	struct buf text = BUF_ON(room);

	buf_add(&text, m->text);
	answer_error(b, m->rc == RC_PERM ? EX_DATAERR : EX_TEMPFAIL, text.p);
}

void
answer_user(struct buf *b, const struct request *q, const struct msg *m)
{
	struct list accounts = m->user_answer.accounts;
	struct item_account a;

	(void)q;
	if (m->user_answer.rc != RC_OK) {
		add_user_error(b, &m->user_answer);
		return;
	}
	while (item_next_account(&accounts, &a))
		answer_line(b, json_pack("{s:{s:o, s:b, s:o*}}", "row", "address",
		                         json_text(a.address), "system", (int)a.system, "added",
		                         a.system ? NULL : answer_time(a.added_us)));
	answer_end(b, m->user_answer.more);
}

void
answer_senders(struct buf *b, const struct request *q, const struct msg *m)
{
	struct list rows = m->sender_rows.rows;
	struct item_allowed a;

	(void)q;
	if (m->sender_rows.rc != RC_OK) {
		answer_error(b, EX_TEMPFAIL, "the accounts cannot be read now");
		return;
	}
	while (item_next_allowed(&rows, &a))
		answer_line(b, json_pack("{s:{s:o, s:o, s:o}}", "row", "user",
		                         json_text(a.user), "address", json_text(a.address),
		                         "added", answer_time(a.added_us)));
	answer_end(b, m->sender_rows.more);
}

/* ---- master ---- */

void
answer_master(struct buf *b, const struct request *q, const struct msg *m)
{
	bool failed = m->master_answer.status != EX_OK;
	struct str rest = m->master_answer.report;
	struct str line = STR_NONE;
	struct str next;

	(void)q;
	while (str_cut(&rest, '\n', &next)) {
		if (line.n > 0)
			answer_line(b, json_pack("{s:{s:o}}", "row", "text", json_text(line)));
		line = next;
	}
	if (line.n > 0 && !failed)
		answer_line(b, json_pack("{s:{s:o}}", "row", "text", json_text(line)));
	if (failed)
		answer_line(b, json_pack("{s:o, s:i}", "error", json_text(line), "exit",
		                         (int)m->master_answer.status));
	else
		answer_end(b, false);
}

/* ---- copies for a backup ---- */

void
answer_copy(struct buf *b, const struct request *q, const struct msg *m)
{
	const struct msg_copy_answer *a = &m->copy_answer;
	char room[sizeof(((struct err *)0)->text)];
	struct buf text = BUF_ON(room);

	(void)q;
	if (a->rc != RC_OK) {
		buf_add(&text, a->text);
		answer_error(b, EX_TEMPFAIL, text.p);
		return;
	}
	answer_line(b, json_pack("{s:{s:b, s:I, s:I}}", "row", "whole", (int)a->whole, "pages",
	                         (json_int_t)a->pages, "left", (json_int_t)a->left));
	answer_end(b, false);
}
