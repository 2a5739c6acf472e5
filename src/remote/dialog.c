/*
 * LMTP as its client speaks it. See dialog.h.
 */
#include <inttypes.h>

#include "proto/smtp.h"
#include "proto/xtext.h"
#include "remote/dialog.h"
#include "remote/parcel.h"

#define COMMAND_MOST \
	2048U /* octets: RCPT with an address of 320, ORCPT of 500 with each octet as +HH */

/* What a reply means in each state; the functions change the state, dialog_over ends it. */
static void heard_greeting(struct dialog *d, const struct smtp_reply *r);
static void heard_lhlo(struct dialog *d, const struct smtp_reply *r);
static void heard_unasked(struct dialog *d, const struct smtp_reply *r);
static void heard_envelope(struct dialog *d, const struct smtp_reply *r);
static void heard_early(struct dialog *d, const struct smtp_reply *r);
static void heard_answer(struct dialog *d, const struct smtp_reply *r);
static void heard_goodbye(struct dialog *d, const struct smtp_reply *r);

static void (*const heard[])(struct dialog *d, const struct smtp_reply *r) = {
	[DIALOG_GREETING] = heard_greeting, [DIALOG_LHLO] = heard_lhlo,
	[DIALOG_IDLE] = heard_unasked,      [DIALOG_ENVELOPE] = heard_envelope,
	[DIALOG_BODY] = heard_early,        [DIALOG_ANSWERS] = heard_answer,
	[DIALOG_QUIT] = heard_goodbye,      [DIALOG_OVER] = heard_goodbye,
};

void
dialog_init(struct dialog *d, struct str host)
{
	*d = (struct dialog){.state = DIALOG_GREETING, .host = host};
	smtp_reply_init(&d->reply);
}

/* ---- ends ---- */

static void
over(struct dialog *d, struct str why)
{
	struct buf b = BUF_ON(d->why);

	if (d->state == DIALOG_OVER)
		return;
	buf_add(&b, str_slice(why, 0, sizeof(d->why) - 1));
	if (d->parcel != NULL && !d->left)
		parcel_settle_rest(d->parcel, RC_TEMP, buf_str(&b));
	d->state = DIALOG_OVER;
}

/* It said something that has no place there: nothing it says counts from here on. */
static void
over_of(struct dialog *d, const char *what, const struct smtp_reply *r)
{
	char room[sizeof(d->why)];
	struct buf b = BUF_ON(room);

	buf_addf(&b, "%s: ", what);
	smtp_reply_print(&b, r);
	over(d, buf_str(&b));
}

/* The reply as the queue and the journal show it. */
struct said {
	char c[sizeof(((struct dialog *)NULL)->why)];
};

static struct said
words(const struct smtp_reply *r)
{
	struct said s;
	struct buf b = BUF_ON(s.c);

	smtp_reply_print(&b, r);
	return s;
}

/* A server may close what has been idle, just while we speak again: nothing is known of the
 * parcel then, and another connection may have it, once. */
static bool
is_left(const struct dialog *d)
{
	return d->state == DIALOG_ENVELOPE && d->heard == 0 && d->messages > 0 &&
	       !d->parcel->again;
}

/* 421: the server closes, whatever it was asked (RFC 5321 §3.8). */
static bool
closes(struct dialog *d, const struct smtp_reply *r)
{
	if (r->code != 421)
		return false;
	d->left = is_left(d);
	over(d, str_of(words(r).c));
	return true;
}

void
dialog_lost(struct dialog *d, const char *why, bool unsent)
{
	char room[sizeof(d->why)];
	struct buf b = BUF_ON(room);

	if (d->state == DIALOG_OVER)
		return;
	d->left = is_left(d);
	buf_add(&b, str_of(why));
	if (d->state == DIALOG_ANSWERS && !unsent)
		buf_add(&b, STR(" behind the end of the message: it may come twice"));
	over(d, buf_str(&b));
}

static void
done(struct dialog *d, bool reset)
{
	d->reset = reset;
	d->messages++;
	d->state = DIALOG_IDLE;
}

struct parcel *
dialog_take_done(struct dialog *d)
{
	struct parcel *p = d->parcel;

	if (p == NULL || (d->state != DIALOG_IDLE && d->state != DIALOG_OVER))
		return NULL;
	d->parcel = NULL;
	return p;
}

/* ---- what is heard ---- */

static void
heard_greeting(struct dialog *d, const struct smtp_reply *r)
{
	if (r->code != 220) {
		over_of(d, "greeted with", r);
		return;
	}
	d->state = DIALOG_LHLO;
	d->unsaid = true;
}

static void
heard_lhlo(struct dialog *d, const struct smtp_reply *r)
{
	if (d->unsaid || smtp_reply_rc(r) != RC_OK) {
		over_of(d, d->unsaid ? "it spoke before LHLO" : "LHLO", r);
		return;
	}
	d->offers = r->offers;
	d->proved = true;
	d->state = DIALOG_IDLE;
}

static void
heard_unasked(struct dialog *d, const struct smtp_reply *r)
{
	if (!closes(d, r))
		over_of(d, "it spoke unasked", r);
}

static void
heard_goodbye(struct dialog *d, const struct smtp_reply *r)
{
	(void)r;
	over(d, STR("closed"));
}

/* Which command of the envelope is number <i>. */
enum command { SAY_RSET, SAY_MAIL, SAY_RCPT, SAY_DATA };

static enum command
command_of(const struct dialog *d, unsigned i)
{
	unsigned first = d->reset ? 1 : 0;

	if (i < first)
		return SAY_RSET;
	if (i == first)
		return SAY_MAIL;
	return i - first <= d->to_count ? SAY_RCPT : SAY_DATA;
}

static struct aim *
aim_of(const struct dialog *d, unsigned i)
{
	return &d->parcel->aims[d->to[i - 1 - (d->reset ? 1U : 0U)]];
}

static void
heard_mail(struct dialog *d, const struct smtp_reply *r)
{
	if (smtp_reply_rc(r) != RC_OK)
		parcel_settle_rest(d->parcel, smtp_reply_rc(r), str_of(words(r).c));
}

static void
heard_rcpt(struct dialog *d, struct aim *a, const struct smtp_reply *r)
{
	enum rc rc = smtp_reply_rc(r);

	if (r->code ==
	    552) /* too many recipients, of servers that know RFC 821 alone: §4.5.3.1.10 */
		rc = RC_TEMP;
	if (rc != RC_OK) {
		parcel_settle(d->parcel, a, rc, str_of(words(r).c));
	} else if (!a->settled) {
		a->accepted = true;
		d->accepted++;
	}
}

static void
heard_data(struct dialog *d, const struct smtp_reply *r)
{
	enum rc rc = smtp_reply_rc(r);

	if (rc == RC_AGAIN && d->accepted == 0) {
		/* RFC 2033 §4.2: that must fail. To send nothing would end it, but who knows
		 * how many answers would come. */
		over_of(d, "it asks for a message without recipients", r);
	} else if (r->code == 354) {
		d->state = DIALOG_BODY;
	} else if (rc == RC_OK || rc == RC_AGAIN) {
		over_of(d, "DATA is answered with", r);
	} else {
		parcel_settle_rest(d->parcel, rc, str_of(words(r).c));
		done(d, true);
	}
}

/* Whether there is nothing to send the message to: then DATA is not said, where it has not
 * been.
 */
static bool
is_hopeless(const struct dialog *d)
{
	return d->parcel->unsettled == 0;
}

static void
heard_envelope(struct dialog *d, const struct smtp_reply *r)
{
	enum command c = command_of(d, d->heard);

	if (d->heard == d->said) {
		over_of(d, "it spoke unasked", r);
		return;
	}
	if (closes(d, r))
		return;
	if (smtp_reply_rc(r) == RC_AGAIN && c != SAY_DATA) {
		over_of(d, "it goes on where nothing follows", r);
		return;
	}
	d->heard++;
	if (c == SAY_MAIL)
		heard_mail(d, r);
	else if (c == SAY_RCPT)
		heard_rcpt(d, aim_of(d, d->heard - 1), r);
	else if (c == SAY_DATA)
		heard_data(d, r);
	else if (smtp_reply_rc(r) != RC_OK)
		over_of(d, "RSET", r);
	if (d->state == DIALOG_ENVELOPE && d->heard == d->said && is_hopeless(d))
		done(d, true);
}

/* A refusal within the message: too big, or the server is going. It may close behind it. */
static void
heard_early(struct dialog *d, const struct smtp_reply *r)
{
	enum rc rc = smtp_reply_rc(r);

	if (rc == RC_PERM)
		parcel_settle_accepted(d->parcel, rc, str_of(words(r).c));
	over_of(d, "within the message", r);
}

static struct aim *
next_accepted(const struct dialog *d)
{
	unsigned left = d->answered;

	for (unsigned i = 0; i < d->parcel->aim_count; i++)
		if (d->parcel->aims[i].accepted && left-- == 0)
			return &d->parcel->aims[i];
	return NULL;
}

static void
heard_answer(struct dialog *d, const struct smtp_reply *r)
{
	enum rc rc = smtp_reply_rc(r);
	struct aim *a = next_accepted(d);

	if (rc == RC_AGAIN || a == NULL) {
		over_of(d, "it goes on behind the message", r);
		return;
	}
	parcel_settle(d->parcel, a, rc, str_of(words(r).c));
	d->answered++;
	if (closes(d, r))
		return;
	if (d->answered == d->accepted)
		done(d, false);
}

void
dialog_hear(struct dialog *d, struct str *in, bool unsent)
{
	struct err e;

	while (in->n > 0 && d->state != DIALOG_OVER) {
		enum rc rc = smtp_reply_take(&d->reply, in, &e);

		if (rc == RC_AGAIN && d->state == DIALOG_IDLE)
			over(d, STR("it spoke unasked"));
		if (rc == RC_AGAIN)
			return;
		if (rc != RC_OK) {
			over(d, str_of(e.text));
			return;
		}
		struct smtp_reply r = d->reply;

		smtp_reply_init(&d->reply);
		d->replies++;
		if (unsent && d->state == DIALOG_ANSWERS)
			heard_early(d, &r);
		else
			heard[d->state](d, &r);
	}
}

/* ---- what is said ---- */

/* What the message needs and the server does not offer: it does not go there, however long we
 * wait. RFC 6152 §3, RFC 6531 §3.6. */
static const char *
cannot(const struct dialog *d, const struct parcel *p)
{
	bool utf8 = (p->flags & MAIL_SMTPUTF8) != 0 || p->sender_utf8;

	if (p->eight_bit && (d->offers & OFFER_8BITMIME) == 0)
		return "5.6.3 the message is 8-bit, and the server does not offer 8BITMIME";
	if (utf8 && (d->offers & OFFER_SMTPUTF8) == 0)
		return "5.6.7 the message needs SMTPUTF8, which the server does not offer";
	return NULL;
}

static bool
needs_utf8(const struct parcel *p)
{
	for (unsigned i = 0; i < p->aim_count; i++)
		if (p->aims[i].utf8 && !p->aims[i].settled)
			return true;
	return p->sender_utf8 || (p->flags & MAIL_SMTPUTF8) != 0;
}

void
dialog_begin(struct dialog *d, struct parcel *p)
{
	const char *why = cannot(d, p);

	d->parcel = p;
	d->said = d->heard = d->accepted = d->answered = d->to_count = 0;
	d->left = false;
	if (why != NULL)
		parcel_settle_rest(p, RC_PERM, str_of(why));
	for (unsigned i = 0; i < p->aim_count; i++)
		if (p->aims[i].utf8 && (d->offers & OFFER_SMTPUTF8) == 0)
			parcel_settle(p, &p->aims[i], RC_PERM,
			              STR("5.6.7 the address needs SMTPUTF8, which the server "
			                  "does not offer"));
	for (unsigned i = 0; i < p->aim_count; i++)
		if (!p->aims[i].settled)
			d->to[d->to_count++] = i;
	/* else it is done before it begins: dialog_take_done has it */
	if (d->to_count > 0)
		d->state = DIALOG_ENVELOPE;
}

/* What a client asked of the reports goes on with the message, RFC 3461 §4: a server that
 * offers DSN is where they come from then. */
static void
say_report(const struct parcel *p, struct buf *b)
{
	if ((p->flags & (MAIL_RET_FULL | MAIL_RET_HDRS)) != 0)
		buf_addf(b, " RET=%s", (p->flags & MAIL_RET_FULL) != 0 ? "FULL" : "HDRS");
	if (p->envid.n > 0) {
		buf_add(b, STR(" ENVID="));
		xtext_add(b, p->envid);
	}
}

static void
say_report_to(const struct aim *a, struct buf *b)
{
	static const char *const words[] = {"NEVER", "SUCCESS", "FAILURE", "DELAY"};
	struct str type = str_slice(a->orcpt, 0, str_find(a->orcpt, ';'));

	for (unsigned i = 0, said = 0; i < LENGTH(words); i++)
		if ((a->notify & BIT(i)) != 0)
			buf_addf(b, "%s%s", said++ == 0 ? " NOTIFY=" : ",", words[i]);
	if (a->orcpt.n > type.n) {
		struct str address = str_slice(a->orcpt, type.n + 1, a->orcpt.n);

		buf_addf(b, " ORCPT=%.*s;", STR_FMT(type));
		if (str_is_ascii(address))
			xtext_add(b, address);
		else /* it came with SMTPUTF8, and goes on with it: RFC 6533 §3 */
			buf_add(b, address);
	}
}

static void
say_mail(const struct dialog *d, struct buf *b)
{
	const struct parcel *p = d->parcel;

	buf_addf(b, "MAIL FROM:<%.*s>", STR_FMT(p->sender));
	if ((d->offers & OFFER_SIZE) != 0)
		buf_addf(b, " SIZE=%" PRIu64, p->wire);
	if (p->eight_bit)
		buf_add(b, STR(" BODY=8BITMIME"));
	if (needs_utf8(p))
		buf_add(b, STR(" SMTPUTF8"));
	if ((d->offers & OFFER_DSN) != 0)
		say_report(p, b);
	buf_add(b, STR("\r\n"));
}

static void
say_rcpt(const struct dialog *d, const struct aim *a, struct buf *b)
{
	buf_addf(b, "RCPT TO:<%.*s>", STR_FMT(a->mailbox));
	if ((d->offers & OFFER_DSN) != 0)
		say_report_to(a, b);
	buf_add(b, STR("\r\n"));
}

static void
say_command(const struct dialog *d, unsigned i, struct buf *b)
{
	switch (command_of(d, i)) {
	case SAY_RSET:
		buf_add(b, STR("RSET\r\n"));
		break;
	case SAY_MAIL:
		say_mail(d, b);
		break;
	case SAY_RCPT:
		say_rcpt(d, aim_of(d, i), b);
		break;
	case SAY_DATA:
		buf_add(b, STR("DATA\r\n"));
		break;
	}
}

static unsigned
command_count(const struct dialog *d)
{
	return (d->reset ? 1U : 0U) + 1 + d->to_count + 1;
}

/* All at once where the server offers it (RFC 2920: DATA is the last of a group), else one, and
 * its reply is awaited. */
static void
say_envelope(struct dialog *d, struct buf *b)
{
	bool at_once = (d->offers & OFFER_PIPELINING) != 0;

	while (d->said < command_count(d) && b->cap - b->n > COMMAND_MOST &&
	       (at_once || d->said == d->heard))
		say_command(d, d->said++, b);
}

static void
say_body(struct dialog *d, struct buf *b)
{
	struct err e;
	enum rc rc = parcel_body(d->parcel, b, &e);

	if (rc == RC_OK) {
		d->state = DIALOG_ANSWERS;
	} else if (rc != RC_AGAIN) {
		/* what is half said must not become a message: the connection goes */
		parcel_settle_accepted(d->parcel, rc, str_of(e.text));
		over(d, str_of(e.text));
	}
}

void
dialog_speak(struct dialog *d, struct buf *b)
{
	if (d->state == DIALOG_LHLO && d->unsaid)
		buf_addf(b, "LHLO %.*s\r\n", STR_FMT(d->host));
	else if (d->state == DIALOG_QUIT && d->unsaid)
		buf_add(b, STR("QUIT\r\n"));
	else if (d->state == DIALOG_ENVELOPE)
		say_envelope(d, b);
	else if (d->state == DIALOG_BODY)
		say_body(d, b);
	if (d->state == DIALOG_LHLO || d->state == DIALOG_QUIT)
		d->unsaid = false;
}

void
dialog_quit(struct dialog *d)
{
	d->state = DIALOG_QUIT;
	d->unsaid = true;
}
