/*
 * The verbs of SMTP as a table, and their functions. A function answers; the state it leads to
 * stands in its row, and session_settle alone goes there.
 */
#include <assert.h>
#include <stdlib.h>

#include "cfg/cfg.h"
#include "edge/body.h"
#include "edge/decide.h"
#include "edge/local.h"
#include "edge/verbs.h"
#include "policy/rcpt.h"
#include "policy/relay.h"
#include "proto/smtp.h"

static struct reply verb_ehlo(struct session *s, struct str arg);
static struct reply verb_lhlo(struct session *s, struct str arg);
static struct reply verb_helo(struct session *s, struct str arg);
static struct reply verb_mail(struct session *s, struct str arg);
static struct reply verb_rcpt(struct session *s, struct str arg);
static struct reply verb_data(struct session *s, struct str arg);
static struct reply verb_bdat(struct session *s, struct str arg);
static struct reply verb_bdat_unasked(struct session *s, struct str arg);
static struct reply verb_rset(struct session *s, struct str arg);
static struct reply verb_noop(struct session *s, struct str arg);
static struct reply verb_vrfy(struct session *s, struct str arg);
static struct reply verb_help(struct session *s, struct str arg);
static struct reply verb_quit(struct session *s, struct str arg);

#define ANYTIME (IN(START) | GREETED)
#define SYNC VERB_SYNC
#define JUNK VERB_JUNK
#define BARE VERB_BARE
#define INNER VERB_INNER
#define SMTP VERB_SMTP
#define LMTP VERB_LMTP
#define EACH VERB_EACH

/* clang-format off */
/* Who may say what, when, and where it leads: RFC 5321 §4.1.4. A failed DATA or BDAT ends its
 * transaction, so that nothing of it can leak into the next one (STATE-01, STATE-02). */
const struct verb verbs[] = {
	/* name       in                          2yz, 3yz  4yz, 5yz  flags        stage      run */
	{"greeting",  IN(CONNECT),                ST_START, ST_SAME,  INNER,       "connect", NULL,              "RFC 5321 §3.1"},
	{"EHLO",      ANYTIME,                    ST_READY, ST_SAME,  SYNC|JUNK|SMTP, "helo", verb_ehlo,         "RFC 5321 §4.1.1.1"},
	{"HELO",      ANYTIME,                    ST_READY, ST_SAME,  SYNC|JUNK|SMTP, "helo", verb_helo,         "RFC 5321 §4.1.1.1"},
	{"LHLO",      ANYTIME,                    ST_READY, ST_SAME,  SYNC|JUNK|LMTP, "helo", verb_lhlo,         "RFC 2033 §4.1"},
	{"MAIL",      IN(READY),                  ST_MAIL,  ST_SAME,  0,           "mail",    verb_mail,         "RFC 5321 §4.1.1.2"},
	{"RCPT",      IN(MAIL) | IN(RCPT),        ST_RCPT,  ST_SAME,  0,           "rcpt",    verb_rcpt,         "RFC 5321 §4.1.1.3"},
	{"DATA",      IN(MAIL) | IN(RCPT),        ST_DATA,  ST_READY, SYNC | BARE, "data",    verb_data,         "RFC 5321 §4.1.1.4"},
	{".",         IN(DATA),                   ST_READY, ST_READY, INNER|EACH,  "data",    body_end,          "RFC 5321 §4.1.1.4"},
	{"BDAT",      IN(MAIL)|IN(RCPT)|IN(BDAT), ST_BDAT,  ST_READY, 0,           "data",    verb_bdat,         "RFC 3030 §2"},
	{"LAST",      IN(RCPT) | IN(BDAT),        ST_READY, ST_READY, INNER|EACH,  "data",    body_end,          "RFC 3030 §2"},
	{"BDAT",      IN(START) | IN(READY),      ST_SAME,  ST_SAME,  0,           "data",    verb_bdat_unasked, "RFC 3030 §2"},
	{"RSET",      IN(START),                  ST_START, ST_SAME,  JUNK | BARE, "rset",    verb_rset,         "RFC 5321 §4.1.1.5"},
	{"RSET",      GREETED,                    ST_READY, ST_SAME,  JUNK | BARE, "rset",    verb_rset,         "RFC 5321 §4.1.1.5"},
	{"NOOP",      ANYTIME,                    ST_SAME,  ST_SAME,  JUNK,        "noop",    verb_noop,         "RFC 5321 §4.1.1.9"},
	{"VRFY",      ANYTIME,                    ST_SAME,  ST_SAME,  JUNK,        "vrfy",    verb_vrfy,         "RFC 5321 §4.1.1.6"},
	{"HELP",      ANYTIME,                    ST_SAME,  ST_SAME,  JUNK,        "help",    verb_help,         "RFC 5321 §4.1.1.8"},
	{"QUIT",      ANYTIME,                    ST_SAME,  ST_SAME,  BARE,        "quit",    verb_quit,         "RFC 5321 §4.1.1.10"},
};
/* clang-format on */
const size_t verb_count = LENGTH(verbs);

/* What a state is called in the log, and what one says who spoke out of turn. */
static const struct {
	const char *name;
	const char *hint;
} states[ST_COUNT] = {
	[ST_CONNECT] = {"connect", "wait for the greeting"                },
	[ST_START] = {"start",   "say EHLO or HELO first"               },
	[ST_READY] = {"ready",   "say MAIL first"                       },
	[ST_MAIL] = {"mail",    "not now: say RCPT or RSET"            },
	[ST_RCPT] = {"rcpt",    "not now: say RCPT, DATA, BDAT or RSET"},
	[ST_DATA] = {"data",    "not within a message"                 },
	[ST_BDAT] = {"bdat",    "not now: say BDAT or RSET"            },
	[ST_END] = {"end",     "the session has ended"                },
};

/* What EHLO offers, in its lines' order; a `%` is the message size. */
static const char *const offers[] = {
	"PIPELINING",          /* RFC 2920 */
	"SIZE %",              /* RFC 1870 */
	"8BITMIME",            /* RFC 6152 */
	"SMTPUTF8",            /* RFC 6531 */
	"CHUNKING",            /* RFC 3030 */
	"ENHANCEDSTATUSCODES", /* RFC 2034 */
	"DSN",                 /* RFC 3461 */
	"HELP",
};

const char *
state_name(enum state st)
{
	return states[st].name;
}

/* ---- finding the row ---- */

const struct verb *
verb_inner(const char *name)
{
	for (size_t i = 0; i < verb_count; i++)
		if ((verbs[i].flags & INNER) != 0 &&
		    str_eq(str_of(verbs[i].name), str_of(name)))
			return &verbs[i];
	return NULL;
}

/* Whether the service has that row at all. */
static bool
is_spoken(const struct session *s, const struct verb *v)
{
	bool lmtp = s->service == SERVICE_LMTP;

	return (v->flags & (unsigned)(INNER | (lmtp ? SMTP : LMTP))) == 0;
}

unsigned
verb_replies(const struct session *s)
{
	bool last =
		(s->verb->flags & EACH) != 0 ||
		(s->verb->run == verb_bdat && s->chunk_last); /* it failed: LAST all the same */

	if (s->service != SERVICE_LMTP || !last || s->tx == NULL || s->tx->accepted == 0)
		return 1;
	return s->tx->accepted;
}

/* The row of that name for the present state; *ret_known where there is one for any. */
static const struct verb *
find(const struct session *s, struct str name, bool *ret_known)
{
	*ret_known = false;
	for (size_t i = 0; i < verb_count; i++) {
		if (!is_spoken(s, &verbs[i]) || !str_ieq(str_of(verbs[i].name), name))
			continue;
		*ret_known = true;
		if ((verbs[i].in & BIT(s->state)) != 0)
			return &verbs[i];
	}
	return NULL;
}

static const char *
hint(const struct session *s)
{
	if (s->service == SERVICE_LMTP && s->state == ST_START)
		return "say LHLO first";
	return states[s->state].hint;
}

/* A web client that was led here, or a mail header: someone speaks through somebody else. */
static bool
is_not_smtp(struct str verb)
{
	static const char *const others[] = {"GET",  "POST",    "PUT",
	                                     "HEAD", "CONNECT", "OPTIONS"};
	size_t colon = str_find(verb, ':');

	for (size_t i = 0; i < LENGTH(others); i++)
		if (str_ieq(verb, str_of(others[i])))
			return true;
	return colon > 0 && colon < verb.n;
}

static void
count_junk(struct session *s)
{
	if (++s->junk > s->env->cfg->smtp_max_junk)
		s->errors++;
}

struct reply
verb_say(struct session *s, struct str line)
{
	struct smtp_command c;
	const struct smtp_problem *p = smtp_split(line, &c);
	bool known;

	static const struct verb none = {
		.next = ST_SAME, .failed = ST_SAME, .stage = "command"};
	s->verb = &none;
	if (p != NULL)
		return (struct reply){.code = p->code, .dsn = p->dsn, .text = p->text};
	const struct verb *v = find(s, c.verb, &known);
	if (!known && is_not_smtp(c.verb))
		return session_end(s, REASON_not_smtp);
	if (!known)
		return (struct reply){
			.code = 502, .dsn = "5.5.1", .text = "command not implemented"};
	if (v == NULL)
		return (struct reply){.code = 503, .dsn = "5.5.1", .text = hint(s)};
	s->verb = v;
	if ((v->flags & SYNC) != 0 && session_spoke_early(s, STR_NONE))
		return REPLY_LATER;
	if ((v->flags & JUNK) != 0)
		count_junk(s);
	if ((v->flags & BARE) != 0 && c.arg.n > 0)
		return (struct reply){
			.code = 501, .dsn = "5.5.4", .text = "this command has no argument"};
	return v->run(s, c.arg);
}

/* ---- greetings ---- */

static void
greeting_lines(const struct session *s, struct buf *b)
{
	buf_addf(b, "220 %.*s %s\r\n", STR_FMT(s->env->cfg->hostname),
	         s->service == SERVICE_LMTP ? "LMTP" : "ESMTP");
}

struct reply
verb_greet(struct session *s)
{
	s->verb = verb_inner("greeting");
	return (struct reply){.code = 220, .lines = greeting_lines};
}

static void
helo_lines(const struct session *s, struct buf *b)
{
	buf_addf(b, "250 %.*s\r\n", STR_FMT(s->env->cfg->hostname));
}

static void
ehlo_lines(const struct session *s, struct buf *b)
{
	buf_addf(b, "250-%.*s\r\n", STR_FMT(s->env->cfg->hostname));
	local_offers(s, b);
	for (size_t i = 0; i < LENGTH(offers); i++) {
		struct str rest = str_of(offers[i]);
		struct str word;

		(void)str_cut(&rest, '%', &word); /* no offer is empty */
		buf_addf(b, "250%c%.*s", i + 1 < LENGTH(offers) ? '-' : ' ', STR_FMT(word));
		if (word.n > 0 && word.p[word.n - 1] == ' ')
			buf_addf(b, "%llu", (unsigned long long)s->env->cfg->message_size);
		buf_add(b, STR("\r\n"));
	}
}

static struct reply
greet_back(struct session *s, struct str arg, bool esmtp)
{
	struct smtp_helo h;
	const struct smtp_problem *p = smtp_helo_parse(arg, &h);

	if (p != NULL)
		return (struct reply){.code = p->code, .dsn = p->dsn, .text = p->text};
	char *name = malloc(h.name.n + 1);
	if (name == NULL)
		return reason_reply(REASON_no_memory);
	struct buf b = {.p = name, .cap = h.name.n + 1};
	buf_add(&b, h.name);
	free(s->helo);
	s->helo = name;
	s->esmtp = esmtp;
	return (struct reply){.code = 250, .lines = esmtp ? ehlo_lines : helo_lines};
}

static struct reply
verb_ehlo(struct session *s, struct str arg)
{
	return greet_back(s, arg, true);
}

static struct reply
verb_lhlo(struct session *s, struct str arg)
{
	return greet_back(s, arg, true);
}

static struct reply
verb_helo(struct session *s, struct str arg)
{
	return greet_back(s, arg, false);
}

/* ---- the envelope ---- */

/* Why nobody's message is taken now, or this one's. */
static enum reason
mail_refusal(const struct session *s, const struct smtp_mail *m)
{
	const struct session_env *env = s->env;

	if (s->messages >= env->cfg->smtp_max_session)
		return REASON_too_many_messages;
	if (m->size > env->cfg->message_size)
		return REASON_too_big;
	if (env->link(env->arg, SPOOL, 0) == 0)
		return REASON_trouble;
	return env->spool_full ? REASON_disk_full : REASON_NONE;
}

static struct reply
verb_mail(struct session *s, struct str arg)
{
	struct smtp_mail m;
	const struct smtp_problem *p = smtp_mail_parse(arg, &m);

	s->id = id_make(&s->env->ids, s->env->wall_us);
	if (p != NULL)
		return decide_problem(s, p, arg);
	s->tx = tx_new(s->env, s->id, &m);
	if (s->tx == NULL)
		return decide(s, REASON_no_memory, STR_NONE);
	enum reason why = mail_refusal(s, &m);
	if (why != REASON_NONE)
		return decide(s, why, STR_NONE);
	if (s->who == IDENTITY_LOCAL)
		return local_ask_sender(s, &m.from);
	return (struct reply){.code = 250, .dsn = "2.1.0", .text = "sender noted"};
}

static struct reply
ask_vault(struct session *s, const struct smtp_rcpt *r, struct str domain, struct str to)
{
	struct session_env *env = s->env;
	struct msg m = {
		.no = MSG_rcpt_ask,
		.rcpt_ask = {.session = s->number,
	                     .ask = ++s->ask,
	                     .local = str_of(r->to.address.local),
	                     .domain = domain}
        };

	if (!tx_ask(s->tx, r))
		return decide(s, REASON_no_memory, to);
	if (!env->send(env->arg, VAULT, 0, &m))
		return decide(s, REASON_trouble, to);
	return session_await(s, AWAIT_RCPT, env->link(env->arg, VAULT, 0));
}

static enum relay
authority(const struct session *s, const struct path *to, struct str *ret_domain)
{
	struct netaddr local = {{[15] = 1}}; /* ::1, ours in any case */

	/* asked for only where it matters; where it cannot be told, nothing more is ours */
	if (to->address.domain.is_literal)
		(void)s->env->local(s->env->arg, s->conn, &local);
	return relay_authority(s->who, to, s->env->ours, &local, ret_domain);
}

static struct reply
verb_rcpt(struct session *s, struct str arg)
{
	char room[MAILBOX_MAX + 1];
	struct buf to = BUF_ON(room);
	struct smtp_rcpt r;
	struct str domain;
	const struct smtp_problem *p =
		smtp_rcpt_parse(arg, (s->tx->flags & MAIL_SMTPUTF8) != 0, &r);

	if (p != NULL) {
		s->tx->refused++;
		return decide_problem(s, p, arg);
	}
	address_print(&to, &r.to.address);
	if (s->tx->accepted >= s->env->cfg->smtp_max_rcpt)
		return decide(s, REASON_too_many_rcpts, buf_str(&to));
	if (authority(s, &r.to, &domain) != RELAY_LOCAL) {
		s->tx->refused++;
		return decide(
			s, s->who == IDENTITY_LOCAL ? REASON_not_sent_out : REASON_relay_denied,
			buf_str(&to));
	}
	return ask_vault(s, &r, domain, buf_str(&to));
}

/* Each verdict of policy/rcpt.h; NOT_OURS would be our own list and vault's at odds. */
static enum reason
verdict_reason(unsigned verdict)
{
	static const enum reason reasons[] = {
		[RCPT_MAILBOXES] = REASON_NONE,   [RCPT_NO_SUCH] = REASON_no_such_user,
		[RCPT_NOT_OURS] = REASON_trouble, [RCPT_LOOP] = REASON_alias_loop,
		[RCPT_TROUBLE] = REASON_trouble,  [RCPT_DISCARD] = REASON_rcpt_discarded,
	};

	return verdict < LENGTH(reasons) ? reasons[verdict] : REASON_trouble;
}

struct reply
verb_rcpt_answer(struct session *s, const struct msg_rcpt_answer *a)
{
	struct tx *t = s->tx;
	struct list targets = a->targets;
	struct item_target target;
	enum reason why = verdict_reason(a->verdict);

	while (why == REASON_NONE && item_next_target(&targets, &target))
		why = tx_add(t, target.mailbox);
	if (why == REASON_NONE && a->more)
		return REPLY_LATER;
	if (why == REASON_NONE && !t->asked_any)
		why = REASON_trouble; /* mailboxes, but none: somebody's mistake loses no mail
		                       */
	char room[MAILBOX_MAX + 1];
	struct buf to = BUF_ON(room);
	address_print(&to, &t->asking->to.address);
	/* this recipient alone, and the client cannot tell it from the others */
	if (why == REASON_rcpt_discarded)
		(void)decide(s, why, buf_str(&to));
	bool good = why == REASON_NONE || why == REASON_rcpt_discarded;
	if (good && s->who == IDENTITY_LOCAL)
		return local_ask_rate(s);
	if (good) {
		t->accepted++;
		return (struct reply){.code = 250, .dsn = "2.1.5", .text = "recipient noted"};
	}
	tx_refuse(t);
	return decide(s, why, buf_str(&to));
}

/* ---- content ---- */

/* 554 where all recipients were refused, so that a client that pipelines learns it; 503 where
 * there was none. */
static struct reply
no_recipient(struct session *s)
{
	if (s->tx->refused > 0)
		return decide(s, REASON_no_valid_rcpt, STR_NONE);
	return (struct reply){.code = 503, .dsn = "5.5.1", .text = "say RCPT first"};
}

static struct reply
verb_data(struct session *s, struct str arg)
{
	(void)arg;
	if (s->tx->accepted == 0)
		return no_recipient(s);
	if (!body_begin(s, CONTENT_DATA))
		return decide(s, REASON_no_memory, STR_NONE);
	return (struct reply){.code = 354, .text = "end with <CR><LF>.<CR><LF>"};
}

/* The chunk that follows a refused BDAT is on its way already (RFC 3030 §2): it is read, up to
 * a limit, and the refusal comes behind it. */
static struct reply
refuse_chunk(struct session *s, const struct smtp_bdat *d, struct reply r)
{
	uint64_t most = s->env->cfg->message_size + SMTP_SIZE_SLACK;

	s->discarded = d->size > most ? most + 1 : s->discarded + d->size;
	if (s->discarded > most)
		r.close = true;
	if (d->size == 0 || r.close)
		return r;
	s->chunk_open = true;
	s->chunk_left = d->size;
	s->chunk_reply = r;
	return REPLY_LATER;
}

/* Nobody knows where the next command starts. */
static struct reply
bad_bdat(struct session *s, const struct smtp_problem *p, struct str arg)
{
	struct reply r = {.code = p->code, .dsn = p->dsn, .text = p->text};

	if (s->tx != NULL)
		r = decide_problem(s, p, arg);
	r.close = true;
	return r;
}

static struct reply
verb_bdat_unasked(struct session *s, struct str arg)
{
	struct smtp_bdat d;
	const struct smtp_problem *p = smtp_bdat_parse(arg, &d);

	if (p != NULL)
		return bad_bdat(s, p, arg);
	return refuse_chunk(s, &d,
	                    (struct reply){.code = 503, .dsn = "5.5.1", .text = hint(s)});
}

static struct reply
verb_bdat(struct session *s, struct str arg)
{
	struct smtp_bdat d;
	const struct smtp_problem *p = smtp_bdat_parse(arg, &d);
	struct tx *t = s->tx;

	s->chunk_last = false;
	if (p != NULL)
		return bad_bdat(s, p, arg);
	s->chunk_last = d.last;
	if (t->accepted == 0)
		return refuse_chunk(s, &d, no_recipient(s));
	if (t->since_ms == 0 && !body_begin(s, CONTENT_BDAT))
		return refuse_chunk(s, &d, decide(s, REASON_no_memory, STR_NONE));
	if (d.size > s->env->cfg->message_size - t->wire)
		return refuse_chunk(s, &d, decide(s, REASON_too_big, STR_NONE));
	if (d.size == 0 && !d.last)
		count_junk(s);
	s->chunk_open = true;
	s->chunk_left = d.size;
	s->chunk_reply = REPLY_LATER;
	return REPLY_LATER;
}

/* ---- the rest ---- */

static struct reply
verb_rset(struct session *s, struct str arg)
{
	(void)s;
	(void)arg;
	return (struct reply){.code = 250, .dsn = "2.0.0", .text = "forgotten"};
}

static struct reply
verb_noop(struct session *s, struct str arg)
{
	(void)s;
	(void)arg;
	return (struct reply){.code = 250, .dsn = "2.0.0", .text = "nothing done"};
}

/* Who has a mailbox is told to nobody: RFC 5321 §3.5.3 and §7.3. */
static struct reply
verb_vrfy(struct session *s, struct str arg)
{
	(void)s;
	(void)arg;
	return (struct reply){
		.code = 252, .dsn = "2.5.2", .text = "send mail and see, I do not tell"};
}

static void
help_lines(const struct session *s, struct buf *b)
{
	buf_add(b, STR("214 2.0.0"));
	for (size_t i = 0; i < verb_count; i++) {
		bool first = true;

		for (size_t j = 0; j < i; j++)
			first = first && !str_eq(str_of(verbs[i].name), str_of(verbs[j].name));
		if (first && is_spoken(s, &verbs[i]))
			buf_addf(b, " %s", verbs[i].name);
	}
	buf_add(b, STR("\r\n"));
}

static struct reply
verb_help(struct session *s, struct str arg)
{
	(void)s;
	(void)arg;
	return (struct reply){.code = 214, .lines = help_lines};
}

static struct reply
verb_quit(struct session *s, struct str arg)
{
	(void)arg;
	s->parted = s->in.n == 0;
	return (struct reply){.code = 221, .close = true, .dsn = "2.0.0", .text = "goodbye"};
}
