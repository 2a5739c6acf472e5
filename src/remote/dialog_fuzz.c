/*
 * A server that says anything, in any pieces, to a client that gives parcel after parcel: each
 * recipient is settled once, none as delivered but by a 2yz of its own behind the dot, and the
 * dialog ends.
 *
 * Whose a reply is, is found out here once more, slowly: what was said and what was heard since
 * the parcel began are kept whole, and read side by side at its end.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/smtp.h"
#include "remote/dialog_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 2000U /* octets */
#define PARCELS_MOST 6U
#define ROOM (1U << 18)

/* An input octet adds a phrase, an octet of its own (OP_RAW, octet), or does one of these. */
enum op {
	OP_HOLD = 0x80, /* hear all but the last so many octets */
	OP_HEAR = 0xc0,
	OP_RAW = 0xd0,
	OP_JAM = 0xe0, /* from here on what is said does not leave, until it is done again */
	OP_LOST = 0xf0,
};

static const char *const phrases[] = {
	"250 2.1.0 ok\r\n",
	"220 peer LMTP\r\n",
	"250-peer\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250 DSN\r\n",
	"354 go\r\n",
	"250-a\r\n",
	"450 4.2.1 later\r\n",
	"550 5.1.1 no\r\n",
	"421 4.3.2 going\r\n",
	"552 5.2.2 full\r\n",
	"250 peer\r\n",
	"250-peer\r\n250 SMTPUTF8\r\n",
	"221 bye\r\n",
	"250",
	"\r\n",
	"\n",
	"x",
};

static const struct letter {
	unsigned rcpts;
	const char *body;
	uint32_t flags;
} letters[] = {
	{2,	       "Subject: x\n\n.\n", 0            },
	{1,	       "a\n",               0            },
	{3,	       "\xc3\xa9\n",        0            },
	{2,	       "",		  MAIL_SMTPUTF8},
	{PARCEL_AIMS_MAX, "no end of line",    0            },
};

struct run {
	struct dialog d;
	struct parcel *p;
	unsigned parcels;
	bool jammed;
	size_t dot; /* octets of <heard> that came before the whole message had left; 0: has not
	             */
	bool body_said;
	struct buf in;    /* not heard yet */
	struct buf heard; /* since the parcel began */
	struct buf said;  /* likewise */
	struct aim was[PARCEL_AIMS_MAX];
	char rooms[3][ROOM];
};

static void
must(bool promise)
{
	if (!promise)
		abort();
}

/* ---- the slow reading ---- */

struct slow_reply {
	unsigned code; /* 0: there is none */
	size_t end;    /* in what was heard */
};

static struct slow_reply
reply_at(struct str heard, size_t at)
{
	while (at < heard.n) {
		struct str rest = str_slice(heard, at, heard.n);
		size_t lf = str_find(rest, '\n');

		if (lf == rest.n || lf < 4)
			break;
		at += lf + 1;
		if (rest.p[3] != '-')
			return (struct slow_reply){(unsigned)(rest.p[0] - '0') * 100 +
			                                   (unsigned)(rest.p[1] - '0') * 10 +
			                                   (unsigned)(rest.p[2] - '0'),
			                           at};
	}
	return (struct slow_reply){0, heard.n};
}

/* One more reply off what was heard. */
static struct slow_reply
next_reply(const struct run *r, size_t *at)
{
	struct slow_reply reply = reply_at(buf_str(&r->heard), *at);

	*at = reply.end;
	return reply;
}

/* Which recipient a RCPT line is for, or PARCEL_AIMS_MAX. */
static unsigned
rcpt_of(const struct parcel *p, struct str line)
{
	for (unsigned i = 0; i < p->aim_count; i++) {
		struct str name = p->aims[i].mailbox;

		if (str_starts(line, STR("RCPT TO:<")) && line.n > 9 + name.n &&
		    str_eq(str_slice(line, 9, 9 + name.n), name) && line.p[9 + name.n] == '>')
			return i;
	}
	return PARCEL_AIMS_MAX;
}

/* Read both sides of the envelope; <to>: who was accepted, in order. False: no 354. */
static bool
read_envelope(const struct run *r, size_t *at, unsigned *to, unsigned *count)
{
	struct str said = buf_str(&r->said);

	while (said.n > 0) {
		size_t lf = str_find(said, '\n');
		struct str line = str_slice(said, 0, lf);
		unsigned code = next_reply(r, at).code;
		unsigned i = rcpt_of(r->p, line);

		if (str_eq(line, STR("DATA\r")))
			return code == 354;
		if (i < PARCEL_AIMS_MAX && code / 100 == 2)
			to[(*count)++] = i;
		said = str_slice(said, lf + 1, said.n);
	}
	return false;
}

/* Nobody counts as delivered whose own reply did not say so, behind the dot. */
static void
check_delivered(const struct run *r)
{
	unsigned to[PARCEL_AIMS_MAX];
	unsigned count = 0;
	size_t at = 0;
	bool good[PARCEL_AIMS_MAX] = {false};

	if (read_envelope(r, &at, to, &count) && r->dot > 0)
		for (unsigned i = 0; i < count; i++) {
			struct slow_reply reply = next_reply(r, &at);

			good[to[i]] = reply.code / 100 == 2 && reply.end > r->dot;
		}
	for (unsigned i = 0; i < r->p->aim_count; i++)
		must(r->p->aims[i].rc != RC_OK || !r->p->aims[i].settled || good[i]);
}

/* ---- what holds at all times ---- */

static void
check_settled_once(struct run *r)
{
	unsigned open = 0;

	for (unsigned i = 0; i < r->p->aim_count; i++) {
		const struct aim *a = &r->p->aims[i];
		struct aim *was = &r->was[i];

		must(!was->settled || (a->settled && a->rc == was->rc));
		must(!was->settled || strcmp(a->why, was->why) == 0);
		must(!a->settled || a->rc == RC_OK || a->rc == RC_TEMP || a->rc == RC_PERM);
		open += !a->settled;
		*was = *a;
	}
	must(open == r->p->unsettled);
}

static void
begin(struct run *r)
{
	const struct letter *l = &letters[r->parcels++ % LENGTH(letters)];

	r->p = rig_parcel(l->rcpts, str_of(l->body), l->flags);
	memset(r->was, 0, sizeof(r->was));
	buf_clear(&r->heard);
	buf_clear(&r->said);
	r->dot = 0;
	r->body_said = false;
	dialog_begin(&r->d, r->p);
}

static void
take_back(struct run *r)
{
	struct parcel *p = dialog_take_done(&r->d);

	if (p == NULL)
		return;
	must(p == r->p);
	must(r->d.left ? p->unsettled == p->aim_count && r->d.state == DIALOG_OVER
	               : p->unsettled == 0);
	r->p = parcel_free(p);
}

static void
look(struct run *r)
{
	if (r->p == NULL)
		return;
	check_settled_once(r);
	check_delivered(r);
	take_back(r);
}

/* ---- both sides ---- */

static void
speak(struct run *r)
{
	char room[4096]; /* as the connection's, that a long envelope does not fit at once */
	size_t n;

	do {
		struct buf b = BUF_ON(room);
		bool body = r->d.state == DIALOG_BODY;

		dialog_speak(&r->d, &b);
		must(!b.cut);
		n = b.n;
		if (r->p != NULL)
			buf_add(&r->said, buf_str(&b));
		r->body_said |= body && r->d.state == DIALOG_ANSWERS;
	} while (n > 0);
	must(r->d.state != DIALOG_BODY);
	if (r->body_said && !r->jammed && r->dot == 0)
		r->dot = r->heard.n;
}

static void
go_on(struct run *r)
{
	look(r);
	if (r->p == NULL && r->d.state == DIALOG_IDLE) {
		if (r->parcels < PARCELS_MOST)
			begin(r);
		else
			dialog_quit(&r->d);
	}
	look(r);
	speak(r);
	look(r);
}

static void
hear(struct run *r, size_t octets)
{
	struct str in = str_slice(buf_str(&r->in), 0, octets);
	size_t was = in.n;

	/* what it says is its at once, whether we can make sense of it yet or not */
	if (r->p != NULL)
		buf_add(&r->heard, in);
	dialog_hear(&r->d, &in, r->jammed);
	if (r->p != NULL)
		r->heard.n -= in.n; /* the beginning of a line comes again */
	was -= in.n;
	memmove(r->in.p, r->in.p + was, r->in.n - was);
	r->in.n -= was;
	go_on(r);
}

static void
lose(struct run *r)
{
	dialog_lost(&r->d, "closed by the server", r->jammed);
	must(r->d.state == DIALOG_OVER);
	go_on(r);
}

static size_t
take(struct run *r, const uint8_t *data, size_t size)
{
	uint8_t octet = data[0];

	if (octet < OP_HOLD) {
		buf_add(&r->in, str_of(phrases[octet % LENGTH(phrases)]));
	} else if (octet < OP_HEAR) {
		hear(r, r->in.n > octet % 64U ? r->in.n - octet % 64U : 0);
	} else if (octet < OP_RAW) {
		hear(r, r->in.n);
	} else if (octet < OP_JAM && size > 1) {
		buf_add(&r->in, (struct str){(const char *)data + 1, 1});
		return 2;
	} else if (octet >= OP_LOST) {
		lose(r);
	} else if (octet >= OP_JAM) {
		r->jammed = !r->jammed;
		go_on(r);
	}
	return 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	if (size > INPUT_MAX)
		return 0;
	memset(&r, 0, offsetof(struct run, rooms));
	r.in = BUF_ON(r.rooms[0]);
	r.heard = BUF_ON(r.rooms[1]);
	r.said = BUF_ON(r.rooms[2]);
	dialog_init(&r.d, STR("here.example"));
	for (size_t at = 0; at < size && r.d.state != DIALOG_OVER;)
		at += take(&r, data + at, size - at);
	hear(&r, r.in.n);
	lose(&r);
	must(r.p == NULL);
	return 0;
}
