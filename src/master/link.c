/*
 * Channels between neighbours. See link.h.
 */
#include "master/link.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "master/house.h"

#define RELINK_MS 900 /* a pair gets no second channel before */

static enum rc
send_link(struct slot *to, const struct slot *peer, int fd, struct err *e)
{
	struct msg m = {
		.no = MSG_link,
		.link = {.peer = (uint8_t)proc_number(peer->proc),
	                 .index = (uint16_t)peer->index,
	                 .channel = fd}
        };

	return channel_send(to->channel, &m, e);
}

/* The one place for a pair, whichever is named first. Modulo 2^32: 49 days, and a wrong guess
 * costs a second. */
static uint32_t *
linked_ms(struct slot *a, struct slot *b)
{
	struct house *h = a->house;
	struct slot *low = a < b ? a : b;

	return &h->linked_ms[low - h->slots][(low == a ? b : a) - h->slots];
}

static enum rc
link_pair(struct slot *a, struct slot *b, struct err *e)
{
	int ends[2];

	if (channel_pair(ends, e) != RC_OK)
		return e->rc;
	CLEANUP(fd_closep) int first = ends[0];
	CLEANUP(fd_closep) int second = ends[1];
	*linked_ms(a, b) = (uint32_t)clock_mono_ms();
	if (send_link(a, b, first, e) != RC_OK)
		return e->rc;
	return send_link(b, a, second, e);
}

enum rc
link_all(struct slot *s, struct err *e)
{
	struct house *h = s->house;

	for (unsigned i = 0; i < h->slot_count; i++) {
		struct slot *peer = &h->slots[i];

		if (peer->channel == NULL || peer->apart || !proc_linked(s->proc, peer->proc))
			continue;
		if (link_pair(s, peer, e) != RC_OK && e->rc != RC_TEMP)
			return e->rc;
	}
	return RC_OK;
}

/* It does not read what it has been sent: whatever is queued holds a descriptor of ours. */
static bool
is_behind(const struct slot *s)
{
	return s->channel == NULL || channel_queued(s->channel) > 0;
}

void
link_again(struct slot *s, const struct msg_relink *m)
{
	struct slot *peer = house_find(s->house, proc_of(m->peer), m->index);
	struct err e;

	if (s->house->leaving || peer == NULL || is_behind(peer) || is_behind(s) ||
	    peer->apart || !proc_linked(s->proc, peer->proc) ||
	    (uint32_t)clock_mono_ms() - *linked_ms(s, peer) < RELINK_MS)
		return;
	log_put(LOG_WARN, "relink",
	        KVS(kv_text("of", proc_name(s->proc)), kv_num("index", s->index),
	            kv_text("peer", proc_name(peer->proc)), kv_num("peer_index", peer->index)));
	if (link_pair(s, peer, &e) != RC_OK)
		log_say(LOG_ERROR, "relink", e.text);
}
