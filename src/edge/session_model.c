/*
 * See session_model.h.
 */
#include <string.h>

#include "edge/session_model.h"
#include "proto/content_slow.h"

#define ALICE 1U
#define BOB 2U

/* clang-format off */
const struct model_phrase model_phrases[] = {
	{"EHLO client.example\r\n", ACT_HELLO, 0},
	{"MAIL FROM:<u@r.example>\r\n", ACT_MAIL, 0},
	{"RCPT TO:<alice@ours.example>\r\n", ACT_RCPT, ALICE},
	{"DATA\r\n", ACT_DATA, 0},
	{"x\r\n", ACT_TEXT, 0},
	{".\r\n", ACT_TEXT, 0},
	{"BDAT 3\r\n", ACT_BDAT, 3},
	{"BDAT 4 LAST\r\n", ACT_BDAT_LAST, 4},
	{"HELO client.example\r\n", ACT_HELLO, 0},
	{"EHLO\r\n", ACT_HELLO_BAD, 0},
	{"MAIL FROM:<> SIZE=100 BODY=8BITMIME\r\n", ACT_MAIL, 0},
	{"MAIL FROM:<> SIZE=601\r\n", ACT_MAIL_BAD, 552},
	{"MAIL FROM:<x\r\n", ACT_MAIL_BAD, 501},
	{"mail from:<u@r.example> FOO=1\r\n", ACT_MAIL_BAD, 555},
	{"RCPT TO:<bob@ours.example> NOTIFY=NEVER\r\n", ACT_RCPT, BOB},
	{"RCPT TO:<team@ours.example>\r\n", ACT_RCPT, ALICE | BOB},
	{"RCPT TO:<many@ours.example>\r\n", ACT_RCPT, ALICE},
	{"RCPT TO:<carol@ours.example>\r\n", ACT_RCPT_NOBODY, 0},
	{"RCPT TO:<u@r.example>\r\n", ACT_RCPT_RELAY, 0},
	{"RCPT TO:<@ours.example:u@r.example>\r\n", ACT_RCPT_RELAY, 0},
	{"RCPT TO:<alice@ours.example@r.example>\r\n", ACT_RCPT_BAD, 0},
	{"RCPT TO:<loop@ours.example>\r\n", ACT_RCPT_LOOP, 0},
	{"DATA now\r\n", ACT_DATA_BAD, 0},
	{"BDAT 0\r\n", ACT_BDAT, 0},
	{"BDAT 0 LAST\r\n", ACT_BDAT_LAST, 0},
	{"BDAT 700\r\n", ACT_BDAT, 700},
	{"BDAT 300 LAST\r\n", ACT_BDAT_LAST, 300},
	{"BDAT x\r\n", ACT_BDAT_BAD, 0},
	{"RSET\r\n", ACT_RSET, 0},
	{"RSET x\r\n", ACT_RSET_BAD, 0},
	{"NOOP x\r\n", ACT_NOOP, 0},
	{"VRFY alice\r\n", ACT_VRFY, 0},
	{"HELP\r\n", ACT_HELP, 0},
	{"QUIT\r\n", ACT_QUIT, 0},
	{"..\r\n", ACT_TEXT, 0},
	{"\n.\r\n", ACT_TEXT, 0},
	{"\r", ACT_TEXT, 0},
	{"\n", ACT_TEXT, 0},
	{".", ACT_TEXT, 0},
	{"x", ACT_TEXT, 0},
	{" ", ACT_TEXT, 0},
	{"\x01", ACT_TEXT, 0},
	{"Subject: x\r\n\r\n", ACT_TEXT, 0},
	{"0123456789012345678901234567890123456789012345678901234567890123456789\r\n", ACT_TEXT, 0},
	{"RCPT TO:<daemon@ours.example>\r\n", ACT_RCPT, 0},
	{"LHLO client.example\r\n", ACT_HELLO, 1},
	{"LHLO\r\n", ACT_HELLO_BAD, 1},
};
/* clang-format on */
const size_t model_phrase_count = LENGTH(model_phrases);

void
model_start(struct model *m, bool lmtp)
{
	memset(m, 0, offsetof(struct model, room));
	m->lmtp = lmtp;
	m->state = M_START;
	m->kept = BUF_ON(m->room[0]);
	m->line = BUF_ON(m->room[1]);
	m->raw = BUF_ON(m->room[2]);
	m->codes = BUF_ON(m->room[3]);
}

bool
model_in_tx(const struct model *m)
{
	return m->state == M_MAIL || m->state == M_RCPT || m->state == M_DATA ||
	       m->state == M_BDAT;
}

static void
go(struct model *m, enum model_state to)
{
	m->state = to;
	if (model_in_tx(m))
		return;
	m->mailboxes = m->accepted = m->refused = 0;
	m->wire = 0;
	buf_clear(&m->raw);
}

static void
code(struct model *m, unsigned c)
{
	buf_addf(&m->codes, "%s%u", m->codes.n > 0 ? " " : "", c);
}

static void
reply_times(struct model *m, unsigned c, unsigned times)
{
	while (times-- > 0)
		code(m, c);
	m->errors += c >= 500;
	if (m->state != M_END && m->errors >= MODEL_ERRORS_MAX) {
		code(m, 421);
		go(m, M_END);
	}
}

static void
reply(struct model *m, unsigned c)
{
	reply_times(m, c, 1);
}

/* Behind a message: with LMTP once for each recipient that was accepted, RFC 2033 §4.2. */
static unsigned
times(const struct model *m)
{
	return m->lmtp && m->accepted > 0 ? m->accepted : 1;
}

/* The last reply of the session. */
static void
leave(struct model *m, unsigned c)
{
	code(m, c);
	go(m, M_END);
}

static void
junk(struct model *m)
{
	m->errors += ++m->junk > MODEL_JUNK_MAX;
}

/* ---- content ---- */

static void
end_message(struct model *m, bool dots)
{
	struct content_slow slow = {.p = m->kept.p};
	unsigned c = 250;
	unsigned n = times(m);

	if (m->wire > MODEL_SIZE_MAX)
		c = 552;
	else if (m->mailboxes > 0 && m->spool_gone)
		c = 451;
	if (c == 250 && m->mailboxes == 0) {
		m->errors = m->junk = 0; /* all its recipients are discarded: nobody is asked */
	} else if (c == 250) {
		content_read_slowly(buf_str(&m->raw), dots, &slow);
		m->kept.n = slow.n;
		m->kept_mailboxes = m->mailboxes;
		m->commits++;
		if (m->commit_fails)
			c = 451;
		else
			m->errors = m->junk = 0;
	}
	go(m, M_READY);
	reply_times(m, c, n);
}

static void
data(struct model *m, struct str *in)
{
	struct content_slow slow = {.p = m->kept.p};
	size_t had = m->raw.n;

	buf_add(&m->raw, *in);
	content_read_slowly(buf_str(&m->raw), true, &slow);
	m->raw.n = slow.end ? slow.taken : m->raw.n;
	*in = str_slice(*in, m->raw.n - had, in->n);
	m->wire = m->raw.n - slow.framing;
	if (slow.end)
		end_message(m, true);
}

static void
end_chunk(struct model *m, struct str rest)
{
	unsigned n = m->chunk_last ? times(m) : 1;

	m->chunk_open = false;
	if (m->chunk_reply != 0) {
		if (model_in_tx(m))
			go(m, M_READY);
		reply_times(m, m->chunk_reply, n);
	} else if (!m->chunk_last) {
		m->state = M_BDAT;
		reply(m, 250);
	} else if (rest.n > 0 && !str_istarts(STR("QUIT\r\n"), rest)) {
		leave(m, 554);
	} else {
		end_message(m, false);
	}
}

static void
chunk(struct model *m, struct str *in)
{
	size_t n = in->n < m->chunk_left ? in->n : m->chunk_left;

	if (m->chunk_reply == 0)
		buf_add(&m->raw, str_slice(*in, 0, n));
	*in = str_slice(*in, n, in->n);
	m->chunk_left -= (unsigned)n;
	if (m->chunk_left == 0)
		end_chunk(m, *in);
}

/* ---- commands ---- */

static unsigned
no_recipient(const struct model *m)
{
	return m->refused > 0 ? 554 : 503;
}

static void
bdat(struct model *m, unsigned octets, bool last, struct str rest)
{
	m->chunk_reply = 0;
	if (!model_in_tx(m))
		m->chunk_reply = 503;
	else if (m->accepted == 0)
		m->chunk_reply = no_recipient(m);
	else if (m->wire + octets > MODEL_SIZE_MAX)
		m->chunk_reply = 552;
	else if (octets == 0 && !last)
		junk(m);
	if (m->chunk_reply == 0)
		m->wire += octets;
	m->chunk_open = true;
	m->chunk_last = last;
	m->chunk_left = octets;
	if (octets == 0)
		end_chunk(m, rest);
}

static void
mail(struct model *m, const struct model_phrase *p)
{
	if (m->state != M_READY) {
		reply(m, 503);
	} else if (p->act == ACT_MAIL_BAD) {
		reply(m, p->arg);
	} else if (m->spool_gone) {
		reply(m, 451);
	} else {
		m->state = M_MAIL;
		reply(m, 250);
	}
}

static void
rcpt(struct model *m, enum model_act act, unsigned mailboxes)
{
	static const unsigned refusals[] = {
		[ACT_RCPT_NOBODY] = 550,
		[ACT_RCPT_RELAY] = 554,
		[ACT_RCPT_BAD] = 501,
		[ACT_RCPT_LOOP] = 451,
	};
	bool asks = act == ACT_RCPT || act == ACT_RCPT_NOBODY || act == ACT_RCPT_LOOP;

	if (m->state != M_MAIL && m->state != M_RCPT) {
		reply(m, 503);
		return;
	}
	if (asks && m->vault_full) {
		reply(m, 451);
		return;
	}
	m->asks += asks;
	if (act == ACT_RCPT) {
		m->state = M_RCPT;
		m->accepted++;
		m->mailboxes |= mailboxes;
		reply(m, 250);
	} else {
		m->refused++;
		reply(m, refusals[act]);
	}
}

static void
start_data(struct model *m, enum model_act act, struct str rest)
{
	if (m->state != M_MAIL && m->state != M_RCPT) {
		reply(m, 503);
	} else if (rest.n > 0) {
		leave(m, 554);
	} else if (act == ACT_DATA_BAD) {
		go(m, M_READY);
		reply(m, 501);
	} else if (m->accepted == 0) {
		unsigned c = no_recipient(m);

		go(m, M_READY);
		reply(m, c);
	} else {
		m->state = M_DATA;
		code(m, 354);
	}
}

static void
hello(struct model *m, enum model_act act, struct str rest)
{
	if (rest.n > 0) {
		leave(m, 554);
		return;
	}
	junk(m);
	if (act == ACT_HELLO)
		go(m, M_READY);
	reply(m, act == ACT_HELLO ? 250 : 501);
}

static void
side(struct model *m, enum model_act act)
{
	junk(m);
	if (act == ACT_RSET && m->state != M_START)
		go(m, M_READY);
	reply(m, act == ACT_RSET_BAD ? 501
	         : act == ACT_VRFY   ? 252
	         : act == ACT_HELP   ? 214
	                             : 250);
}

static void
nonsense(struct model *m, struct str line)
{
	size_t space = str_find(line, ' ');
	size_t colon = str_find(line, ':');

	if (!str_is_printable(line) || line.n == 0)
		reply(m, 500);
	else if (colon > 0 && colon < space)
		leave(m, 221);
	else
		reply(m, 502);
}

static void
act(struct model *m, const struct model_phrase *p, struct str rest)
{
	if (p->act <= ACT_HELLO_BAD && (p->arg == 1) != m->lmtp)
		reply(m, 502);
	else if (p->act <= ACT_HELLO_BAD)
		hello(m, p->act, rest);
	else if (p->act <= ACT_MAIL_BAD)
		mail(m, p);
	else if (p->act <= ACT_RCPT_LOOP)
		rcpt(m, p->act, p->arg);
	else if (p->act <= ACT_DATA_BAD)
		start_data(m, p->act, rest);
	else if (p->act <= ACT_BDAT_LAST)
		bdat(m, p->arg, p->act == ACT_BDAT_LAST, rest);
	else if (p->act == ACT_BDAT_BAD)
		leave(m, 501);
	else if (p->act == ACT_QUIT)
		leave(m, 221);
	else
		side(m, p->act);
}

static void
command(struct model *m, struct str line, struct str rest)
{
	if (line.n + 1 > 2048) { /* with its LF */
		reply(m, 500);
		return;
	}
	if (line.n == 0 || line.p[line.n - 1] != '\r') {
		leave(m, 500);
		return;
	}
	line = str_slice(line, 0, line.n - 1);
	struct str trimmed = str_is_printable(line) ? str_trim(line) : line;
	for (size_t i = 0; i < model_phrase_count; i++) {
		const struct model_phrase *p = &model_phrases[i];
		struct str text = str_of(p->text);

		if (p->act != ACT_TEXT && str_eq(trimmed, str_slice(text, 0, text.n - 2))) {
			act(m, p, rest);
			return;
		}
	}
	nonsense(m, trimmed);
}

static void
line(struct model *m, struct str *in)
{
	size_t lf = str_find(*in, '\n');
	char room[MODEL_OCTETS_MAX];
	struct buf whole = BUF_ON(room);

	buf_add(&m->line, str_slice(*in, 0, lf));
	if (lf == in->n) {
		*in = STR_NONE;
		return;
	}
	*in = str_slice(*in, lf + 1, in->n);
	buf_add(&whole, buf_str(&m->line));
	buf_clear(&m->line);
	command(m, buf_str(&whole), *in);
}

void
model_burst(struct model *m, struct str in)
{
	while (in.n > 0 && m->state != M_END) {
		if (m->state == M_DATA)
			data(m, &in);
		else if (m->chunk_open)
			chunk(m, &in);
		else
			line(m, &in);
	}
}
