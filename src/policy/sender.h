/*
 * What vault says of a sender that a user of this machine gave (msg sender_answer).
 */
#ifndef POLICY_SENDER_H
#define POLICY_SENDER_H

enum sender_verdict {
	SENDER_MAY,
	SENDER_MAY_NOT, /* not as this: 553 */
	SENDER_NO_USER, /* the uid is nobody's: 550 */
	SENDER_TROUBLE, /* it cannot be told now: 4xx */
};

#endif
