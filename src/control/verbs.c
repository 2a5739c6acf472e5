/*
 * The verbs of the operator's socket: who knows the answer, and how he is asked.
 */
#include "control/request.h"

static void ask_queue_list(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_show(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_body(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_hold(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_release(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_retry(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_delete(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_explain(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_add(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_remove(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_list(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_allow(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_disallow(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_senders(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_reload(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_log(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_copy(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_status(const struct request *q, uint32_t ask, struct msg *ret);

#define P(name) BIT(PARAM_##name)

/* Which recipients of the queue. */
#define FILTERS (P(only) | P(sender) | P(rcpt) | P(reply) | P(state) | P(older) | P(newer))
#define ROWS (P(id) | P(n) | FILTERS) /* a page of them */

/* clang-format off */
static const struct verb verbs[] = {
	/*                                                 needs       may         changes */
	{"queue_list",    SPOOL, MSG_queue_answer,   0,          ROWS,       false, ask_queue_list},
	{"queue_show",    SPOOL, MSG_queue_answer,   P(id),      P(n),       false, ask_queue_show},
	{"queue_body",    SPOOL, MSG_body_answer,    P(id),      P(at),      false, ask_queue_body},
	{"queue_hold",    SPOOL, MSG_queue_changed,  0,          ROWS,       true,  ask_queue_hold},
	{"queue_release", SPOOL, MSG_queue_changed,  0,          ROWS,       true,  ask_queue_release},
	{"queue_retry",   SPOOL, MSG_queue_changed,  0,          ROWS,       true,  ask_queue_retry},
	{"queue_delete",  SPOOL, MSG_queue_changed,  0,          ROWS,       true,  ask_queue_delete},
	{"explain",       STORE, MSG_journal_answer, P(id),      P(skip),    false, ask_explain},
	{"user_add",      VAULT, MSG_user_answer,    P(address), 0,          true,  ask_user_add},
	{"user_remove",   VAULT, MSG_user_answer,    P(address), 0,          true,  ask_user_remove},
	{"user_list",     VAULT, MSG_user_answer,    0,          P(address), false, ask_user_list},
	{"user_allow",    VAULT, MSG_user_answer, P(user) | P(address), 0,   true,  ask_user_allow},
	{"user_disallow", VAULT, MSG_user_answer, P(user) | P(address), 0,   true,  ask_user_disallow},
	{"user_senders",  VAULT, MSG_sender_rows, 0, P(user) | P(address),   false, ask_user_senders},
	{"reload",        MASTER, MSG_master_answer, 0,          0,          true,  ask_reload},
	{"log",           MASTER, MSG_master_answer, P(level) | P(roles), 0, true,  ask_log},
	{"config",        CONTROL, MSG_NO_MAX,       0,          P(at),      false, NULL},
	{"copy_spool",    SPOOL, MSG_copy_answer,    P(act),     0,          false, ask_copy},
	{"copy_accounts", VAULT, MSG_copy_answer,    P(act),     0,          false, ask_copy},
	{"copy_journal",  STORE, MSG_copy_answer,    P(act),     0,          false, ask_copy},
	{"status",        STATE | SPOOL | MASTER, MSG_NO_MAX, 0, 0,          false, ask_status},
	{"metrics",       STATE | SPOOL | MASTER, MSG_NO_MAX, 0, 0,          false, ask_status},
};
/* clang-format on */

const struct verb *
verb_find(struct str name)
{
	for (size_t i = 0; i < LENGTH(verbs); i++)
		if (str_eq(name, str_of(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

/* What queue_ask asks for; as in msg.def. */
enum act { LIST, HOLD, RELEASE, RETRY, DELETE };

/*
 * A page begins where the one before it ended. The first one of a single message begins before
 * its first recipient, whose number may be 0: after any message before it.
 */
static void
ask_queue(const struct request *q, uint32_t ask, enum act act, uint64_t only, struct msg *ret)
{
	uint64_t id = q->number[PARAM_id];
	uint16_t n = (uint16_t)q->number[PARAM_n];

	if (only != 0 && (id == 0 || (id == only && !request_has(q, PARAM_n)))) {
		id = only - 1;
		n = 9999;
	}
	*ret = (struct msg){
		.no = MSG_queue_ask,
		.queue_ask = {.ask = ask,
	                      .act = (uint8_t)act,
	                      .uid = q->uid,
	                      .id = id,
	                      .n = n,
	                      .most = QUEUE_PAGE,
	                      .last = only,
	                      .states = (uint8_t)q->number[PARAM_state],
	                      .older = q->number[PARAM_older],
	                      .newer = q->number[PARAM_newer],
	                      .sender = request_text(q, PARAM_sender),
	                      .rcpt = request_text(q, PARAM_rcpt),
	                      .reply = request_text(q, PARAM_reply)}
        };
}

static void
ask_queue_list(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_queue(q, ask, LIST, q->number[PARAM_only], ret);
}

static void
ask_queue_show(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_queue(q, ask, LIST, q->number[PARAM_id], ret);
}

static void
ask_queue_hold(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_queue(q, ask, HOLD, q->number[PARAM_only], ret);
}

static void
ask_queue_release(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_queue(q, ask, RELEASE, q->number[PARAM_only], ret);
}

static void
ask_queue_retry(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_queue(q, ask, RETRY, q->number[PARAM_only], ret);
}

static void
ask_queue_delete(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_queue(q, ask, DELETE, q->number[PARAM_only], ret);
}

static void
ask_queue_body(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_body_ask,
		.body_ask = {.ask = ask, .id = q->number[PARAM_id], .at = q->number[PARAM_at]}
        };
}

static void
ask_explain(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_journal_ask,
		.journal_ask = {.ask = ask,
	                        .id = q->number[PARAM_id],
	                        .skip = (uint32_t)q->number[PARAM_skip]}
        };
}

static void
ask_user_add(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_user_add,
		.user_add = {.ask = ask, .address = request_text(q, PARAM_address)}
        };
}

static void
ask_user_remove(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_user_remove,
		.user_remove = {.ask = ask, .address = request_text(q, PARAM_address)}
        };
}

static void
ask_user_list(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_user_list,
		.user_list = {.ask = ask, .after = request_text(q, PARAM_address)}
        };
}

static void
ask_allow(const struct request *q, uint32_t ask, bool allow, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_sender_allow,
		.sender_allow = {.ask = ask,
	                         .allow = allow,
	                         .user = request_text(q, PARAM_user),
	                         .address = request_text(q, PARAM_address)}
        };
}

static void
ask_user_allow(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_allow(q, ask, true, ret);
}

static void
ask_user_disallow(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_allow(q, ask, false, ret);
}

static void
ask_user_senders(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_sender_list,
		.sender_list = {.ask = ask,
	                        .user = request_text(q, PARAM_user),
	                        .address = request_text(q, PARAM_address)}
        };
}

static void
ask_reload(const struct request *q, uint32_t ask, struct msg *ret)
{
	(void)q;
	*ret = (struct msg){.no = MSG_reload_ask, .reload_ask.ask = ask};
}

static void
ask_log(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_log_ask,
		.log_ask = {.ask = ask,
	                    .level = (uint8_t)q->number[PARAM_level],
	                    .roles = (uint32_t)q->number[PARAM_roles]}
        };
}

static void
ask_status(const struct request *q, uint32_t ask, struct msg *ret)
{
	(void)q;
	*ret = (struct msg){.no = MSG_status_ask, .status_ask.ask = ask};
}

static void
ask_copy(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_copy_ask,
		.copy_ask = {.ask = ask, .act = (uint8_t)q->number[PARAM_act]}
        };
}
