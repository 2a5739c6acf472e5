/*
 * The operator's requests. See request.h.
 *
 * Nesting is bounded by what one line has room for and by jansson (2048 levels).
 */
#include <string.h>

#include <jansson.h>

#include "base/id.h"
#include "base/log.h"
#include "control/request.h"

enum kind { ID, NUMBER, TEXT, ROWSTATE };

/* clang-format off */
static const struct {
	const char *name;
	enum kind kind;
	uint64_t most;
} params[PARAM_COUNT] = {
#define PARAM(name, kind, most, what) [PARAM_##name] = {#name, kind, most},
#include "control/param.def"
};
/* clang-format on */

/* PARAM_COUNT: this verb has none of that name. */
static enum param
param_find(const struct verb *v, const char *name)
{
	unsigned p = 0;

	while (p < PARAM_COUNT &&
	       (strcmp(name, params[p].name) != 0 || ((v->needs | v->may) & BIT(p)) == 0))
		p++;
	return (enum param)p;
}

static struct str
text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

static bool
take_id(struct str text, uint64_t *ret)
{
	return id_parse(text, ret) && *ret > 0 && *ret <= INT64_MAX;
}

static bool
take_text(struct str text, uint64_t most, enum param p, struct request *ret)
{
	if (text.n > most || text.n > sizeof(ret->room) - ret->room_n ||
	    !str_is_printable(text))
		return false;
	memcpy(ret->room + ret->room_n, text.n == 0 ? "" : text.p, text.n);
	ret->text[p].at = (uint16_t)ret->room_n;
	ret->text[p].n = (uint16_t)text.n;
	ret->room_n += text.n;
	return true;
}

static bool
take_state(struct str text, uint64_t *ret)
{
	static const char *const words[] = {"waiting", "held", "out"}; /* queued of item.def */

	for (unsigned i = 0; i < LENGTH(words); i++)
		if (str_eq(text, str_of(words[i]))) {
			*ret = BIT(i);
			return true;
		}
	return false;
}

static bool
take(struct str text, enum param p, struct request *ret)
{
	ret->given |= BIT(p);
	switch (params[p].kind) {
	case ID:
		return take_id(text, &ret->number[p]);
	case NUMBER:
		return str_u64(text, params[p].most, &ret->number[p]);
	case ROWSTATE:
		return take_state(text, &ret->number[p]);
	default:
		return take_text(text, params[p].most, p, ret);
	}
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
		enum param p = param_find(ret->verb, key);
		if (p == PARAM_COUNT)
			return err_set(e, RC_PERM, "%s has no such parameter", ret->verb->name);
		if (!json_is_string(value) || !take(text_of(value), p, ret))
			return err_set(e, RC_PERM, "%s: bad value of %s", ret->verb->name,
			               params[p].name);
	}
	if ((ret->given & ret->verb->needs) != ret->verb->needs)
		return err_set(e, RC_PERM, "%s: a parameter is missing", ret->verb->name);
	return RC_OK;
}

static enum rc
read_object(json_t *o, struct request *ret, struct err *e)
{
	const json_t *verb = json_object_get(o, "verb");

	*ret = (struct request){.verb = NULL};
	if (!json_is_string(verb))
		return err_set(e, RC_PERM, "a request is an object with a verb");
	ret->verb = verb_find(text_of(verb));
	if (ret->verb == NULL)
		return err_set(e, RC_PERM, "no such verb");
	return read_params(o, ret, e);
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

void
request_ask(const struct request *q, uint32_t ask, struct msg *ret)
{
	q->verb->ask(q, ask, ret);
}

bool
request_is(const struct request *q, const char *verb)
{
	return strcmp(q->verb->name, verb) == 0;
}

bool
request_has(const struct request *q, enum param p)
{
	return (q->given & BIT(p)) != 0;
}

struct str
request_text(const struct request *q, enum param p)
{
	return (struct str){q->room + q->text[p].at, q->text[p].n};
}

bool
request_gathers(const struct request *q)
{
	return q->verb->answer == MSG_NO_MAX;
}

static struct kv
field_of(const struct request *q, enum param p)
{
	const char *name = params[p].name;

	switch (params[p].kind) {
	case ID:
		return kv_id(name, q->number[p]);
	case NUMBER:
	case ROWSTATE:
		return kv_num(name, q->number[p]);
	default:
		return kv_str(name, request_text(q, p));
	}
}

unsigned
request_fields(const struct request *q, struct kv *ret, unsigned most)
{
	unsigned count = 0;

	if (most < 2)
		return 0;
	ret[count++] = kv_text("verb", q->verb->name);
	ret[count++] = kv_num("uid", q->uid);
	for (unsigned p = 0; p < PARAM_COUNT && count < most; p++)
		if (request_has(q, (enum param)p))
			ret[count++] = field_of(q, (enum param)p);
	return count;
}
