/*
 * See session_rig.h.
 */
#include <assert.h>
#include <string.h>

#include "edge/hash.h"
#include "edge/session_rig.h"
#include "policy/rcpt.h"
#include "proto/smtp.h"

static const struct str our_names[] = {
	{"mail.ours.example", 17},
        {"ours.example",      12}
};

static uint32_t
rig_link(void *arg, enum proc to, unsigned index)
{
	const struct rig *r = arg;

	(void)index;
	return (r->gone & (unsigned)to) != 0 ? 0 : r->link;
}

static void
copy(char *to, size_t cap, struct str s)
{
	struct buf b = {.p = to, .cap = cap};

	to[0] = '\0';
	buf_add(&b, s);
}

static void
add_rcpts(struct rig_mail *mail, struct list rcpts)
{
	struct item_rcpt item;
	struct buf mailboxes = {.p = mail->mailboxes,
	                        .n = strlen(mail->mailboxes),
	                        .cap = sizeof(mail->mailboxes)};
	struct buf origs = {
		.p = mail->origs, .n = strlen(mail->origs), .cap = sizeof(mail->origs)};

	while (item_next_rcpt(&rcpts, &item)) {
		assert(item.n == mail->rcpts++);
		buf_addf(&mailboxes, "%.*s,", STR_FMT(item.mailbox));
		buf_addf(&origs, "%.*s,", STR_FMT(item.orig));
	}
}

/* The first words of a message: forget the one before. */
static void
start_mail(struct rig_mail *mail)
{
	if (mail->begun)
		return;
	mail->begun = true;
	mail->rcpts = 0;
	mail->mailboxes[0] = '\0';
	mail->origs[0] = '\0';
}

static void
got_rcpts(struct rig_mail *mail, struct list rcpts)
{
	start_mail(mail);
	add_rcpts(mail, rcpts);
}

static void
got_commit(struct rig_mail *mail, const struct msg_mail_commit *m)
{
	start_mail(mail);
	mail->begun = false;
	mail->id = m->id;
	mail->flags = m->flags;
	mail->size = m->size;
	mail->hash = m->hash;
	copy(mail->sender, sizeof(mail->sender), m->sender);
	copy(mail->origin, sizeof(mail->origin), m->origin);
	add_rcpts(mail, m->rcpts);
	if ((m->flags & MAIL_IN_FILE) == 0) {
		buf_clear(&mail->body);
		buf_add(&mail->body, m->body);
	}
	assert(mail->size == mail->body.n && mail->hash == hash_once(buf_str(&mail->body)));
}

static void
asked_of_user(struct rig_asked *asked, const struct msg *m)
{
	if (m->no == MSG_rate_ask) {
		asked->ask = m->rate_ask.ask;
		asked->uid = m->rate_ask.uid;
		copy(asked->user, sizeof(asked->user), m->rate_ask.user);
		return;
	}
	asked->ask = m->sender_ask.ask;
	asked->uid = m->sender_ask.uid;
	copy(asked->local, sizeof(asked->local), m->sender_ask.local);
	copy(asked->domain, sizeof(asked->domain), m->sender_ask.domain);
}

/* Each request as its receiver would keep it. Real receivers decode it first: so do we. */
static void
got(struct rig *r, const struct msg *m)
{
	struct rig_asked asked = {.no = m->no};

	if (m->no == MSG_rcpt_ask) {
		asked.ask = m->rcpt_ask.ask;
		copy(asked.local, sizeof(asked.local), m->rcpt_ask.local);
	} else if (m->no == MSG_sender_ask || m->no == MSG_rate_ask) {
		asked_of_user(&asked, m);
		r->last_asked = asked;
	} else if (m->no == MSG_body_item) {
		asked.id = m->body_item.id;
		if (r->file_size == 0)
			buf_clear(&r->mail.body);
		buf_add(&r->mail.body, m->body_item.octets);
		r->file_size += m->body_item.octets.n;
	} else if (m->no == MSG_body_end) {
		asked.id = m->body_end.id;
		assert(m->body_end.size == r->file_size);
		r->file_size = 0;
	} else if (m->no == MSG_body_drop) {
		r->file_size = 0;
		return;
	} else if (m->no == MSG_mail_rcpts) {
		got_rcpts(&r->mail, m->mail_rcpts.rcpts);
		return;
	} else if (m->no == MSG_mail_drop) {
		r->mail.begun = false;
		return;
	} else if (m->no == MSG_mail_commit) {
		asked.id = m->mail_commit.id;
		got_commit(&r->mail, &m->mail_commit);
	} else if (m->no != MSG_conn_open) {
		return;
	}
	assert(r->asked_n < RIG_ASKED_MAX);
	r->asked[r->asked_n++] = asked;
}

static bool
rig_send(void *arg, enum proc to, unsigned index, const struct msg *m)
{
	static char wire[MSG_OCTETS_MAX + 1];
	struct rig *r = arg;
	struct buf b = BUF_ON(wire);
	struct msg decoded;
	struct err e;
	int fd;

	(void)index;
	if (((r->gone | r->full) & (unsigned)to) != 0)
		return false;
	if (m->no == MSG_mail_commit && r->commits_fail)
		return false;
	assert(msg_encode(EDGE, to, m, &b, &fd, &e) == RC_OK);
	assert(msg_decode(EDGE, to, buf_str(&b), -1, &decoded, &e) == RC_OK);
	r->count[m->no]++;
	got(r, &decoded);
	return true;
}

static bool
rig_local(void *arg, void *conn, struct netaddr *ret)
{
	(void)arg;
	(void)conn;
	return netaddr_parse(STR("192.0.2.25"), ret);
}

static void
rig_journal(void *arg, uint64_t id, struct str fields)
{
	struct rig *r = arg;

	assert(id != 0);
	r->decisions++;
	copy(r->decision, sizeof(r->decision), fields);
}

static void
start(struct rig *r, enum cfg_service service, const struct netaddr *client)
{
	memset(r, 0, offsetof(struct rig, out_room));
	r->cfg = (struct cfg){.hostname = STR("mail.ours.example"),
	                      .writers = 2,
	                      .message_size = 100000,
	                      .smtp_max_rcpt = 100,
	                      .smtp_idle = 300,
	                      .smtp_data_rate = 128,
	                      .smtp_data_grace = 120,
	                      .smtp_max_errors = 20,
	                      .smtp_max_junk = 100,
	                      .smtp_max_session = 1000,
	                      .max_hops = 50};
	r->ours = (struct relay_ours){
		.names = our_names, .name_count = LENGTH(our_names), .home = our_names[1]};
	r->env = (struct session_env){.cfg = &r->cfg,
	                              .ours = &r->ours,
	                              .now_ms = 1000000,
	                              .wall_us = 1700000000000000,
	                              .link = rig_link,
	                              .send = rig_send,
	                              .local = rig_local,
	                              .journal = rig_journal,
	                              .arg = r};
	r->link = 7;
	r->out = BUF_ON(r->out_room);
	r->mail.body = BUF_ON(r->body_room);
	r->s = session_new(&r->env, 0x4f1c0001, client, service, NULL);
	assert(r->s != NULL);
}

void
rig_start(struct rig *r)
{
	rig_start_with(r, SERVICE_SMTP);
}

void
rig_start_with(struct rig *r, enum cfg_service service)
{
	struct netaddr client = {{0}};

	assert(netaddr_parse(STR("203.0.113.9"), &client));
	start(r, service, &client);
}

void
rig_start_local(struct rig *r, uint32_t uid)
{
	struct netaddr client = netaddr_local(uid);

	start(r, SERVICE_LOCAL, &client);
	r->user = "www-data";
}

void
rig_stop(struct rig *r)
{
	r->s = session_free(r->s);
	assert(r->env.tx_octets == 0);
}

/* ---- answers ---- */

/* clang-format off */
static const struct known {
	const char *local;
	enum rcpt_verdict verdict;
	bool twice; /* in two answers */
	const char *targets[2];
} known[] = {
	{"alice",      RCPT_MAILBOXES, false, {"alice@ours.example", NULL}},
	{"bob",        RCPT_MAILBOXES, false, {"bob@ours.example", NULL}},
	{"postmaster", RCPT_MAILBOXES, false, {"alice@ours.example", NULL}},
	{"team",       RCPT_MAILBOXES, false, {"alice@ours.example", "bob@ours.example"}},
	{"many",       RCPT_MAILBOXES, true,  {"alice@ours.example", NULL}},
	{"half",       RCPT_MAILBOXES, true,  {"alice@ours.example", NULL}},
	{"nothing",    RCPT_MAILBOXES, false, {NULL, NULL}},
	{"daemon",     RCPT_DISCARD,   false, {NULL, NULL}},
	{"loop",       RCPT_LOOP,      false, {NULL, NULL}},
	{"trouble",    RCPT_TROUBLE,   false, {NULL, NULL}},
};
/* clang-format on */

static void
add_target(struct msg_rcpt_answer *a, struct buf *b, const char *mailbox)
{
	struct item_target t = {str_of(mailbox)};

	if (mailbox == NULL)
		return;
	assert(item_add_target(b, &t));
	a->targets = (struct list){a->targets.count + 1, buf_str(b)};
}

static bool
look_up(struct msg_rcpt_answer *a, struct buf *b, const char *local)
{
	char box[96];
	struct buf own = BUF_ON(box);

	a->verdict = RCPT_NO_SUCH;
	if (str_istarts(str_of(local), STR("box"))) {
		a->verdict = RCPT_MAILBOXES;
		buf_addf(&own, "%s@ours.example", local);
		add_target(a, b, box);
		return false;
	}
	for (size_t i = 0; i < LENGTH(known); i++)
		if (str_ieq(str_of(known[i].local), str_of(local))) {
			a->verdict = (uint8_t)known[i].verdict;
			add_target(a, b, known[i].targets[0]);
			add_target(a, b, known[i].targets[1]);
			return known[i].twice;
		}
	return false;
}

static void
answer_rcpt(struct rig *r, const struct rig_asked *asked)
{
	char room[1024];
	struct buf b = BUF_ON(room);
	struct msg_rcpt_answer a = {.session = r->s->number, .ask = asked->ask};

	a.more = look_up(&a, &b, asked->local);
	session_rcpt_answer(r->s, &a);
	if (a.more == 0)
		return;
	a.more = 0;
	if (strcmp(asked->local, "half") == 0)
		a.verdict = RCPT_TROUBLE;
	session_rcpt_answer(r->s, &a);
}

static void
answer_sender(struct rig *r, const struct rig_asked *asked)
{
	struct msg_sender_answer a = {.session = r->s->number,
	                              .ask = asked->ask,
	                              .verdict = (uint8_t)r->sender_verdict,
	                              .user = str_of(r->user)};

	session_sender_answer(r->s, &a);
}

static void
answer_rate(struct rig *r, const struct rig_asked *asked)
{
	struct msg_rate_answer a = {
		.session = r->s->number, .ask = asked->ask, .rate = 5, .wait = r->rate_wait};

	session_rate_answer(r->s, &a);
}

bool
rig_answer(struct rig *r)
{
	if (r->asked_n == 0)
		return false;
	struct rig_asked asked = r->asked[0];

	r->asked_n--;
	memmove(r->asked, r->asked + 1, r->asked_n * sizeof(r->asked[0]));
	if (asked.no == MSG_conn_open) {
		session_conn_verdict(r->s, r->verdict);
	} else if (asked.no == MSG_rcpt_ask) {
		answer_rcpt(r, &asked);
	} else if (asked.no == MSG_sender_ask) {
		answer_sender(r, &asked);
	} else if (asked.no == MSG_rate_ask) {
		answer_rate(r, &asked);
	} else if (asked.no == MSG_mail_commit) {
		struct msg_mail_reply a = {r->s->number, asked.id, r->commit_rc, r->no_room};

		session_mail_reply(r->s, &a);
	} else {
		struct msg_body_reply a = {.session = r->s->number,
		                           .id = asked.id,
		                           .end = asked.no == MSG_body_end,
		                           .rc = r->item_rc,
		                           .full = r->no_room};

		session_body_reply(r->s, &a);
	}
	return true;
}

/* ---- the client ---- */

static bool
read_replies(struct rig *r)
{
	struct str out = session_output(r->s);

	if (out.n == 0 || r->mute)
		return false;
	buf_add(&r->out, out);
	session_wrote(r->s, out.n);
	return true;
}

void
rig_go(struct rig *r)
{
	bool more = true;

	while (more) {
		more = read_replies(r);
		more = (!r->hold && rig_answer(r)) || more;
	}
}

void
rig_feed(struct rig *r, struct str octets)
{
	/* in memory of its own: what is kept must have been copied */
	char *own = malloc(octets.n + 1);

	assert(own != NULL);
	memcpy(own, octets.p, octets.n);
	session_feed(r->s, (struct str){own, octets.n});
	free(own);
	rig_go(r);
}

void
rig_say(struct rig *r, const char *text)
{
	rig_feed(r, str_of(text));
}

const char *
rig_codes(struct rig *r)
{
	static char codes[4096];
	struct buf b = BUF_ON(codes);
	struct str rest = buf_str(&r->out);
	struct str line;

	codes[0] = '\0';
	while (str_cut(&rest, '\n', &line)) {
		assert(line.n > 4 && line.p[line.n - 1] == '\r');
		if (line.p[3] == ' ')
			buf_addf(&b, "%s%.3s", b.n > 0 ? " " : "", line.p);
	}
	buf_clear(&r->out);
	return codes;
}
