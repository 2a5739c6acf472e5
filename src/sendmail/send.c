/*
 * Sending. See send.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/date.h"
#include "proto/xtext.h"
#include "sendmail/send.h"

#define WINDOW 50U       /* RCPTs on their way: their replies fit any socket */
#define HEAD_MORE 65536U /* octets that a header grows by at most, beside its own length */

int
send_say(int status, const char *fmt, ...)
{
	char room[600];
	char escaped[2400];
	struct buf b = BUF_ON(room);
	struct buf e = BUF_ON(escaped);
	va_list ap;

	va_start(ap, fmt);
	buf_addv(&b, fmt, ap);
	va_end(ap);
	buf_add_escaped(&e, buf_str(&b));
	(void)fprintf(stderr, "sendmail: %s\n", escaped); /* nobody else to tell */
	return status;
}

int
send_status(const struct smtp_reply *r)
{
	static const struct {
		const char *dsn;
		int status;
	} rows[] = {
		{"5.1.1", EX_NOUSER },
                {"5.1.3", EX_DATAERR},
                {"5.3.4", EX_DATAERR},
		{"5.6.7", EX_DATAERR},
                {"5.5.4", EX_DATAERR},
	};

	if (r->code < 400)
		return EX_OK;
	if (r->code < 500)
		return EX_TEMPFAIL;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (strcmp(rows[i].dsn, r->dsn) == 0)
			return rows[i].status;
	return EX_UNAVAILABLE;
}

static int
refused(const char *who, const struct smtp_reply *r)
{
	return send_say(send_status(r), "%s: %u %s %s", who, r->code, r->dsn, r->text);
}

static int
gone(const struct err *e)
{
	return send_say(EX_TEMPFAIL, "%s", e->text);
}

/* ---- what is said ---- */

static void
add_address(struct buf *b, struct str name, const char *origin)
{
	struct str whole = name;
	bool quoted = false;
	bool bare = true;

	for (size_t i = 0; i < whole.n; i++) {
		if (whole.p[i] == '\\')
			i++;
		else if (whole.p[i] == '"')
			quoted = !quoted;
		else if (whole.p[i] == '@' && !quoted)
			bare = false;
	}
	buf_add(b, name);
	if (bare && name.n > 0)
		buf_addf(b, "@%s", origin);
}

static bool
needs_utf8(const struct letter *l)
{
	bool ascii = str_is_ascii(l->sender);

	for (size_t i = 0; i < l->rcpts->count && ascii; i++)
		ascii = str_is_ascii(str_of(l->rcpts->names[i]));
	return !ascii;
}

static enum rc
say_mail(struct talk *t, const struct letter *l, uint64_t size, struct err *e)
{
	const struct args *a = l->args;
	char room[2048];
	struct buf b = BUF_ON(room);

	buf_add(&b, STR("MAIL FROM:<"));
	add_address(&b, l->sender, t->origin);
	buf_addf(&b, "> SIZE=%" PRIu64 " BODY=%.*s", size,
	         STR_FMT(a->body.n > 0 ? a->body : STR("8BITMIME")));
	if (needs_utf8(l))
		buf_add(&b, STR(" SMTPUTF8"));
	if (a->ret.n > 0)
		buf_addf(&b, " RET=%.*s", STR_FMT(a->ret));
	if (a->envid.n > 0) {
		buf_add(&b, STR(" ENVID="));
		xtext_add(&b, a->envid);
	}
	buf_add(&b, STR("\r\n"));
	if (b.cut)
		return err_set(e, RC_PERM, "the sender or -V is too long");
	return talk_say(t, buf_str(&b), e);
}

static enum rc
say_rcpt(struct talk *t, const struct letter *l, const char *name, struct err *e)
{
	char room[1200];
	struct buf b = BUF_ON(room);

	buf_add(&b, STR("RCPT TO:<"));
	add_address(&b, str_of(name), t->origin);
	buf_addc(&b, '>');
	if (l->args->notify.n > 0)
		buf_addf(&b, " NOTIFY=%.*s", STR_FMT(l->args->notify));
	buf_add(&b, STR("\r\n"));
	return talk_say(t, buf_str(&b), e);
}

/* Text with LF as SMTP carries it; <start>: it begins a line. RFC 5321 §4.5.2. */
static enum rc
say_text(struct talk *t, struct str s, bool *start, struct err *e)
{
	while (s.n > 0) {
		size_t lf = str_find(s, '\n');
		bool dot = *start && s.p[0] == '.';

		if ((dot && talk_say(t, STR("."), e) != RC_OK) ||
		    talk_say(t, str_slice(s, 0, lf), e) != RC_OK)
			return e->rc;
		*start = lf < s.n;
		if (lf < s.n && talk_say(t, STR("\r\n"), e) != RC_OK)
			return e->rc;
		s = str_slice(s, lf + 1, s.n);
	}
	return RC_OK;
}

static enum rc
say_content(struct talk *t, const struct letter *l, struct str head, struct err *e)
{
	struct str piece = STR("\n");
	bool start = true;

	if (input_rewind(l->input, e) != RC_OK || say_text(t, head, &start, e) != RC_OK ||
	    say_text(t, piece, &start, e) != RC_OK)
		return e->rc;
	while (piece.n > 0) {
		if (input_next(l->input, &piece, e) != RC_OK ||
		    say_text(t, piece, &start, e) != RC_OK)
			return e->rc;
	}
	return talk_say(t, STR(".\r\n"), e);
}

/* ---- the header ---- */

static bool
make_head(const struct talk *t, const struct letter *l, struct buf *ret)
{
	char sender[1200];
	char date[64];
	char id[400];
	struct buf sender_b = BUF_ON(sender);
	struct buf date_b = BUF_ON(date);
	struct buf id_b = BUF_ON(id);
	uint64_t now = clock_wall_us();
	uint64_t lot = 0;

	*ret = (struct buf){.cap = 2 * l->input->head.n + HEAD_MORE};
	ret->p = malloc(ret->cap);
	if (ret->p == NULL || getrandom(&lot, sizeof(lot), 0) != (ssize_t)sizeof(lot))
		return false;
	buf_clear(ret);
	add_address(&sender_b, l->sender, t->origin);
	date_add(&date_b, now);
	buf_addf(&id_b, "%" PRIx64 ".%" PRIx64 "@%s", now, lot, t->origin);
	struct head_add add = {.origin = str_of(t->origin),
	                       .sender = buf_str(&sender_b),
	                       .full_name = l->full_name,
	                       .date = buf_str(&date_b),
	                       .id = buf_str(&id_b)};
	head_write(buf_str(&l->input->head), l->head, &add, ret);
	return !ret->cut && !sender_b.cut && !id_b.cut;
}

static uint64_t
wire_octets(const struct letter *l, struct str head)
{
	uint64_t lines = l->input->lines + 1;

	for (size_t i = 0; i < head.n; i++)
		lines += head.p[i] == '\n';
	return head.n + 1 + l->input->body + lines;
}

/* ---- a transaction ---- */

struct round {
	size_t accepted;
	size_t postponed; /* the server wants them in another one */
	int status;       /* of the first that was refused */
};

static void
note(struct round *r, int status)
{
	if (r->status == EX_OK)
		r->status = status;
}

/* RFC 5321 §4.5.3.1.10: the rest in another transaction. */
static bool
is_full(const struct smtp_reply *r)
{
	return r->code == 452 && strcmp(r->dsn, "4.5.3") == 0;
}

/* The next ones that are to come, WINDOW at most; false where the server is gone. */
static bool
send_window(struct talk *t, struct letter *l, size_t *at, struct round *r, struct err *e)
{
	size_t window[WINDOW];
	unsigned count = 0;
	struct smtp_reply reply;

	for (; *at < l->rcpts->count && count < WINDOW; ++*at) {
		if (l->sent[*at] != 0)
			continue;
		window[count++] = *at;
		if (say_rcpt(t, l, l->rcpts->names[*at], e) != RC_OK)
			return false;
	}
	for (unsigned i = 0; i < count; i++) {
		const char *name = l->rcpts->names[window[i]];

		if (talk_reply(t, &reply, e) != RC_OK)
			return false;
		if (is_full(&reply) && r->accepted > 0) {
			r->postponed++;
			continue;
		}
		l->sent[window[i]] = 1;
		if (reply.code < 300)
			r->accepted++;
		else
			note(r, refused(name, &reply));
	}
	return true;
}

static int
sender_status(const struct smtp_reply *r)
{
	return strcmp(r->dsn, "5.7.1") == 0 ? EX_NOPERM : send_status(r);
}

/* *ret_more: some recipients are left for another one. */
static int
transaction(struct talk *t, struct letter *l, struct str head, bool *ret_more)
{
	struct round r = {.status = EX_OK};
	struct smtp_reply reply;
	struct err e;
	size_t at = 0;

	*ret_more = false;
	if (say_mail(t, l, wire_octets(l, head), &e) != RC_OK)
		return send_say(e.rc == RC_PERM ? EX_DATAERR : EX_TEMPFAIL, "%s", e.text);
	if (talk_reply(t, &reply, &e) != RC_OK)
		return gone(&e);
	if (reply.code != 250)
		return send_say(sender_status(&reply), "%u %s %s", reply.code, reply.dsn,
		                reply.text);
	while (at < l->rcpts->count && r.postponed == 0)
		if (!send_window(t, l, &at, &r, &e))
			return gone(&e);
	*ret_more = r.postponed > 0 || at < l->rcpts->count;
	if (r.accepted == 0) {
		if (talk_say(t, STR("RSET\r\n"), &e) != RC_OK ||
		    talk_reply(t, &reply, &e) != RC_OK)
			return gone(&e);
		return r.status;
	}
	if (talk_say(t, STR("DATA\r\n"), &e) != RC_OK || talk_reply(t, &reply, &e) != RC_OK)
		return gone(&e);
	if (reply.code == 354 &&
	    (say_content(t, l, head, &e) != RC_OK || talk_reply(t, &reply, &e) != RC_OK))
		return gone(&e);
	if (reply.code != 250)
		return send_say(reply.code < 400 ? EX_PROTOCOL : send_status(&reply),
		                "%u %s %s", reply.code, reply.dsn, reply.text);
	return r.status;
}

int
send_letter(struct talk *t, struct letter *l)
{
	struct buf head = {.p = NULL};
	bool more = true;
	int first = EX_OK;

	l->sent = calloc(l->rcpts->count + 1, 1);
	if (l->sent == NULL || !make_head(t, l, &head)) {
		bool memory = l->sent == NULL || head.p == NULL;

		free(head.p);
		free(l->sent);
		return memory ? send_say(EX_TEMPFAIL, "out of memory")
		              : send_say(EX_DATAERR, "the header is too long");
	}
	while (more) {
		int status = transaction(t, l, buf_str(&head), &more);

		if (first == EX_OK)
			first = status;
	}
	free(head.p);
	free(l->sent);
	return first;
}
