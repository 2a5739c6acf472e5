/*
 * The processes of the house as master sees them: one slot a process, its channel, its pid,
 * its deaths. Slots come and go; a process's index is nobody else's of its role while it lives.
 */
#ifndef MASTER_HOUSE_H
#define MASTER_HOUSE_H

#include "ipc/channel.h"
#include "ipc/sandbox.h"
#include "master/connect.h"
#include "master/listen.h"
#include "master/maps.h"
#include "master/plan.h"
#include "master/spawn.h"

struct event;
struct event_base;
struct house;
struct users;

#define LEVEL_BY_PLAN 0xff

#define SLOTS_MAX 208 /* PROCESSES_MAX of control/status.h is one more */

/* What a slot's process ending leads to. */
enum fate {
	FATE_REPLACED, /* a failure, whatever it exits with: another one after a wait */
	FATE_RENEWED,  /* it was asked to leave: another one at once, by the newest plan */
	FATE_GONE,     /* it was asked to leave, or has one errand only: the slot is free */
};

struct slot {
	struct house *house; /* NULL: nobody's, free */
	enum proc proc;
	unsigned index;
	enum fate fate;
	struct plan *plan;       /* what it is started with */
	struct lodging *lodging; /* NULL: as its role; owned */
	bool apart; /* a user's deliver: linked by users.c, and waited for by nobody */
	/* It is ready. The process ended, <status> is waitpid's. NULL: nobody wants to know. */
	void (*stands)(struct slot *s);
	void (*ended)(struct slot *s, int status);
	void *arg;               /* of who asked for it */
	pid_t pid;               /* 0: not running */
	struct channel *channel; /* to it; NULL: gone */
	bool ready;              /* its walls stand, it said so */
	bool begun;              /* house_begin was called for it */
	bool asked;              /* to leave */
	bool awaits;             /* it was told new values, or to leave: ready comes again */
	bool served;             /* this one or a predecessor was ready */
	unsigned walls;
	unsigned deaths; /* since it last lived for long */
	uint64_t born_ms;
	uint64_t since_us;   /* wall clock of its start, or of its end */
	uint32_t replaced;   /* times */
	struct event *again; /* restarts it when its wait is over */
	struct connects connects;
};

struct house {
	struct plan *plan; /* the newest that is in force */
	struct event_base *base;
	struct nursery nursery;
	struct listeners listeners;
	int control; /* the operator's listening socket */
	struct reload *reload;
	uint32_t reloads;           /* that came into force */
	uint32_t reloads_refused;   /* that changed nothing */
	uint8_t levels[PROC_COUNT]; /* enum log_level, or LEVEL_BY_PLAN */
	struct slot slots[SLOTS_MAX];
	unsigned slot_count;                      /* above it none was ever used */
	uint32_t linked_ms[SLOTS_MAX][SLOTS_MAX]; /* when these two were given a channel */
	uint64_t since_us;                        /* wall clock of our start */
	struct maps_watch maps;                   /* files that vault reads */
	struct users *users;                      /* delivers for users; owned */
	struct notify *notify;                    /* the service manager; NULL: there is none */
	bool started;                             /* all were ready once */
	bool leaving;                             /* nobody is replaced any more */
	unsigned phase;                           /* of leaving: leave.c */
	struct event *late;                       /* the present phase's time is up */
	bool killed;                              /* who is late in it */
	int status;                               /* to exit with */
};

/*
 * A slot for another process of that role, by the newest plan: its index is the lowest from
 * <first> on that no other slot of the role has. FATE_REPLACED until told otherwise; nothing
 * runs before house_start. RC_TEMP: no slot or no index is free, or memory is out.
 */
enum rc house_add(struct house *h, enum proc p, unsigned first, struct slot **ret,
                  struct err *e) MUST_CHECK;

/*
 * Start the slot's process and, unless it is apart, give it channels to all that run; then, now
 * or later, its listeners, and the word to begin. Failed: house_drop gives the slot back.
 */
enum rc house_start(struct slot *s, struct err *e) MUST_CHECK;
enum rc house_begin(struct slot *s, bool again, struct err *e) MUST_CHECK;

/* The socket for collectors of metrics, to control; none where there is none. */
enum rc house_tell_metrics(const struct slot *s, struct err *e) MUST_CHECK;

/* It takes nothing new, serves what it has, leaves; then the slot is free. */
void house_retire(struct slot *s);

/* The same, and another one takes its slot and index then, by the newest plan. */
void house_renew(struct slot *s);

/* Free at once a slot whose process was never started; else kill it, and free it then. */
void house_drop(struct slot *s);

/* Its end leads to what its fate says. */
void house_kill(const struct slot *s);

/* That could not be started: another try, after a wait. <why> is logged. */
void house_retry(struct slot *s, const struct err *why);

/* NULL: the house has none with that index. */
struct slot *house_find(struct house *h, enum proc p, unsigned index);

/* One slot for each process the plan names, none running. RC_TEMP when memory is out. */
enum rc house_plan(struct house *h, struct err *e) MUST_CHECK;

/* How many of that role the configuration wants. */
unsigned house_wants(const struct cfg *c, enum proc p);

/* All first processes: started, linked, begun. */
enum rc house_start_all(struct house *h, struct err *e) MUST_CHECK;

/* A child ended: log it, replace it after a wait, or go on leaving. */
void house_ended(struct house *h, pid_t pid, int wait_status);

/* Let all finish, those in front first; the loop ends when nobody is left. */
void house_leave(struct house *h, int status);

#endif
