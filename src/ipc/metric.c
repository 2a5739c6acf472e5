/*
 * Counts of the roles. See metric.h.
 */
#include "ipc/metric.h"

#define METRIC_ROUTES "maildir|user|lmtp" /* enum route_kind of spool */
#define METRIC_REASONS NULL

static const struct metric_row rows[] = {
/* clang-format off */
#define METRIC(key, of, kind, name, label, count, words, help) \
	{METRIC_##key, count, of, METRIC_KIND_##kind, name, label, words, help},
#include "ipc/metric.def"
	/* clang-format on */
};

const struct metric_row *
metric_row_at(size_t at)
{
	return at < LENGTH(rows) ? &rows[at] : NULL;
}

struct str
metric_word(const struct metric_row *row, unsigned word)
{
	struct str rest = str_of(row->words);
	struct str one = STR_NONE;

	if (row->words == NULL)
		return word == REASON_NONE || word >= REASON_COUNT
		               ? STR_NONE
		               : str_of(reason_row((enum reason)word)->name);
	for (unsigned i = 0; i <= word; i++)
		if (!str_cut(&rest, '|', &one))
			return STR_NONE;
	return one;
}

enum rc
metric_answer(struct channel *to, enum proc me, uint32_t ask, uint64_t since_us,
              const struct metrics *m, struct err *e)
{
	static char room[METRIC_COUNT * sizeof(struct item_value)];
	struct buf b = BUF_ON(room);
	struct msg out = {
		.no = MSG_metric_answer, .metric_answer = {.ask = ask, .since_us = since_us}
        };

	buf_clear(&b);
	for (size_t i = 0; i < LENGTH(rows); i++)
		for (unsigned at = rows[i].first;
		     rows[i].of == me && at < rows[i].first + rows[i].count; at++) {
			struct item_value v = {.number = (uint16_t)at, .value = m->n[at]};

			if (v.value > 0 && item_add_value(&b, &v))
				out.metric_answer.values.count++;
		}
	out.metric_answer.values.wire = buf_str(&b);
	return channel_send(to, &out, e);
}
