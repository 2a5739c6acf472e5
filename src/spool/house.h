/*
 * For tests of spool as a process, behind its walls: they are its master, its edge, its
 * deliver and its control.
 */
#ifndef SPOOL_HOUSE_H
#define SPOOL_HOUSE_H

#include "base/id.h"
#include "cfg/cfg.h"
#include "ipc/msg.h"
#include "role/try.h"

struct house {
	char folder[64];
	struct cfg cfg;
	struct try spool;
	int edge;
	int deliver;
	int control;
	struct id_source ids;
};

/* A test's own: TEST(test_x) in the list. */
int house_setup(void **state);
int house_teardown(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_setup, house_teardown)

/* Start it on the folder as it is, and link its neighbours. */
void house_settle_in(struct house *h);
/* SIGKILL, and the neighbours' ends are closed. */
void house_kill(struct house *h);
/* The deliver leaves; another comes in its place. */
void house_replace_deliver(struct house *h);

/* Recipients userFROM@ ... up to, without, userTO@; <b> holds them. */
struct list house_rcpts(struct buf *b, unsigned from, unsigned to);
struct msg house_commit(uint64_t id, struct list rcpts, struct str body);
/* spool's answer to the mail_commit of <id>. */
enum rc house_answer(struct house *h, uint64_t id);
/* A message of <count> recipients, answered RC_OK; its id. */
uint64_t house_keep(struct house *h, unsigned count, struct str body);

void house_want(struct house *h, unsigned messages);
/* What deliver gets; texts live until the next message is taken. */
struct msg_work house_work(struct house *h);
void house_done(struct house *h, uint64_t id, unsigned from, unsigned to, enum rc rc);

/* How many rows the queue has, and the first of them (NULL: any). */
unsigned house_queue(struct house *h, struct item_queued *ret_first);
/* It is empty soon: results come over another channel than the question. */
void house_queue_empties(struct house *h);

#endif
