/*
 * A session in a process of its own making, for tests and fuzzers: no sockets, a clock that
 * stands still, neighbours that answer by what is asked:
 *
 *   vault   alice, bob, box*: themselves; team: both; many: alice twice in two answers;
 *           half: alice, then trouble; loop, trouble, daemon (discard): that; all others: no
 *           such user. Domain ours.example. Of a local user's sender: <sender_verdict>, <user>
 *   state   welcomes by <verdict>; makes a local user wait <rate_wait> seconds
 *   spool   keeps the message; the last one is there to be looked at
 */
#ifndef EDGE_SESSION_RIG_H
#define EDGE_SESSION_RIG_H

#include "cfg/cfg.h"
#include "edge/session.h"
#include "policy/relay.h"
#include "policy/sender.h"

#define RIG_BODY_MAX (4U << 20)
#define RIG_ASKED_MAX 16U

/* What a neighbour was asked and has not answered. */
struct rig_asked {
	enum msg_no no;
	uint32_t ask;
	uint64_t id;
	char local[65];
	char domain[256];
	uint32_t uid;
	char user[65];
};

struct rig_mail {
	uint64_t id;
	uint32_t flags;
	uint64_t size;
	uint64_t hash;
	unsigned rcpts;
	bool begun; /* with mail_rcpts; its commit is to come */
	char sender[321];
	char origin[16];
	char mailboxes[8192]; /* each with a comma behind it */
	char origs[8192];
	struct buf body;
};

struct rig {
	struct cfg cfg;
	struct relay_ours ours;
	struct session_env env;
	struct session *s;
	struct buf out; /* replies since rig_start or rig_clear */
	struct rig_asked asked[RIG_ASKED_MAX];
	unsigned asked_n;
	struct rig_asked last_asked;        /* by sender_ask or rate_ask */
	bool hold;                          /* neighbours do not answer until rig_answer */
	bool mute;                          /* the client does not read */
	unsigned gone;                      /* enum proc bits */
	bool commits_fail;                  /* mail_commit finds the channel full */
	unsigned full;                      /* likewise: the channel takes nothing */
	uint32_t link;                      /* number of every channel */
	unsigned verdict;                   /* state's */
	enum sender_verdict sender_verdict; /* vault's */
	const char *user;                   /* with it */
	uint32_t rate_wait;                 /* state's to a local user */
	uint8_t item_rc;                    /* writer's to items and files */
	uint8_t commit_rc;                  /* spool's */
	uint8_t no_room;                    /* with it */
	unsigned count[MSG_NO_MAX];         /* messages by number */
	unsigned decisions;
	char decision[2048]; /* the last one's fields */
	uint64_t file_size;  /* that body_end named */
	struct rig_mail mail;
	char out_room[262144]; /* from here on not zeroed with each start */
	char body_room[RIG_BODY_MAX];
};

/* A session that has said nothing yet; the answer of state is not asked for before rig_go. */
void rig_start(struct rig *r);
void rig_start_with(struct rig *r, enum cfg_service service);
void rig_start_local(struct rig *r, uint32_t uid);
void rig_stop(struct rig *r);

/* Answer all that was asked, print all that was replied, until nothing more happens. */
void rig_go(struct rig *r);

/* Feed and go. */
void rig_feed(struct rig *r, struct str octets);
void rig_say(struct rig *r, const char *text);

/* Replies since the last call of this, the codes alone: "250 250 354". */
const char *rig_codes(struct rig *r);

/* Give the oldest answer that is awaited; false where there is none. */
bool rig_answer(struct rig *r);

#endif
