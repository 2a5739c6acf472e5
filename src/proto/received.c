/*
 * Our Received: field. See received.h.
 *
 *     Received: from HELO (RDNS [IP]) by HOST with PROTOCOL id ID [for <RCPT>]; DATE
 */
#include "proto/received.h"
#include "base/date.h"
#include "base/id.h"
#include "proto/domain.h"
#include "proto/header.h"

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

	buf_add(b, r->utf8 ? STR("UTF8SMTP") : extended ? STR("ESMTP") : STR("SMTP"));
	buf_add(b, r->tls ? STR("S") : STR(""));
	buf_add(b, r->auth ? STR("A") : STR(""));
}

bool
received_add(struct buf *b, const struct received *r)
{
	char room[RECEIVED_MAX];
	struct buf v = BUF_ON(room);

	buf_add(&v, STR("from "));
	add_word(&v, r->helo.n > 0 ? r->helo : STR("unknown"));
	buf_add(&v, STR(" ("));
	add_word(&v, r->rdns.n > 0 ? r->rdns : STR("unknown"));
	buf_addc(&v, ' ');
	domain_add_literal(&v, &r->client);
	buf_add(&v, STR(") by "));
	buf_add(&v, r->host);
	buf_add(&v, STR(" with "));
	add_with(&v, r);
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
