/*
 * Parcels for tests. See dialog_rig.h.
 */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "remote/dialog_rig.h"

static struct parcel *
parcel_to(struct str sender, struct list rcpts, struct str body, uint32_t flags)
{
	struct msg_work w = {.id = 7,
	                     .flags = flags,
	                     .size = body.n,
	                     .hash = XXH3_64bits(body.p, body.n),
	                     .sender = sender,
	                     .rcpts = rcpts,
	                     .body = body};
	struct parcel *p = parcel_of_work(&w);
	struct err e;

	if (p == NULL || parcel_check(p, &e) != RC_OK)
		abort();
	return p;
}

struct parcel *
rig_parcel(unsigned rcpts, struct str body, uint32_t flags)
{
	char room[PARCEL_AIMS_MAX * 64];
	struct buf b = BUF_ON(room);

	for (unsigned i = 0; i < rcpts; i++) {
		char name[32];
		struct buf mailbox = BUF_ON(name);

		buf_addf(&mailbox, "user%u@example.org", i);
		struct item_rcpt r = {.n = (uint16_t)i, .mailbox = buf_str(&mailbox)};
		if (!item_add_rcpt(&b, &r))
			abort();
	}
	return parcel_to(STR("s@example.net"), (struct list){rcpts, buf_str(&b)}, body, flags);
}

struct parcel *
rig_parcel_to(struct str sender, struct str mailbox, uint32_t flags)
{
	char room[512];
	struct buf b = BUF_ON(room);
	struct item_rcpt r = {.mailbox = mailbox};

	if (!item_add_rcpt(&b, &r))
		abort();
	return parcel_to(sender, (struct list){1, buf_str(&b)}, STR("x\n"), flags);
}
