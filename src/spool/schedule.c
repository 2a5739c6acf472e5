/*
 * The windows over the queue. See schedule.h.
 */
#include <stdlib.h>
#include <string.h>

#include "spool/schedule.h"

TAILQ_HEAD(lane_list, lane);

struct schedule {
	struct schedule_bounds bounds;
	struct table *tasks; /* id -> struct task * */
	struct task_list ready;
	struct lane_list lanes;
	unsigned fresh; /* ready, of each kind */
	unsigned rows;
	unsigned out;
	size_t octets; /* of letters */
	uint64_t horizon_us;

	/* Rows up to <cursor> have been seen; behind it there may be ones to read now
	 * (<unread>), and there are none that fall due before <next_us>. */
	struct due cursor;
	bool unread;
	uint64_t next_us;
};

struct schedule *
schedule_new(struct schedule_bounds bounds, struct table_secret secret, uint64_t horizon_us)
{
	struct schedule *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	TAILQ_INIT(&s->ready);
	TAILQ_INIT(&s->lanes);
	s->bounds = bounds;
	s->horizon_us = horizon_us;
	s->unread = true;
	s->next_us = UINT64_MAX;
	s->tasks = table_new(sizeof(uint64_t), sizeof(struct task *), bounds.tasks, secret);
	return s->tasks == NULL ? schedule_free(s) : s;
}

struct schedule *
schedule_free(struct schedule *s)
{
	struct lane *l;
	struct task *t;

	if (s == NULL)
		return NULL;
	while ((l = TAILQ_FIRST(&s->lanes)) != NULL)
		schedule_lane_drop(s, l);
	while ((t = TAILQ_FIRST(&s->ready)) != NULL)
		schedule_drop(s, t);
	(void)table_free(s->tasks);
	free(s);
	return NULL;
}

void
schedule_horizon(struct schedule *s, uint64_t horizon_us)
{
	s->horizon_us = horizon_us;
	schedule_doubt(s);
}

/* ---- letters ---- */

static struct str
copy_to(char **at, struct str s)
{
	struct str copy = {*at, s.n};

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

struct letter *
letter_new(uint64_t seq, const struct msg_mail_commit *m)
{
	struct letter *l =
		malloc(sizeof(*l) + m->sender.n + m->envid.n + m->rcpts.wire.n + m->body.n);

	if (l == NULL)
		return NULL;
	char *at = l->octets;
	l->seq = seq;
	l->size = m->size;
	l->hash = m->hash;
	l->flags = m->flags;
	l->sender = copy_to(&at, m->sender);
	l->envid = copy_to(&at, m->envid);
	l->rcpts = (struct list){m->rcpts.count, copy_to(&at, m->rcpts.wire)};
	l->body = copy_to(&at, m->body);
	return l;
}

static size_t
letter_octets(const struct letter *l)
{
	return sizeof(*l) + l->sender.n + l->envid.n + l->rcpts.wire.n + l->body.n;
}

static void
drop_letter(struct schedule *s, struct task *t)
{
	if (t->letter == NULL)
		return;
	s->octets -= letter_octets(t->letter);
	*s->bounds.all -= letter_octets(t->letter);
	free(t->letter);
	t->letter = NULL;
}

bool
schedule_wants_letter(const struct schedule *s)
{
	return s->fresh < s->bounds.fresh && s->octets < s->bounds.octets &&
	       *s->bounds.all < s->bounds.all_most;
}

/* ---- delivers ---- */

struct lane *
schedule_lane_new(struct schedule *s, struct channel *c)
{
	struct lane *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->channel = c;
	TAILQ_INIT(&l->out);
	TAILQ_INSERT_TAIL(&s->lanes, l, link);
	return l;
}

struct lane *
schedule_lane(const struct schedule *s, const struct channel *c)
{
	struct lane *l;

	TAILQ_FOREACH(l, &s->lanes, link)
	if (l->channel == c)
		return l;
	return NULL;
}

struct lane *
schedule_lane_best(const struct schedule *s)
{
	struct lane *best = NULL;
	struct lane *l;

	TAILQ_FOREACH(l, &s->lanes, link)
	if (!l->voided && l->credit > (best == NULL ? 0 : best->credit))
		best = l;
	return best;
}

struct lane *
schedule_lane_turn(struct schedule *s)
{
	struct lane *l = schedule_lane_best(s);

	if (l == NULL)
		return NULL;
	TAILQ_REMOVE(&s->lanes, l, link);
	TAILQ_INSERT_TAIL(&s->lanes, l, link);
	return l;
}

struct lane *
schedule_lane_next(const struct schedule *s, const struct lane *after)
{
	return after == NULL ? TAILQ_FIRST(&s->lanes) : TAILQ_NEXT(after, link);
}

/* ---- ready and out ---- */

static void
push_ready(struct schedule *s, struct task *t, bool first)
{
	if (first)
		TAILQ_INSERT_HEAD(&s->ready, t, link);
	else
		TAILQ_INSERT_TAIL(&s->ready, t, link);
	*(t->fresh ? &s->fresh : &s->rows) += 1;
}

static void
pull_ready(struct schedule *s, struct task *t)
{
	TAILQ_REMOVE(&s->ready, t, link);
	*(t->fresh ? &s->fresh : &s->rows) -= 1;
}

static void
push_out(struct schedule *s, struct task *t, struct lane *l)
{
	t->lane = l;
	TAILQ_INSERT_TAIL(&l->out, t, link);
	s->out++;
}

static void
pull_out(struct schedule *s, struct task *t)
{
	TAILQ_REMOVE(&t->lane->out, t, link);
	t->lane = NULL;
	s->out--;
	free(t->out);
	t->out = NULL;
	t->out_count = 0;
	t->out_left = 0;
	t->stay = 0;
}

void
schedule_lane_drop(struct schedule *s, struct lane *l)
{
	struct task *t;

	/* from its newest on, so that the oldest comes to stand first */
	while ((t = TAILQ_LAST(&l->out, task_list)) != NULL) {
		pull_out(s, t);
		drop_letter(s, t);
		t->again = true;
		push_ready(s, t, true);
	}
	TAILQ_REMOVE(&s->lanes, l, link);
	free(l);
}

struct task *
schedule_find(const struct schedule *s, uint64_t id)
{
	struct task **at = table_get(s->tasks, &id);

	return at == NULL ? NULL : *at;
}

/* NULL: no room, or memory is out. */
static struct task *
task_new(struct schedule *s, uint64_t id)
{
	struct task *t = calloc(1, sizeof(*t));
	struct task **at = t == NULL ? NULL : table_put(s->tasks, &id);

	if (at == NULL) {
		free(t);
		return NULL;
	}
	t->id = id;
	*at = t;
	return t;
}

static void
task_free(struct schedule *s, struct task *t)
{
	drop_letter(s, t);
	(void)table_drop(s->tasks, &t->id);
	free(t->out);
	free(t);
}

/* A row that falls due then is not in memory: the cursor must come by it. */
static void
leave_to_cursor(struct schedule *s, uint64_t due_us)
{
	if (due_us <= s->cursor.us)
		s->cursor = (struct due){0};
}

void
schedule_add_fresh(struct schedule *s, uint64_t id, uint64_t arrived_us, struct letter *letter)
{
	struct task *t = s->fresh < s->bounds.fresh && schedule_find(s, id) == NULL
	                         ? task_new(s, id)
	                         : NULL;

	if (t == NULL) {
		free(letter);
		leave_to_cursor(s, arrived_us);
		s->unread = true;
		return;
	}
	t->fresh = true;
	t->letter = letter;
	t->arrived_us = arrived_us;
	if (letter != NULL) {
		s->octets += letter_octets(letter);
		*s->bounds.all += letter_octets(letter);
	}
	push_ready(s, t, false);
}

bool
schedule_is_due(const struct schedule *s, uint64_t next_us, uint64_t now_us)
{
	return next_us <= now_us || next_us - now_us > s->horizon_us;
}

unsigned
schedule_wants_rows(struct schedule *s, uint64_t now_us)
{
	if (s->next_us != UINT64_MAX && schedule_is_due(s, s->next_us, now_us))
		s->unread = true;
	return s->unread && s->rows < s->bounds.rows / 2 &&
	                       table_count(s->tasks) < s->bounds.tasks
	               ? s->bounds.rows
	               : 0;
}

uint64_t
schedule_next_us(const struct schedule *s)
{
	return s->unread ? 0 : s->next_us;
}

struct due
schedule_cursor(const struct schedule *s)
{
	return s->cursor;
}

/* False: no room for it. */
static bool
take_row(struct schedule *s, const struct due *row)
{
	struct task *t = schedule_find(s, row->id);

	if (t != NULL) {
		/* ready: it takes all that is due when it goes out; out: the row may be one
		 * that is not, or was put off while others are out still */
		if (t->lane != NULL && (!t->whole || t->stay > 0))
			t->look = true;
		return true;
	}
	if (s->rows >= s->bounds.rows)
		return false;
	t = task_new(s, row->id);
	if (t == NULL)
		return false;
	push_ready(s, t, false);
	return true;
}

void
schedule_take_rows(struct schedule *s, const struct due *rows, unsigned count, unsigned most,
                   uint64_t now_us)
{
	uint64_t next_us = UINT64_MAX;
	unsigned i;

	for (i = 0; i < count; i++) {
		if (!schedule_is_due(s, rows[i].us, now_us)) {
			next_us = rows[i].us;
			break;
		}
		if (!take_row(s, &rows[i]))
			return;
		/* not past now: rows put off later must come behind it */
		if (rows[i].us <= now_us)
			s->cursor = rows[i];
	}
	if (i == count && count == most)
		return;
	s->unread = false;
	s->next_us = next_us;
}

void
schedule_take_far(struct schedule *s, const struct due *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!take_row(s, &rows[i]))
			return; /* they are read again */
}

struct task *
schedule_first(const struct schedule *s)
{
	return TAILQ_FIRST(&s->ready);
}

bool
schedule_hand(struct schedule *s, struct task *t, struct lane *l, const struct out_rcpt *out,
              unsigned count)
{
	size_t texts = 0;

	for (unsigned i = 0; i < count; i++)
		texts += out[i].mailbox.n + out[i].orig.n;
	struct out_rcpt *copy = malloc(count * sizeof(*copy) + texts);
	if (copy == NULL)
		return false;
	char *at = (char *)(copy + count);
	for (unsigned i = 0; i < count; i++) {
		copy[i] = out[i];
		copy[i].mailbox = copy_to(&at, out[i].mailbox);
		copy[i].orig = copy_to(&at, out[i].orig);
	}
	pull_ready(s, t);
	t->out = copy;
	t->out_count = count;
	t->out_left = count;
	t->stay = 0;
	push_out(s, t, l);
	l->credit--;
	return true;
}

void
schedule_unhand(struct schedule *s, struct task *t)
{
	t->lane->credit++;
	pull_out(s, t);
	push_ready(s, t, true);
}

void
schedule_sent(struct schedule *s, struct task *t)
{
	drop_letter(s, t);
}

struct out_rcpt *
task_out(const struct task *t, unsigned n)
{
	for (unsigned i = 0; i < t->out_count; i++)
		if (t->out[i].n == n)
			return t->out[i].settled ? NULL : &t->out[i];
	return NULL;
}

void
schedule_reread(struct schedule *s, uint64_t id)
{
	struct task *t = schedule_find(s, id);

	if (t == NULL)
		return;
	if (t->lane == NULL) {
		drop_letter(s, t);
		return;
	}
	t->whole = false;
	t->look = true;
	t->stay = 0; /* whether rows stay, the tables say */
}

void
schedule_deferred(struct schedule *s, uint64_t next_us)
{
	leave_to_cursor(s, next_us);
	if (next_us < s->next_us)
		s->next_us = next_us;
}

void
schedule_done(struct schedule *s, struct task *t, bool stays)
{
	bool look = t->look && stays;

	pull_out(s, t);
	if (!look) {
		task_free(s, t);
		return;
	}
	drop_letter(s, t);
	t->look = false;
	t->whole = false;
	t->fresh = false;
	push_ready(s, t, false);
}

void
schedule_drop(struct schedule *s, struct task *t)
{
	pull_ready(s, t);
	task_free(s, t);
}

void
schedule_doubt(struct schedule *s)
{
	struct lane *l;
	struct task *t;

	s->cursor = (struct due){0};
	s->unread = true;
	TAILQ_FOREACH(l, &s->lanes, link)
	TAILQ_FOREACH(t, &l->out, link)
	{
		t->look = true;
		t->whole = false;
	}
}

void
schedule_forget_letters(struct schedule *s)
{
	struct task *t;

	TAILQ_FOREACH(t, &s->ready, link)
	drop_letter(s, t);
}

unsigned
schedule_out_count(const struct schedule *s)
{
	return s->out;
}

unsigned
schedule_ready_count(const struct schedule *s)
{
	return s->fresh + s->rows;
}

unsigned
schedule_out_rcpts(const struct schedule *s)
{
	unsigned count = 0;
	struct lane *l;
	struct task *t;

	TAILQ_FOREACH(l, &s->lanes, link)
	TAILQ_FOREACH(t, &l->out, link)
	count += t->out_left;
	return count;
}

unsigned
schedule_out_held(const struct schedule *s)
{
	unsigned count = 0;
	struct lane *l;
	struct task *t;

	TAILQ_FOREACH(l, &s->lanes, link)
	TAILQ_FOREACH(t, &l->out, link)
	for (unsigned i = 0; i < t->out_count; i++)
		count += t->out[i].held && !t->out[i].settled;
	return count;
}
