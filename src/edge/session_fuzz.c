/*
 * The session and a model of it read the same octets in the same bursts: every reply, every
 * question to vault and every message handed to spool must be the same (RELIABILITY 2.1.2).
 *
 * The first octet chooses LMTP where it is OP_LMTP; an input octet adds a phrase of the model's
 * to the burst, ends the burst, holds a part of it back for the next one, or breaks a
 * neighbour.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "edge/session_model.h"
#include "edge/session_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 800U /* octets: what they stand for fits the model's buffers */

enum op { OP_HOLD = 0x80, OP_END = 0xc0, OP_BREAK = 0xf0, OP_LMTP = 0xff };

struct race {
	struct rig rig;
	struct model model;
	struct buf burst;
	char room[MODEL_OCTETS_MAX];
};

static void
same(bool good, const struct race *r, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr,
	              "%s: asked %u and %u times, committed %u and %u; model replied %s\n",
	              what, r->rig.count[MSG_rcpt_ask], r->model.asks,
	              r->rig.count[MSG_mail_commit], r->model.commits, r->model.codes.p);
	abort();
}

/* The content behind our own Received field. */
static struct str
content(const struct rig_mail *mail)
{
	struct str s = buf_str(&mail->body);
	size_t at = 0;

	do
		at += str_find(str_slice(s, at, s.n), '\n') + 1;
	while (at < s.n && s.p[at] == ' ' && at < 300);
	return str_slice(s, at, s.n);
}

static unsigned
mailboxes(const struct rig_mail *mail)
{
	return (strstr(mail->mailboxes, "alice@ours.example,") != NULL ? 1U : 0U) |
	       (strstr(mail->mailboxes, "bob@ours.example,") != NULL ? 2U : 0U);
}

static void
compare_message(struct race *r)
{
	const struct rig_mail *mail = &r->rig.mail;
	unsigned bits = mailboxes(mail);

	same(bits == r->model.kept_mailboxes, r, "recipients");
	same(mail->rcpts == (bits & 1) + (bits >> 1), r, "a mailbox twice");
	/* a first content line that is blank continues our field, as in any mail server */
	struct str all = buf_str(&mail->body);
	struct str kept = buf_str(&r->model.kept);
	same(all.n > kept.n && str_eq(str_slice(all, all.n - kept.n, all.n), kept), r,
	     "content");
	same(kept.n == 0 || kept.p[0] == ' ' || str_eq(content(mail), kept), r, "more content");
}

static void
burst(struct race *r, struct str octets)
{
	unsigned commits = r->model.commits;

	if (octets.n == 0)
		return;
	rig_feed(&r->rig, octets);
	model_burst(&r->model, octets);
	const char *codes = rig_codes(&r->rig);
	if (strcmp(codes, r->model.codes.p) != 0)
		(void)fprintf(stderr, "session replied %s\n", codes);
	same(strcmp(codes, r->model.codes.p) == 0, r, "replies");
	same(r->rig.count[MSG_rcpt_ask] == r->model.asks, r, "asks");
	same(r->rig.count[MSG_mail_commit] == r->model.commits, r, "commits");
	same(session_over(r->rig.s) == (r->model.state == M_END), r, "ends");
	same(session_over(r->rig.s) || (r->rig.s->tx != NULL) == model_in_tx(&r->model), r,
	     "transaction");
	if (r->model.commits > commits)
		compare_message(r);
	buf_clear(&r->model.codes);
}

static void
hold_back(struct race *r, size_t octets)
{
	char rest[32];

	if (octets > r->burst.n)
		octets = r->burst.n;
	memcpy(rest, r->burst.p + r->burst.n - octets, octets);
	burst(r, str_slice(buf_str(&r->burst), 0, r->burst.n - octets));
	buf_clear(&r->burst);
	buf_add(&r->burst, (struct str){rest, octets});
}

static void
break_something(struct race *r, unsigned what)
{
	if (what == 0)
		r->model.spool_gone = !r->model.spool_gone;
	else if (what == 1)
		r->model.vault_full = !r->model.vault_full;
	else
		r->model.commit_fails = !r->model.commit_fails;
	r->rig.gone = r->model.spool_gone ? SPOOL : 0;
	r->rig.full = r->model.vault_full ? VAULT : 0;
	r->rig.commit_rc = r->model.commit_fails ? RC_TEMP : RC_OK;
}

static void
take(struct race *r, uint8_t octet)
{
	if (octet < OP_HOLD) {
		buf_add(&r->burst, str_of(model_phrases[octet % model_phrase_count].text));
	} else if (octet < OP_END) {
		hold_back(r, octet % 32);
	} else {
		burst(r, buf_str(&r->burst));
		buf_clear(&r->burst);
		if (octet >= OP_BREAK)
			break_something(r, octet % 3);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct race r;
	bool lmtp = size > 0 && data[0] == OP_LMTP;

	if (size > INPUT_MAX)
		return 0;
	log_set_level(LOG_ERROR);
	rig_start_with(&r.rig, lmtp ? SERVICE_LMTP : SERVICE_SMTP);
	model_start(&r.model, lmtp);
	r.rig.cfg.message_size = MODEL_SIZE_MAX;
	r.rig.cfg.smtp_max_errors = MODEL_ERRORS_MAX;
	r.rig.cfg.smtp_max_junk = MODEL_JUNK_MAX;
	r.rig.cfg.smtp_max_rcpt = INPUT_MAX + 1;
	r.burst = BUF_ON(r.room);
	rig_go(&r.rig);
	(void)rig_codes(&r.rig); /* the greeting */
	for (size_t i = lmtp; i < size; i++)
		take(&r, data[i]);
	burst(&r, buf_str(&r.burst));
	rig_stop(&r.rig);
	return 0;
}
