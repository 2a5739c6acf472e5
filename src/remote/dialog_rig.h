/*
 * For tests: a parcel and a dialog about it, without a socket.
 */
#ifndef REMOTE_DIALOG_RIG_H
#define REMOTE_DIALOG_RIG_H

#include "remote/dialog.h"

/* A message from s@example.net with this body to user0@example.org, user1@... */
struct parcel *rig_parcel(unsigned rcpts, struct str body, uint32_t flags);

/* The same from <sender>, to one <mailbox>. */
struct parcel *rig_parcel_to(struct str sender, struct str mailbox, uint32_t flags);

#endif
