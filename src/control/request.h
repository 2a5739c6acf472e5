/*
 * What the operator may ask: one JSON object a line, `{"verb":"explain","id":"06d..."}`. The
 * table of verbs is verbs.c, that of their parameters param.def.
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <sys/types.h>

#include "ipc/msg.h"

#define REQUEST_OCTETS_MAX 8192U /* one line, with its LF */
#define QUEUE_PAGE 32U           /* rows in one answer */

#define PARAM(name, kind, most, what) PARAM_##name,
enum param {
#include "control/param.def"
	PARAM_COUNT
};

struct request;

struct verb {
	const char *name;
	enum proc of;       /* who knows; several, each a part of it: gathers */
	enum msg_no answer; /* and says so with; MSG_NO_MAX where several do */
	unsigned needs;     /* parameters, BIT(PARAM_...) */
	unsigned may;
	bool changes; /* what the house holds: worth a line in the log */
	void (*ask)(const struct request *q, uint32_t ask, struct msg *ret);
};

struct request {
	const struct verb *verb;
	uid_t uid;                    /* who asks; request_read leaves it to its caller */
	unsigned given;               /* BIT(PARAM_...) */
	uint64_t number[PARAM_COUNT]; /* ids too; 0 where not given */
	struct {
		uint16_t at; /* in room */
		uint16_t n;
	} text[PARAM_COUNT];
	size_t room_n;
	char room[REQUEST_OCTETS_MAX]; /* of all texts */
};

/* verbs.c; NULL: no such verb. */
const struct verb *verb_find(struct str name);

/*
 * Read one line, without its LF. Nothing in *ret points into it, nor into *ret: it may be
 * copied. RC_PERM: not JSON, a verb nobody knows, a parameter missing, unknown, given twice or
 * out of its bounds.
 */
enum rc request_read(struct str line, struct request *ret, struct err *e) MUST_CHECK;

/* The question for the process that knows; its texts live as long as <q>. */
void request_ask(const struct request *q, uint32_t ask, struct msg *ret);

/* Whether that is its verb. */
bool request_is(const struct request *q, const char *verb);

bool request_has(const struct request *q, enum param p);

/* Empty where it was not given. */
struct str request_text(const struct request *q, enum param p);

/* Whether several know, and what some of them say is an answer. */
bool request_gathers(const struct request *q);

/* What is asked, for the log: at most <most> fields. Returns how many there are. */
struct kv;
unsigned request_fields(const struct request *q, struct kv *ret, unsigned most);

#endif
