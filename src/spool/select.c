/*
 * Which rows of the queue an operator means: a walk in order of (id, n), a page at a time. The
 * queue may be long and what he looks for rare, so a page ends after so many rows looked at,
 * found or not.
 */
#include "base/id.h"
#include "spool/spool.h"

#define LOOKS 512 /* rows a page: some milliseconds */

enum row_state
select_state(const struct spool *sp, const struct rcpt_row *r)
{
	const struct route *route = route_find(sp, r->route);
	const struct task *t = route == NULL ? NULL : schedule_find(route->schedule, r->id);

	return t != NULL && task_out(t, r->n) != NULL ? ROW_OUT : r->state;
}

/* ---- what fits ---- */

static bool
is_part(struct str whole, struct str part)
{
	for (size_t at = 0; at + part.n <= whole.n; at++)
		if (str_ieq(str_slice(whole, at, at + part.n), part))
			return true;
	return false;
}

/* "@domain" is all of a domain, whatever stands before it. */
static bool
is_address(struct str address, struct str wanted)
{
	if (wanted.n > 0 && wanted.p[0] == '@')
		return str_iends(address, wanted);
	return str_ieq(address, wanted);
}

static bool
fits_sender(struct str sender, struct str wanted)
{
	if (str_eq(wanted, STR("<>")))
		return sender.n == 0;
	return wanted.n == 0 || is_address(sender, wanted);
}

static bool
fits_rcpt(const struct rcpt_row *r, struct str wanted)
{
	return wanted.n == 0 || is_address(r->orig, wanted) || is_address(r->mailbox, wanted);
}

static bool
fits_age(uint64_t id, uint64_t wall_us, const struct msg_queue_ask *m)
{
	uint64_t born_us = id_wall_us(id);
	uint64_t age_us = wall_us > born_us ? wall_us - born_us : 0;

	return age_us >= m->older * 1000000 && (m->newer == 0 || age_us <= m->newer * 1000000);
}

static bool
fits(const struct spool *sp, const struct msg_queue_ask *m, const struct listed *l)
{
	return fits_age(l->rcpt.id, sp->wall_us, m) && fits_sender(l->sender, m->sender) &&
	       fits_rcpt(&l->rcpt, m->rcpt) && is_part(l->rcpt.reply, m->reply) &&
	       (m->states == 0 || (m->states & BIT(select_state(sp, &l->rcpt))) != 0);
}

/* ---- the walk ---- */

void
select_begin(struct spool *sp, struct selection *s, const struct msg_queue_ask *m)
{
	*s = (struct selection){.ask = m, .id = m->id, .n = m->n, .looks = LOOKS};
	tables_list(sp->tables, m->id, m->n);
}

enum rc
select_next(struct spool *sp, struct selection *s, struct listed *ret, struct err *e)
{
	enum rc rc;

	while (s->looks > 0) {
		rc = tables_list_next(sp->tables, ret, e);
		s->over = rc == RC_AGAIN ||
		          (rc == RC_OK && s->ask->last != 0 && ret->rcpt.id > s->ask->last);
		if (s->over || rc != RC_OK)
			return s->over ? RC_AGAIN : rc;
		s->id = ret->rcpt.id;
		s->n = ret->rcpt.n;
		s->looks--;
		if (fits(sp, s->ask, ret))
			return RC_OK;
	}
	return RC_AGAIN;
}

void
select_end(struct spool *sp)
{
	tables_list_end(sp->tables);
}
