/*
 * One message on its way to one endpoint: what the spool's `work` said, and what became of
 * each recipient. Knows no socket.
 */
#ifndef REMOTE_PARCEL_H
#define REMOTE_PARCEL_H

#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "ipc/msg.h"

#define PARCEL_AIMS_MAX 32U /* recipients: work.rcpts of msg.def */
#define PARCEL_CHECK_OCTETS \
	(1U << 20) /* of a body file read at once: nobody waits for more \
	            */

/* One recipient. */
struct aim {
	uint16_t n;         /* its number within the message */
	struct str mailbox; /* as it stands within <> */
	struct str orig;
	struct str orcpt; /* "type;address"; empty: not given */
	uint8_t notify;   /* NOTIFY_... of proto/smtp.h */
	bool utf8;        /* needs SMTPUTF8 */
	bool accepted;    /* by RCPT, this time */
	bool settled;
	enum rc rc;
	char why[251]; /* printable: result.reply of item.def */
};

struct parcel {
	TAILQ_ENTRY(parcel) link;
	uint64_t id;
	uint32_t flags; /* MAIL_... of proto/smtp.h */
	uint64_t size;  /* octets of the body as kept */
	uint64_t hash;
	struct str sender; /* as it stands within <> */
	bool sender_utf8;
	struct str envid; /* empty: not given */
	struct str body;  /* where <fd> is negative */
	int fd;           /* owned */
	bool orphan;      /* the spool that gave it is gone: nobody is told */
	bool again; /* was put on a second connection: the first had been left by the server */

	/* known once parcel_check has seen it all */
	bool checked;
	bool eight_bit; /* content has octets over 0x7f */
	uint64_t wire;  /* octets with CRLF, without stuffed dots: RFC 1870 §3 */
	uint64_t seen;  /* so far */
	uint64_t lf;
	bool ends_in_lf;
	struct hash *hasher;

	/* what has been read of the body: parcel_body */
	uint64_t at;
	bool line_start;
	bool ended;

	unsigned aim_count;
	unsigned unsettled;
	struct aim *aims; /* in this allocation, as all texts */
};

TAILQ_HEAD(parcels, parcel);

/*
 * A copy of a `work`, or of a `work_file` whose descriptor then is the parcel's. NULL when
 * memory is out (the descriptor is then closed). An address that is none, which spool never
 * keeps, is settled as RC_PERM at once.
 */
struct parcel *parcel_of_work(const struct msg_work *w);
struct parcel *parcel_of_file(const struct msg_work_file *w);

struct parcel *parcel_free(struct parcel *p);

/*
 * Look at the whole body, PARCEL_CHECK_OCTETS a call: is it what was accepted? RC_AGAIN: call
 * once more. RC_PERM: it is corrupt. RC_TEMP: it cannot be read.
 */
enum rc parcel_check(struct parcel *p, struct err *e) MUST_CHECK;

/*
 * Add to <b> what comes next of the body as DATA has it: CRLF line ends, dots stuffed, CRLF "."
 * CRLF at the end (RFC 5321 §4.1.1.4, §4.5.2). RC_OK: that was the end. RC_AGAIN: there is
 * more once <b> has room. Else it cannot be read any more.
 */
enum rc parcel_body(struct parcel *p, struct buf *b, struct err *e) MUST_CHECK;

/* Begin the body and the recipients anew, on another connection. */
void parcel_rewind(struct parcel *p);

/* What became of one. The first word counts. */
void parcel_settle(struct parcel *p, struct aim *a, enum rc rc, struct str why);

/* The same for all that nothing is known of yet; or for those of them that RCPT accepted. */
void parcel_settle_rest(struct parcel *p, enum rc rc, struct str why);
void parcel_settle_accepted(struct parcel *p, enum rc rc, struct str why);

#endif
