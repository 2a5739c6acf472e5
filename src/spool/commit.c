/*
 * Group commit: one sync for all that the channels held. "250 means kept" is decided here.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "spool/spool.h"

void
mail_answer(struct channel *edge, uint32_t session, uint64_t id, enum rc rc, bool full)
{
	struct msg m = {
		.no = MSG_mail_reply,
		.mail_reply = {.session = session, .id = id, .rc = (uint8_t)rc, .full = full}
        };
	struct err e;

	if (edge != NULL && channel_send(edge, &m, &e) == RC_AGAIN)
		/* it does not read what it asked for: it would wait for ever for this one */
		channel_cut(edge, "does not read replies");
}

bool
batch_begin(struct spool *sp)
{
	struct err e;

	if (sp->broken)
		return false;
	if (tables_open_changes(sp->tables))
		return true;
	sp->batch.since_ms = sp->now_ms;
	if (tables_begin(sp->tables, &e) == RC_OK)
		return true;
	batch_lost(sp, &e);
	return false;
}

void
batch_add_mail(struct spool *sp, struct pending p, size_t octets)
{
	struct batch *b = &sp->batch;

	b->mails[b->mail_count++] = p;
	b->octets += octets;
	if (b->mail_count == BATCH_MAILS || b->octets >= BATCH_OCTETS)
		(void)batch_commit(sp); /* who waits for it has been told */
}

void
batch_add_body(struct spool *sp, uint64_t id)
{
	struct batch *b = &sp->batch;

	b->bodies[b->body_count++] = id;
	if (b->body_count == BATCH_BODIES)
		(void)batch_commit(sp); /* who waits for it has been told */
}

/* Mail waits for nothing; results wait a little for mail to share its sync with. */
bool
batch_is_due(const struct spool *sp)
{
	if (!tables_open_changes(sp->tables))
		return false;
	return sp->batch.mail_count > 0 || sp->draining ||
	       sp->now_ms - sp->batch.since_ms >= BATCH_WAIT_MS;
}

void
pending_end(struct pending *p)
{
	for (unsigned i = 0; i < p->route_count; i++)
		p->routes[i]->pending--;
	p->route_count = 0;
}

void
batch_forget_letters(struct batch *b)
{
	for (unsigned i = 0; i < b->mail_count; i++) {
		free(b->mails[i].letter);
		b->mails[i].letter = NULL;
	}
}

static void
batch_clear(struct batch *b)
{
	for (unsigned i = 0; i < b->mail_count; i++)
		pending_end(&b->mails[i]);
	b->mail_count = 0;
	b->octets = 0;
	b->body_count = 0;
}

/* Each of its routes has work; where there are many, all look into the tables. */
static void
add_fresh(struct spool *sp, struct pending *p)
{
	struct route *r;

	for (unsigned i = 0; i < p->route_count; i++)
		schedule_add_fresh(p->routes[i]->schedule, p->id, p->arrived_us, p->letter);
	if (!p->more_routes)
		return;
	TAILQ_FOREACH(r, &sp->routes.list, link)
	schedule_deferred(r->schedule, p->arrived_us);
}

static void
batch_kept(struct spool *sp)
{
	struct batch *b = &sp->batch;

	sp->counts.kept += b->mail_count;
	for (unsigned i = 0; i < b->mail_count; i++)
		mail_answer(b->mails[i].edge, b->mails[i].session, b->mails[i].id, RC_OK,
		            false);
	for (unsigned i = 0; i < b->mail_count; i++)
		add_fresh(sp, &b->mails[i]);
	/* a backup that is under way has their rows: the hourly look finds them later */
	for (unsigned i = 0; i < b->body_count && !sp->copy.on; i++)
		body_remove(b->bodies[i]);
	batch_clear(b);
}

bool
batch_commit(struct spool *sp)
{
	struct err e;

	if (sp->broken)
		return false;
	if (tables_commit(sp->tables, &e) == RC_OK) {
		batch_kept(sp);
		return true;
	}
	batch_lost(sp, &e);
	return false;
}

/* Nothing of the batch was promised to anybody: that is what makes this simple. */
static void
answer_lost(struct spool *sp, bool full)
{
	struct batch *b = &sp->batch;

	for (unsigned i = 0; i < b->mail_count; i++) {
		mail_answer(b->mails[i].edge, b->mails[i].session, b->mails[i].id, RC_TEMP,
		            full);
		free(b->mails[i].letter);
		/* rolled back for certain; else the rows may be on the disk after all */
		if (b->mails[i].in_file && !sp->broken)
			body_remove(b->mails[i].id);
	}
	batch_clear(b);
}

void
batch_lost(struct spool *sp, const struct err *e)
{
	bool transient =
		e->sys == ENOSPC || e->sys == ENOMEM || e->sys == EBUSY || e->sys == EEXIST;

	if (sp->broken)
		return;
	log_put(LOG_ERROR, transient ? "batch_lost" : "spool_broken",
	        KVS(kv_text("text", e->text), kv_num("messages", sp->batch.mail_count)));
	/* after a failed sync the file is not touched again: a later sync would succeed and
	 * prove nothing */
	sp->broken = !transient;
	if (transient)
		tables_rollback(sp->tables);
	answer_lost(sp, e->sys == ENOSPC);
	if (!transient)
		return;
	routes_doubt(sp);
	sp->doubt_seq = (uint64_t)sp->boot << 32 | sp->made;
	sp->pause_ms = sp->now_ms + 1000;
}

static void
say_long_log(struct spool *sp, const char *why)
{
	if (tables_log_octets(sp->tables) < LOG_OCTETS_SAID || sp->now_ms < sp->said_log_ms)
		return;
	log_put(LOG_WARN, "spool_log",
	        KVS(kv_num("octets", tables_log_octets(sp->tables)), kv_text("why", why)));
	sp->said_log_ms = sp->now_ms + 60000;
}

void
batch_checkpoint(struct spool *sp)
{
	struct err e;

	if (sp->broken || tables_log_octets(sp->tables) < LOG_OCTETS ||
	    tables_open_changes(sp->tables))
		return;
	say_long_log(sp, "one batch was that long");
	if (tables_checkpoint(sp->tables, &e) == RC_OK)
		return;
	if (e.sys == ENOSPC || e.sys == ENOMEM || e.sys == EBUSY)
		say_long_log(sp, e.text); /* the log can grow on, and is tried again */
	else
		batch_lost(sp, &e);
}
