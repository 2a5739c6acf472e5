/*
 * The verbs of the operator's socket: who knows the answer, and how he is asked.
 */
#include "control/request.h"

static void ask_queue_list(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_show(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_explain(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_add(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_remove(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_list(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_status(const struct request *q, uint32_t ask, struct msg *ret);

#define P(name) BIT(PARAM_##name)

/* clang-format off */
static const struct verb verbs[] = {
	/*                                             needs       may           changes */
	{"queue_list", SPOOL, MSG_queue_answer,   0,          P(id) | P(n), false, ask_queue_list},
	{"queue_show", SPOOL, MSG_queue_answer,   P(id),      P(n),         false, ask_queue_show},
	{"explain",    STORE, MSG_journal_answer, P(id),      P(skip),      false, ask_explain},
	{"user_add",   VAULT, MSG_user_answer,    P(address), 0,            true,  ask_user_add},
	{"user_remove", VAULT, MSG_user_answer,   P(address), 0,            true,  ask_user_remove},
	{"user_list",  VAULT, MSG_user_answer,    0,          P(address),   false, ask_user_list},
	{"status",     STATE | SPOOL, MSG_NO_MAX, 0,          0,            false, ask_status},
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

static void
ask_queue(uint32_t ask, uint64_t id, uint16_t n, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_queue_ask,
		.queue_ask = {.ask = ask, .id = id, .n = n, .most = QUEUE_PAGE}
        };
}

static void
ask_queue_list(const struct request *q, uint32_t ask, struct msg *ret)
{
	ask_queue(ask, q->number[PARAM_id], (uint16_t)q->number[PARAM_n], ret);
}

/* From its first recipient on, whose number may be 0: what follows any message before it. */
static void
ask_queue_show(const struct request *q, uint32_t ask, struct msg *ret)
{
	uint64_t id = q->number[PARAM_id];

	if (request_has(q, PARAM_n))
		ask_queue(ask, id, (uint16_t)q->number[PARAM_n], ret);
	else
		ask_queue(ask, id - 1, 9999, ret);
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
ask_status(const struct request *q, uint32_t ask, struct msg *ret)
{
	(void)q;
	*ret = (struct msg){.no = MSG_status_ask, .status_ask.ask = ask};
}
