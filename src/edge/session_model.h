/*
 * SMTP, and LMTP (RFC 2033), as a small model (RELIABILITY 2.1.2): what the session must reply
 * to a stream of octets that come in bursts. Written from the RFCs and reasons.def, not from
 * the session; it knows only the lines of model_phrases and how wrong ones are refused.
 */
#ifndef EDGE_SESSION_MODEL_H
#define EDGE_SESSION_MODEL_H

#include "base/buf.h"

#define MODEL_SIZE_MAX 600U /* message_size */
#define MODEL_ERRORS_MAX 6U
#define MODEL_JUNK_MAX 6U
#define MODEL_OCTETS_MAX 65536U

enum model_act {
	ACT_TEXT,  /* no command: content, or nonsense */
	ACT_HELLO, /* arg: of LMTP */
	ACT_HELLO_BAD,
	ACT_MAIL,
	ACT_MAIL_BAD, /* arg: the reply */
	ACT_RCPT,     /* arg: bits of the mailboxes */
	ACT_RCPT_NOBODY,
	ACT_RCPT_RELAY,
	ACT_RCPT_BAD,
	ACT_RCPT_LOOP,
	ACT_DATA,
	ACT_DATA_BAD,
	ACT_BDAT, /* arg: octets */
	ACT_BDAT_LAST,
	ACT_BDAT_BAD,
	ACT_RSET,
	ACT_RSET_BAD,
	ACT_NOOP,
	ACT_VRFY,
	ACT_HELP,
	ACT_QUIT,
};

struct model_phrase {
	const char *text; /* a line with CR LF, or text */
	enum model_act act;
	unsigned arg;
};

extern const struct model_phrase model_phrases[];
extern const size_t model_phrase_count;

enum model_state { M_START, M_READY, M_MAIL, M_RCPT, M_DATA, M_BDAT, M_END };

struct model {
	enum model_state state;
	bool lmtp;
	bool spool_gone;
	bool vault_full;
	bool commit_fails;
	unsigned mailboxes; /* of the transaction: bit 0 alice, bit 1 bob */
	unsigned accepted;
	unsigned refused;
	unsigned errors;
	unsigned junk;
	unsigned asks;           /* of vault */
	unsigned commits;        /* asked for */
	unsigned kept_mailboxes; /* of the last commit */
	struct buf kept;         /* its content in kept form */
	struct buf line;         /* a command that has not ended */
	struct buf raw;          /* content as it came */
	uint64_t wire;           /* octets of it, those past the size too */
	bool chunk_open;
	bool chunk_last;
	unsigned chunk_left;
	unsigned chunk_reply;
	struct buf codes;
	char room[4][MODEL_OCTETS_MAX];
};

/* Greeted. <lmtp>: by a listener for LMTP. */
void model_start(struct model *m, bool lmtp);

void model_burst(struct model *m, struct str octets);

/* A transaction is under way. */
bool model_in_tx(const struct model *m);

#endif
