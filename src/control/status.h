/*
 * The state of the house: its processes, as master tells them, and what state and spool say
 * when an operator asks.
 */
#ifndef CONTROL_STATUS_H
#define CONTROL_STATUS_H

#include "base/buf.h"
#include "control/tally.h"
#include "ipc/msg.h"

#define PROCESSES_MAX 209U /* of the house, master among them */

struct processes {
	struct msg_process all[PROCESSES_MAX];
	unsigned count;
};

/* One started, became ready, ended, or is gone for good. False: there are more than a house
 * has. */
bool processes_note(struct processes *ps, const struct msg_process *p) MUST_CHECK;

/* What an answer is put together from. */
struct gathering {
	uint32_t ask;     /* 0: nobody asks */
	unsigned awaited; /* enum proc bits: asked, and neither answered nor gone */
	unsigned counts;  /* enum proc bits: asked for their counts, and not answered */
	uint64_t edges;   /* likewise, by index */
	unsigned silent;  /* enum proc bits: did not answer, or could not */
	struct msg_state_status state;
	struct msg_spool_status spool;
	uint32_t reloads;
	uint32_t reloads_refused;
	unsigned usage_count;
	struct item_usage usages[PROCESSES_MAX];
};

void gathering_begin(struct gathering *g, uint32_t ask, unsigned awaited);

/* The answer of <from>. False: nobody awaits that one. */
bool gathering_take(struct gathering *g, enum proc from, const struct msg *m);

/* It is gone, or too late. */
void gathering_miss(struct gathering *g, unsigned procs);

/* The counts of one are here (tally.h has them), or (<missed>) do not come. */
void gathering_counted(struct gathering *g, enum proc of, unsigned index, bool missed);

/* Nothing is awaited any more. */
bool gathering_over(const struct gathering *g);

/* All that control has put together over time. */
struct known {
	struct processes processes;
	struct tally tally;
	struct pace pace;
};

/*
 * The whole answer, one row:
 * `{"version":..,"pid":..,"since":..,"uptime":seconds,"processes":[..],
 * "connections":{..},"queue":{..},"rates":{..},"silent":["spool"]}`; connections and queue are
 * null where they are not known. b->cut where memory or room was out.
 */
void answer_status(struct buf *b, const struct known *k, const struct gathering *g,
                   uint64_t now_ms, uint64_t wall_us);

/* What that process takes; NULL where master could not see it. */
const struct item_usage *gathering_usage(const struct gathering *g,
                                         const struct msg_process *p);

/* metrics.c: the same in Prometheus' text format 0.0.4. b->cut where room was out. */
void metrics_text(struct buf *b, const struct known *k, const struct gathering *g,
                  uint64_t wall_us);

/* That as an answer, a row a line. */
void answer_metrics(struct buf *b, struct str text);

#endif
