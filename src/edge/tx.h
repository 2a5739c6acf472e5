/*
 * One mail transaction: envelope and the content as far as it came. All of it is in one
 * arena (the content in one buffer beside it) and goes at once, on every road: tx_free.
 */
#ifndef EDGE_TX_H
#define EDGE_TX_H

#include "base/arena.h"
#include "base/buf.h"
#include "policy/reason.h"
#include "proto/content.h"

#define TX_OCTETS_MAX (256U << 20) /* of all transactions in one process: past it 452 */
#define TX_MAILBOXES_MAX 10000U    /* of one message: item rcpt's number ends at 9999 */
#define BODY_INLINE_MAX 61440U /* octets: mail_commit.body and body_item.octets of msg.def */

struct session_env;
struct smtp_mail;
struct smtp_rcpt;
struct hash;

struct tx_rcpt {
	struct str mailbox; /* canonical */
	struct str orig;    /* as given in RCPT */
	struct str orcpt;
	uint8_t notify;
};

struct tx {
	struct session_env *env;
	struct arena *arena; /* holds this struct too */
	uint64_t taken;      /* octets counted in env->tx_octets */
	uint64_t id;
	uint32_t flags;     /* MAIL_... */
	uint64_t announced; /* SIZE=, 0: not given */
	struct str sender;
	struct str envid;

	struct smtp_rcpt *asking; /* the RCPT that vault is asked about; made with the first */
	unsigned asked_from;      /* rcpt_count before its answer */
	bool asked_any;           /* it leads to a mailbox at least */
	struct tx_rcpt *rcpts;
	uint32_t *hashes; /* of the mailboxes */
	unsigned rcpt_count;
	unsigned rcpt_cap;
	unsigned accepted; /* RCPT commands, those whose recipients are discarded among them */
	unsigned refused;

	struct content content;
	struct buf body;    /* kept form; empty after it went to a writer */
	uint64_t wire;      /* octets of content as they came */
	uint64_t kept;      /* octets that went to a writer */
	uint64_t since_ms;  /* when the content began, later by what we made it wait; 0: not yet
	                     */
	enum reason failed; /* the reply at the end of data, whatever else comes;
	                     * REASON_discarded: it has recipients, but no mailbox */
	struct hash *hash;  /* of what went to a writer */
	bool in_file;
	bool file_ended; /* and it is durable */
	bool ending;     /* all content is here */
	bool rcpts_sent; /* spool holds mail_rcpts of ours */
	bool committed;  /* mail_commit was sent: body and recipients are spool's */
	unsigned writer;
	uint32_t writer_link;
};

/* NULL when memory is out, or all transactions together hold too much. */
struct tx *tx_new(struct session_env *env, uint64_t id, const struct smtp_mail *m);

/* What neighbours hold of it is dropped, unless it was committed. NULL is fine; returns NULL.
 */
struct tx *tx_free(struct tx *t);

/* Count octets of the transaction's own; false where all together would be too many. */
bool tx_take(struct tx *t, size_t octets) MUST_CHECK;

/* Keep <r> while vault is asked. False when memory is out. */
bool tx_ask(struct tx *t, const struct smtp_rcpt *r) MUST_CHECK;

/*
 * One mailbox that the RCPT being asked about leads to; the same one twice is one.
 * REASON_NONE, REASON_too_many_rcpts or REASON_no_memory.
 */
enum reason tx_add(struct tx *t, struct str mailbox) MUST_CHECK;

/* The RCPT being asked about is refused: its mailboxes go. */
void tx_refuse(struct tx *t);

bool tx_has(const struct tx *t, struct str mailbox);

/* The message is lost for this reason; the rest of its content is discarded. The first counts,
 * but for REASON_discarded, which is no failure.
 */
void tx_fail(struct tx *t, enum reason why);

#endif
