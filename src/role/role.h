/*
 * What every process but master shares: the life of a role.
 *
 * role_main takes the descriptors, reads the configuration, goes behind the walls, calls
 * open, tells master it is ready, and loops: handlers for messages, turn after each loop
 * turn (all that was ready has been handled: the place for a commit, a flush, a batch).
 */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "ipc/channel.h"
#include "ipc/sandbox.h"

struct cfg;
struct event_base;

struct role {
	enum proc me;
	unsigned index;          /* among the processes of this role, from 0 */
	struct str user;         /* of the machine, whose this process is; empty: nobody's */
	const struct cfg *cfg;   /* replaced as a whole by a reload: see reconfigure */
	struct event_base *base; /* for timers and client sockets */
	uint64_t now_ms;         /* clock_mono_ms, read once a loop turn before its handlers */
	uint64_t wall_us;        /* clock_wall_us, likewise */
	bool again;              /* from begin on: one that died had this place */
	bool draining;           /* master said drain */
	void *self;              /* the role's own, set by open */
	struct role_inside *inside;
};

/* Texts of <m> live until this returns; a descriptor in it is the handler's. */
typedef void role_handler(struct role *r, struct channel *from, const struct msg *m);

struct role_def {
	enum proc me;
	const struct walls *walls;
	const struct walls *walls_of_user; /* started for one; NULL: it never is */
	/* Behind the walls, before any message: databases, tables. Fails: the role exits,
	 * master retries. */
	enum rc (*open)(struct role *r, struct err *e);
	/* All first links and listeners are there. */
	void (*begin)(struct role *r);
	/* After each loop turn. */
	void (*turn)(struct role *r);
	/* A channel to a neighbour came, perhaps in place of an older one. */
	void (*peer_up)(struct role *r, struct channel *c);
	/* It ended, its last messages handled; it is freed afterwards. What was in flight on it
	 * has failed. */
	void (*peer_down)(struct role *r, struct channel *c);
	/* A listening socket, ours from now on. Only edge and control get any. */
	void (*listener)(struct role *r, unsigned number, int fd);
	/* Take nothing new; call role_quit when done. NULL: quit at once. */
	void (*drain)(struct role *r, uint64_t most_ms);
	/* Its place is another's: take nothing new, serve what there is to its natural end,
	 * then role_quit. A drain may follow. NULL: as drain, with all the time there is. */
	void (*retire)(struct role *r);
	/* The values of <next> are in force from now on: make anew what was made of r->cfg,
	 * which is freed afterwards. Fails: the role exits, and its successor is started with
	 * them. NULL: it keeps nothing but r->cfg. */
	enum rc (*reconfigure)(struct role *r, const struct cfg *next, struct err *e);
	/* The loop has ended. */
	void (*close)(struct role *r);
	/* By message number, MSG_NO_MAX of them; none: nobody honest sends it, the channel is
	 * cut. */
	role_handler *const *handlers;
};

/* The whole of a role's main(). Returns a sysexits code. */
int role_main(const struct role_def *def, int argc, char **argv);

/* The newest channel to that neighbour, or NULL while it is gone. */
struct channel *role_peer(const struct role *r, enum proc peer, unsigned index);

/* Say something to master: as channel_send. */
enum rc role_tell_master(const struct role *r, const struct msg *m, struct err *e) MUST_CHECK;

/*
 * Read the clocks. role.c does before each handler, hook and turn; a callback of the role's
 * own (a client socket, a timer) does first of all.
 */
void role_tick(struct role *r);

/* Leave the loop after this turn with that exit status. */
void role_quit(struct role *r, int status);

#endif
