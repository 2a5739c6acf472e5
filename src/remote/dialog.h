/*
 * The client's side of one LMTP connection, without a socket: RFC 2033 over RFC 5321. Octets of
 * the server in, octets for it out, parcels one after the other, and what became of each of
 * their recipients.
 *
 * Whoever owns the connection feeds what it read, writes what dialog_speak adds, gives a parcel
 * where dialog_is_idle, takes it back where dialog_take_done has it, and closes once
 * dialog_is_over.
 *
 * The message goes by DATA, never by BDAT, though that would save a round trip: behind the
 * envelope comes 354, which nothing else is. Where a server says a word too much or too few,
 * it is found out there, before anything counts as delivered that is not.
 */
#ifndef REMOTE_DIALOG_H
#define REMOTE_DIALOG_H

#include "proto/smtp_reply.h"
#include "remote/parcel.h"

enum dialog_state {
	DIALOG_GREETING, /* waits for 220 */
	DIALOG_LHLO,     /* waits for the reply to LHLO */
	DIALOG_IDLE,
	DIALOG_ENVELOPE, /* MAIL, RCPT, DATA: said or to be said, replies awaited */
	DIALOG_BODY,     /* is being said */
	DIALOG_ANSWERS,  /* one for each accepted recipient: RFC 2033 §4.2 */
	DIALOG_QUIT,
	DIALOG_OVER,
};

struct dialog {
	enum dialog_state state;
	struct str host; /* ours */
	uint32_t offers; /* OFFER_... */
	struct parcel *parcel;
	struct smtp_reply reply;      /* as far as it came */
	bool reset;                   /* the last transaction did not end by itself */
	unsigned to[PARCEL_AIMS_MAX]; /* recipients that RCPT is for: not settled before */
	unsigned to_count;
	unsigned said;     /* commands of the envelope */
	unsigned heard;    /* replies to them */
	unsigned accepted; /* recipients */
	unsigned answered; /* of those */
	unsigned messages; /* sent over this connection */
	unsigned replies;  /* heard on it */
	bool proved;       /* the server took our LHLO: it lives */
	bool left;         /* by the server before it said a word about the parcel */
	bool unsaid;       /* speak: LHLO or QUIT is still to be said */
	char why[251];     /* it is over, or no recipient was accepted */
};

/* <host> must outlive it. */
void dialog_init(struct dialog *d, struct str host);

/* Begin with <p>, whose check is done; it stays the caller's. */
void dialog_begin(struct dialog *d, struct parcel *p);

/* Octets of the server: taken as far as they are whole lines. <unsent>: what was said has not
 * all left, so nothing can be the answer to all of it. */
void dialog_hear(struct dialog *d, struct str *in, bool unsent);

/* Add to <b> what is to be said now. */
void dialog_speak(struct dialog *d, struct buf *b);

/* The connection is closed, or time is up: <why>. */
void dialog_lost(struct dialog *d, const char *why, bool unsent);

/* Say goodbye. Only where idle. */
void dialog_quit(struct dialog *d);

/*
 * The parcel that the dialog has done with, or NULL: all its recipients are settled, or none
 * is and d->left is true: the server closed a connection that had been used before.
 */
struct parcel *dialog_take_done(struct dialog *d);

#endif
