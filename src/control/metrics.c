/*
 * What `sekisho metrics` prints: Prometheus' text format 0.0.4. Counters are a process's own:
 * they begin anew where it does, which readers of that format expect.
 */
#include <inttypes.h>

#include "base/id.h"
#include "control/answer.h"
#include "control/status.h"

static void
add_line(struct buf *b, const struct buf *line)
{
	if (line->cut)
		b->cut = true;
	buf_add(b, buf_str(line));
	buf_addc(b, '\n');
}

static void
add_head(struct buf *b, const char *name, const char *type, const char *help)
{
	char room[256];
	struct buf line = BUF_ON(room);

	buf_addf(&line, "# HELP %s %s", name, help);
	add_line(b, &line);
	buf_clear(&line);
	buf_addf(&line, "# TYPE %s %s", name, type);
	add_line(b, &line);
}

static void
add_metric(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
	char room[128];
	struct buf line = BUF_ON(room);

	add_head(b, name, type, help);
	buf_addf(&line, "%s %" PRIu64, name, value);
	add_line(b, &line);
}

static uint64_t
age_s(uint64_t id, uint64_t wall_us)
{
	uint64_t born_us = id == 0 ? wall_us : id_wall_us(id);

	return wall_us > born_us ? (wall_us - born_us) / 1000000 : 0;
}

static void
add_house(struct buf *b, const struct gathering *g, uint64_t wall_us)
{
	const struct msg_spool_status *s = &g->spool;
	const struct msg_state_status *c = &g->state;

	/* clang-format off */
#define HOUSE(name, type, of, value, help) \
	if ((g->silent & (of)) == 0) \
		add_metric(b, #name, #type, help, value);
#include "control/house.def"
	/* clang-format on */
}

/* ---- what roles count ---- */

static void
add_word(struct buf *b, const struct metric_row *row, const struct tally *t, unsigned word)
{
	struct str name = metric_word(row, word);
	char room[160];
	struct buf line = BUF_ON(room);

	if (row->label[0] != '\0' && name.n == 0)
		return; /* no reason at all */
	buf_addf(&line, "%s", row->name);
	if (row->label[0] != '\0')
		buf_addf(&line, "{%s=\"%.*s\"}", row->label, STR_FMT(name));
	buf_addf(&line, " %" PRIu64, tally_value(t, row, word));
	add_line(b, &line);
}

/* Values that are 0 too: a rate needs to know where a counter began. */
static void
add_row(struct buf *b, const struct metric_row *row, const struct tally *t)
{
	if (row->kind == METRIC_KIND_GAUGE && !tally_knows(t, row->of))
		return;
	add_head(b, row->name, row->kind == METRIC_KIND_GAUGE ? "gauge" : "counter", row->help);
	for (unsigned w = 0; w < row->count; w++)
		add_word(b, row, t, w);
}

/* ---- processes ---- */

/* A value of one process; false: it has none. */
typedef bool value_of(const struct msg_process *p, const struct gathering *g, struct buf *ret);

static bool
value_up(const struct msg_process *p, const struct gathering *g, struct buf *ret)
{
	(void)g;
	buf_addf(ret, "%d", p->pid != 0 && p->ready != 0);
	return true;
}

static bool
value_replaced(const struct msg_process *p, const struct gathering *g, struct buf *ret)
{
	(void)g;
	buf_addf(ret, "%" PRIu32, p->replaced);
	return true;
}

static bool
value_since(const struct msg_process *p, const struct gathering *g, struct buf *ret)
{
	(void)g;
	buf_addf(ret, "%" PRIu64 ".%06" PRIu64, p->since_us / 1000000, p->since_us % 1000000);
	return p->pid != 0;
}

static bool
value_memory(const struct msg_process *p, const struct gathering *g, struct buf *ret)
{
	const struct item_usage *u = gathering_usage(g, p);

	if (u == NULL || u->memory == 0)
		return false;
	buf_addf(ret, "%" PRIu64, u->memory);
	return true;
}

static bool
value_cpu(const struct msg_process *p, const struct gathering *g, struct buf *ret)
{
	const struct item_usage *u = gathering_usage(g, p);

	if (u == NULL)
		return false;
	buf_addf(ret, "%" PRIu64 ".%06" PRIu64, u->cpu_us / 1000000, u->cpu_us % 1000000);
	return true;
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	value_of *value;
} of_process[] = {
	{"sekisho_process_up",                 "gauge",   "1: it runs, behind its walls.", value_up      },
	{"sekisho_process_replaced_total",     "counter", "Times it was replaced.",        value_replaced},
	{"sekisho_process_start_time_seconds", "gauge",   "When it started, Unix time.",
         value_since										     },
	{"sekisho_process_memory_bytes",       "gauge",   "Memory that it alone has.",     value_memory  },
	{"sekisho_process_cpu_seconds_total",  "counter", "Processor time it took.",       value_cpu     },
};

static void
add_process(struct buf *b, const char *name, const struct msg_process *p, struct str value)
{
	char room[160];
	struct buf line = BUF_ON(room);

	buf_addf(&line, "%s{role=\"%s\",index=\"%u\"} %.*s", name, proc_name(proc_of(p->role)),
	         (unsigned)p->index, STR_FMT(value));
	add_line(b, &line);
}

void
metrics_text(struct buf *b, const struct known *k, const struct gathering *g, uint64_t wall_us)
{
	const struct processes *ps = &k->processes;
	const struct metric_row *row;

	add_house(b, g, wall_us);
	for (size_t i = 0; (row = metric_row_at(i)) != NULL; i++)
		add_row(b, row, &k->tally);
	for (size_t m = 0; m < LENGTH(of_process); m++) {
		add_head(b, of_process[m].name, of_process[m].type, of_process[m].help);
		for (unsigned i = 0; i < ps->count; i++) {
			char room[48];
			struct buf value = BUF_ON(room);

			if (of_process[m].value(&ps->all[i], g, &value))
				add_process(b, of_process[m].name, &ps->all[i],
				            buf_str(&value));
		}
	}
}

void
answer_metrics(struct buf *b, struct str text)
{
	struct str line;

	while (str_cut(&text, '\n', &line))
		if (line.n > 0)
			answer_line(b, json_pack("{s:{s:s%}}", "row", "text", line.p, line.n));
	answer_end(b, false);
}
