/*
 * The processes of the house as master sees them: one slot a process, its channel, its pid,
 * its deaths.
 */
#ifndef MASTER_HOUSE_H
#define MASTER_HOUSE_H

#include "ipc/channel.h"
#include "ipc/sandbox.h"
#include "master/listen.h"
#include "master/spawn.h"

struct event;
struct event_base;
struct house;

#define SLOTS_MAX 64

struct slot {
	struct house *house;
	enum proc proc;
	unsigned index;
	pid_t pid;               /* 0: not running */
	struct channel *channel; /* to it; NULL: gone */
	bool ready;              /* its walls stand, it said so */
	bool served;             /* this one or a predecessor was ready */
	unsigned walls;
	unsigned deaths; /* since it last lived for long */
	uint64_t born_ms;
	uint64_t since_us;   /* wall clock of its start, or of its end */
	uint32_t replaced;   /* times */
	struct event *again; /* restarts it when its wait is over */
};

struct house {
	const struct cfg *cfg;
	struct event_base *base;
	struct nursery nursery;
	struct listener listeners[LISTEN_MAX];
	unsigned listener_count;
	int control; /* the operator's listening socket */
	struct slot slots[SLOTS_MAX];
	uint64_t linked_ms[SLOTS_MAX][SLOTS_MAX]; /* when these two were given a channel */
	unsigned slot_count;
	uint64_t since_us;     /* wall clock of our start */
	struct notify *notify; /* the service manager; NULL: there is none */
	bool started;          /* all were ready once */
	bool leaving;          /* nobody is replaced any more */
	unsigned phase;        /* of leaving: leave.c */
	struct event *late;    /* the present phase's time is up */
	int status;            /* to exit with */
};

/* One slot for each process the configuration names, none running. */
void house_plan(struct house *h);

/* Start the slot's process, give it channels to all that run and its listeners. */
enum rc house_start(struct slot *s, bool again, struct err *e) MUST_CHECK;

/* All first processes: started, linked, begun. */
enum rc house_start_all(struct house *h, struct err *e) MUST_CHECK;

/* A child ended: log it, replace it after a wait, or go on leaving. */
void house_ended(struct house *h, pid_t pid, int wait_status);

/* Let all finish, those in front first; the loop ends when nobody is left. */
void house_leave(struct house *h, int status);

#endif
