/*
 * One SMTP session, without sockets: octets in, replies out, requests to the neighbours and
 * their answers through functions. RFC 5321; states and verbs stand in verbs.c.
 *
 * Whoever owns the connection feeds what it read (while session_wants_input), writes what
 * session_output has, and closes it once session_over and nothing is left to write.
 */
#ifndef EDGE_SESSION_H
#define EDGE_SESSION_H

#include "base/id.h"
#include "base/netaddr.h"
#include "cfg/cfg.h"
#include "edge/reply.h"
#include "edge/tx.h"
#include "ipc/metric.h"
#include "policy/relay.h"

#define SMTP_LINE_MAX 2048U /* octets with CRLF; RFC 5321 §4.5.3.1.4 asks for 512 and more */
#define SMTP_DISCARD_MAX 65536U /* octets of an overlong line that we look at */
#define SMTP_OUT_MAX 4096U      /* unsent replies, octets: past it no command is read */
#define SMTP_SIZE_SLACK \
	(1U << 20) /* octets over message_size that are still read and discarded */

struct verb;

enum state {
	ST_CONNECT, /* not greeted yet */
	ST_START,   /* greeted; no EHLO or HELO */
	ST_READY,   /* between transactions */
	ST_MAIL,    /* has a sender */
	ST_RCPT,    /* has a recipient */
	ST_DATA,    /* octets are content until the end of data */
	ST_BDAT,    /* has a chunk */
	ST_END,     /* the last reply is on its way; what comes is not read */
	ST_COUNT,
	ST_SAME = ST_COUNT, /* in tables: no change */
};

#define IN(state) BIT(ST_##state)
#define GREETED (IN(READY) | IN(MAIL) | IN(RCPT) | IN(BDAT))
#define IN_TX (IN(MAIL) | IN(RCPT) | IN(DATA) | IN(BDAT))

enum await {
	AWAIT_NOTHING,
	AWAIT_VERDICT, /* state: conn_verdict */
	AWAIT_SENDER,  /* vault: sender_answer */
	AWAIT_RCPT,    /* vault: rcpt_answer */
	AWAIT_RATE,    /* state: rate_answer */
	AWAIT_ITEM,    /* writer: body_reply to an item */
	AWAIT_FILE,    /* writer: body_reply to body_end */
	AWAIT_COMMIT,  /* spool: mail_reply */
};

/* What all sessions of a process share: its owner sets everything and keeps the clocks. */
struct session_env {
	const struct cfg *cfg;
	const struct relay_ours *ours;
	struct id_source ids;
	uint64_t now_ms;
	uint64_t wall_us;
	bool spool_full; /* spool said: no room */
	bool draining;
	struct metrics metrics;
	uint64_t tx_octets; /* held by all transactions, see TX_OCTETS_MAX */

	/* The number of the channel to this neighbour, never used twice; 0 while it is gone. */
	uint32_t (*link)(void *arg, enum proc to, unsigned index);
	/* False where it is gone or its channel is full: nothing was sent. */
	bool (*send)(void *arg, enum proc to, unsigned index, const struct msg *m);
	/* Our end of the connection; false where it cannot be told. */
	bool (*local)(void *arg, void *conn, struct netaddr *ret);
	/* One decision for the journal, as log_fields prints it. */
	void (*journal)(void *arg, uint64_t id, struct str fields);
	void *arg;
};

struct session {
	struct session_env *env;
	void *conn; /* the owner's */
	uint32_t number;
	struct netaddr client;
	enum cfg_service service; /* of the listener */
	enum identity who;
	uint32_t uid; /* of IDENTITY_LOCAL */
	char *user;   /* owned; whose uid it is; NULL before vault said so */
	enum state state;
	const struct verb *verb; /* the latest */
	struct tx *tx;           /* in IN_TX only, but while verb_mail runs */
	uint64_t id;             /* of the latest MAIL, while its transaction is there */
	char *helo;              /* owned; NULL before EHLO */
	bool esmtp;
	uint32_t counted_link; /* the channel to state that has our conn_open */

	enum await await;
	uint32_t await_link; /* the channel that the answer comes from */
	uint64_t await_since;
	uint32_t ask; /* number of the latest rcpt_ask, sender_ask or rate_ask */

	uint64_t deadline_ms; /* for the present command, or the next octets of a message */
	unsigned errors;
	unsigned junk;
	unsigned messages;

	bool parted;     /* by QUIT */
	bool skipping;   /* within an overlong line */
	size_t skipped;  /* octets of it so far */
	bool chunk_open; /* within a BDAT chunk */
	bool chunk_last;
	uint64_t chunk_left;      /* octets */
	struct reply chunk_reply; /* code 0, or the refusal that follows when it is over */
	uint64_t discarded;       /* octets of refused chunks, in the whole session */

	struct str in; /* unread octets: the feeder's, or behind in_room */
	char *in_room; /* owned; NULL while nothing is left over */
	char *out;     /* owned; NULL while nothing is unsent */
	size_t out_n;
	size_t out_cap;
};

/* Asks state whether the client is welcome; NULL when memory is out. */
struct session *session_new(struct session_env *env, uint32_t number,
                            const struct netaddr *client, enum cfg_service service, void *conn);

/* Drops the transaction and tells state. NULL is fine; returns NULL. */
struct session *session_free(struct session *s);

/* ---- the connection ---- */

/* Octets that were read. Taken or copied before it returns. */
void session_feed(struct session *s, struct str octets);

/* False while an answer is awaited, or the client does not read its replies. */
bool session_wants_input(const struct session *s);

/* What is to be written now; session_wrote says how much of it was. */
struct str session_output(const struct session *s);
void session_wrote(struct session *s, size_t octets);

bool session_over(const struct session *s);

/* Over by QUIT, with nothing said behind it: the client expects the connection to be closed. */
bool session_parted(const struct session *s);

/* spool is deciding about a message: whoever frees the session now loses its decision. */
bool session_commits(const struct session *s);

/* ---- the neighbours' answers: an answer to anything but the latest question is dropped ----
 */

void session_conn_verdict(struct session *s, unsigned verdict);
void session_sender_answer(struct session *s, const struct msg_sender_answer *a);
void session_rate_answer(struct session *s, const struct msg_rate_answer *a);
void session_rcpt_answer(struct session *s, const struct msg_rcpt_answer *a);
void session_body_reply(struct session *s, const struct msg_body_reply *a);
void session_mail_reply(struct session *s, const struct msg_mail_reply *a);

/* That channel has ended: what was awaited from it does not come. */
void session_link_lost(struct session *s, uint32_t link);

/* There is a new channel to state: it must count us. */
void session_recount(struct session *s);

/* ---- time ---- */

/* About once a second: deadlines. */
void session_tick(struct session *s);

/* env->draining has been set: an idle session ends now, another one after its message. */
void session_drain(struct session *s);

/* ---- for verbs.c, local.c and body.c ---- */

/* The only place that changes the state; also called when an awaited answer comes. */
struct reply session_settle(struct session *s, struct reply r);

/* Settle and print it; the session goes on with what it holds by itself. */
void session_reply(struct session *s, struct reply r);

/* An answer will come over <link>: what a verb returns until then. */
struct reply session_await(struct session *s, enum await what, uint32_t link);

/* The awaited answer is here; what the reply to it leads to. */
void session_awaited(struct session *s);
void session_answer(struct session *s, struct reply r);

/* Say why and goodbye, in the log too. Returns what a verb returns that has said all. */
struct reply session_end(struct session *s, enum reason why);

/* A message has been taken: what the session may do wrong is counted anew. */
void session_took(struct session *s);

/* Octets behind the command or chunk that ended: RFC 2920 §3.1 forbids some. As much of
 * <allowed> as has come may stand there: TCP cuts where it likes. */
bool session_spoke_early(struct session *s, struct str allowed);

#endif
