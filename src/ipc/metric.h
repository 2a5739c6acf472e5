/*
 * Counts of the roles: metric.def as numbers. A role has one struct metrics, and adds to
 * n[METRIC_key + word].
 */
#ifndef IPC_METRIC_H
#define IPC_METRIC_H

#include "ipc/channel.h"
#include "policy/reason.h"

enum metric {
#define METRIC(key, of, kind, name, label, count, words, help) \
	METRIC_##key, METRIC_##key##_last = METRIC_##key + (count)-1,
#include "ipc/metric.def"
	METRIC_COUNT /* of values, not of rows */
};

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE };

struct metric_row {
	unsigned first; /* enum metric */
	unsigned count;
	enum proc of;
	enum metric_kind kind;
	const char *name;
	const char *label;
	const char *words; /* NULL: the names of reasons.def */
	const char *help;
};

struct metrics {
	uint64_t n[METRIC_COUNT];
};

/* Row <at>, or NULL past the last. */
const struct metric_row *metric_row_at(size_t at);

/* "maildir": the label's value; empty where the row has none, or none of that number. */
struct str metric_word(const struct metric_row *row, unsigned word);

/*
 * All that <me> counts which is not 0: the answer to metric_ask. <since_us> names the process:
 * the wall clock of its start. As channel_send.
 */
enum rc metric_answer(struct channel *to, enum proc me, uint32_t ask, uint64_t since_us,
                      const struct metrics *m, struct err *e) MUST_CHECK;

#endif
