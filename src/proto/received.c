/*
 * Our Received: field. See received.h.
 *
 *     Received: from HELO (RDNS [IP]) by HOST with PROTOCOL id ID [for <RCPT>]; DATE
 *     Received: by HOST (from local user NAME, uid N) id ID [for <RCPT>]; DATE
 *
 * A local process has no IP: its uid stands there in a comment.
 */
#include <inttypes.h>

#include "base/date.h"
#include "base/id.h"
#include "proto/domain.h"
#include "proto/header.h"
#include "proto/received.h"

/* What names and literals are made of; all else is `?`. One word, so the form stays readable.
 */
static void
add_word(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n && i < DOMAIN_MAX; i++) {
		char c = s.p[i];
		bool plain = ascii_alpha(c) || ascii_digit(c) ||
		             str_find(STR("-._:[]"), c) < STR("-._:[]").n;

		if (!plain)
			c = '?';
		buf_addc(b, c);
	}
}

/* RFC 3848; RFC 6531 §4.3 for those with UTF8, which all imply EHLO. */
static void
add_with(struct buf *b, const struct received *r)
{
	bool extended = r->esmtp || r->tls || r->auth;

	if (r->lmtp)
		buf_add(b, r->utf8 ? STR("UTF8LMTP") : STR("LMTP"));
	else
		buf_add(b, r->utf8 ? STR("UTF8SMTP") : extended ? STR("ESMTP") : STR("SMTP"));
	buf_add(b, r->tls ? STR("S") : STR(""));
	buf_add(b, r->auth ? STR("A") : STR(""));
}

static void
add_client(struct buf *b, const struct received *r)
{
	uint32_t uid;

	if (netaddr_is_local(&r->client, &uid)) {
		buf_addf(b, "(uid %" PRIu32 ")", uid);
		return;
	}
	buf_addc(b, '(');
	add_word(b, r->rdns.n > 0 ? r->rdns : STR("unknown"));
	buf_addc(b, ' ');
	domain_add_literal(b, &r->client);
	buf_addc(b, ')');
}

/* The name was looked up by us; who the client is, it need not say. */
static void
add_user(struct buf *b, const struct received *r)
{
	uint32_t uid;

	buf_add(b, STR("by "));
	buf_add(b, r->host);
	buf_add(b, STR(" (from local user "));
	add_word(b, r->user);
	if (netaddr_is_local(&r->client, &uid))
		buf_addf(b, ", uid %" PRIu32, uid);
	buf_addc(b, ')');
}

static void
add_peer(struct buf *b, const struct received *r)
{
	buf_add(b, STR("from "));
	add_word(b, r->helo.n > 0 ? r->helo : STR("unknown"));
	buf_addc(b, ' ');
	add_client(b, r);
	buf_add(b, STR(" by "));
	buf_add(b, r->host);
	buf_add(b, STR(" with "));
	add_with(b, r);
}

bool
received_add(struct buf *b, const struct received *r)
{
	char room[RECEIVED_MAX];
	struct buf v = BUF_ON(room);

	if (r->user.n > 0)
		add_user(&v, r);
	else
		add_peer(&v, r);
	buf_addf(&v, " id %s", id_text(r->id).c);
	if (r->rcpt.n > 0) {
		buf_add(&v, STR(" for <"));
		buf_add(&v, r->rcpt);
		buf_addc(&v, '>');
	}
	buf_add(&v, STR("; "));
	date_add(&v, r->wall_us);
	if (v.cut) {
		b->cut = true;
		return false;
	}
	return header_add_field(b, "Received", buf_str(&v));
}
