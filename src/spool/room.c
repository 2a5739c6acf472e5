/*
 * The reserve: below it no new mail is taken, so that what is here can still be delivered.
 */
#include <sys/statvfs.h>

#include "base/log.h"
#include "cfg/cfg.h"
#include "spool/spool.h"

#define INODES_MIN 100

void
room_tell(const struct spool *sp, struct channel *edge)
{
	struct msg m = {.no = MSG_spool_room, .spool_room.open = !sp->is_full};
	struct err e;

	if (channel_send(edge, &m, &e) == RC_AGAIN)
		channel_cut(edge, "does not read");
}

/* Once short, a sixteenth more must be free: the state must not flap with each message. */
static bool
is_short(const struct spool *sp, const struct statvfs *fs)
{
	uint64_t reserve = sp->cfg->spool_reserve;
	uint64_t octets = (uint64_t)fs->f_bavail * fs->f_frsize;

	if (sp->is_full)
		reserve += reserve / 16;
	/* file systems without a table of inodes say 0 of 0 */
	return octets < reserve || (fs->f_files > 0 && fs->f_favail < INODES_MIN);
}

void
room_look(struct spool *sp)
{
	struct statvfs fs;
	struct box *b;

	if (statvfs(".", &fs) < 0)
		return; /* the next write will say what is wrong */
	sp->room = (uint64_t)fs.f_bavail * fs.f_frsize;
	bool is_full = is_short(sp, &fs);
	if (is_full == sp->is_full)
		return;
	sp->is_full = is_full;
	log_put(is_full ? LOG_ERROR : LOG_INFO, is_full ? "spool_full" : "spool_room",
	        KVS(kv_num("free", sp->room), kv_num("reserve", sp->cfg->spool_reserve),
	            kv_num("inodes", (uint64_t)fs.f_favail)));
	TAILQ_FOREACH(b, &sp->boxes, link)
	room_tell(sp, b->channel);
}
