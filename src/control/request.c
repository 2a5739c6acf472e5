/*
 * The operator's requests. See request.h.
 *
 * Nesting is bounded by what one line has room for and by jansson (2048 levels).
 */
#include <string.h>

#include <jansson.h>

#include "base/id.h"
#include "control/request.h"

static void ask_queue_list(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_queue_show(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_explain(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_add(const struct request *q, uint32_t ask, struct msg *ret);
static void ask_user_list(const struct request *q, uint32_t ask, struct msg *ret);

static void ask_status(const struct request *q, uint32_t ask, struct msg *ret);

static bool take_id(struct str text, struct request *ret);
static bool take_n(struct str text, struct request *ret);
static bool take_skip(struct str text, struct request *ret);
static bool take_address(struct str text, struct request *ret);

#define P_ID BIT(0)
#define P_N BIT(1)
#define P_SKIP BIT(2)
#define P_ADDRESS BIT(3)

/* clang-format off */
static const struct verb verbs[] = {
	/*                                             needs      may            changes */
	{"queue_list", SPOOL, MSG_queue_answer,   0,         P_ID | P_N, false, ask_queue_list},
	{"queue_show", SPOOL, MSG_queue_answer,   P_ID,      P_N,        false, ask_queue_show},
	{"explain",    STORE, MSG_journal_answer, P_ID,      P_SKIP,     false, ask_explain},
	{"user_add",   VAULT, MSG_user_answer,    P_ADDRESS, 0,          true,  ask_user_add},
	{"user_list",  VAULT, MSG_user_answer,    0,         P_ADDRESS,  false, ask_user_list},
	{"status",     STATE | SPOOL, MSG_NO_MAX, 0,         0,          false, ask_status},
};

/* All are texts: a JSON number may not hold 64 bits. */
static const struct param {
	const char *name;
	unsigned bit;
	bool (*take)(struct str text, struct request *ret);
} params[] = {
	{"id",      P_ID,      take_id},      /* of the message */
	{"n",       P_N,       take_n},       /* what follows this recipient of it */
	{"skip",    P_SKIP,    take_skip},    /* without so many first records */
	{"address", P_ADDRESS, take_address}, /* of the account; to list: what follows it */
};
/* clang-format on */

static const struct verb *
verb_find(struct str name)
{
	for (size_t i = 0; i < LENGTH(verbs); i++)
		if (str_eq(name, str_of(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

static const struct param *
param_find(const struct verb *v, const char *name)
{
	for (size_t i = 0; i < LENGTH(params); i++)
		if (strcmp(name, params[i].name) == 0 &&
		    ((v->needs | v->may) & params[i].bit) != 0)
			return &params[i];
	return NULL;
}

static struct str
text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

static enum rc
read_params(json_t *o, struct request *ret, struct err *e)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value)
	{
		if (strcmp(key, "verb") == 0)
			continue;
		const struct param *p = param_find(ret->verb, key);
		if (p == NULL)
			return err_set(e, RC_PERM, "%s has no such parameter", ret->verb->name);
		if (!json_is_string(value) || !p->take(text_of(value), ret))
			return err_set(e, RC_PERM, "%s: bad value of %s", ret->verb->name,
			               p->name);
		ret->given |= p->bit;
	}
	if ((ret->given & ret->verb->needs) != ret->verb->needs)
		return err_set(e, RC_PERM, "%s: a parameter is missing", ret->verb->name);
	return RC_OK;
}

static enum rc
read_object(json_t *o, struct request *ret, struct err *e)
{
	const json_t *verb = json_object_get(o, "verb");
	struct request q = {0};

	if (!json_is_string(verb))
		return err_set(e, RC_PERM, "a request is an object with a verb");
	q.verb = verb_find(text_of(verb));
	if (q.verb == NULL)
		return err_set(e, RC_PERM, "no such verb");
	if (read_params(o, &q, e) != RC_OK)
		return e->rc;
	*ret = q;
	return RC_OK;
}

enum rc
request_read(struct str line, struct request *ret, struct err *e)
{
	json_error_t error;
	json_t *o = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &error);

	if (o == NULL)
		return err_set(e, RC_PERM, "not JSON: %s", error.text);
	enum rc rc = read_object(o, ret, e);
	json_decref(o);
	return rc;
}

static bool
take_id(struct str text, struct request *ret)
{
	return id_parse(text, &ret->id) && ret->id > 0 && ret->id <= INT64_MAX;
}

static bool
take_n(struct str text, struct request *ret)
{
	uint64_t n;

	if (!str_u64(text, 9999, &n))
		return false;
	ret->n = (uint16_t)n;
	return true;
}

static bool
take_skip(struct str text, struct request *ret)
{
	uint64_t n;

	if (!str_u64(text, UINT32_MAX, &n))
		return false;
	ret->skip = (uint32_t)n;
	return true;
}

static bool
take_address(struct str text, struct request *ret)
{
	if (text.n > ADDRESS_OCTETS_MAX || !str_is_printable(text))
		return false;
	memcpy(ret->address, text.p, text.n);
	ret->address_n = text.n;
	return true;
}

struct str
request_address(const struct request *q)
{
	return (struct str){q->address, q->address_n};
}

bool
request_one(const struct request *q)
{
	return (q->verb->needs & P_ID) != 0;
}

void
request_ask(const struct request *q, uint32_t ask, struct msg *ret)
{
	q->verb->ask(q, ask, ret);
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
	ask_queue(ask, q->id, q->n, ret);
}

/* From its first recipient on, whose number may be 0: what follows any message before it. */
static void
ask_queue_show(const struct request *q, uint32_t ask, struct msg *ret)
{
	bool first = (q->given & P_N) == 0;

	ask_queue(ask, first ? q->id - 1 : q->id, first ? 9999 : q->n, ret);
}

static void
ask_explain(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_journal_ask,
		.journal_ask = {.ask = ask, .id = q->id, .skip = q->skip}
        };
}

static void
ask_user_add(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_user_add, .user_add = {.ask = ask, .address = request_address(q)}
        };
}

static void
ask_user_list(const struct request *q, uint32_t ask, struct msg *ret)
{
	*ret = (struct msg){
		.no = MSG_user_list, .user_list = {.ask = ask, .after = request_address(q)}
        };
}

static void
ask_status(const struct request *q, uint32_t ask, struct msg *ret)
{
	(void)q;
	*ret = (struct msg){.no = MSG_status_ask, .status_ask.ask = ask};
}

bool
request_gathers(const struct request *q)
{
	return q->verb->answer == MSG_NO_MAX;
}
