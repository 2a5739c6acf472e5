/*
 * Any graph of aliases: resolve says what a reference says that colours the graph the slow
 * way. Names are letters; of them, input octets make aliases, targets, accounts, a catch_all.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "vault/resolve.h"

#define NAMES 16
#define TARGETS 4
#define NOBODY NAMES /* a target that is neither alias nor account */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct graph {
	bool account[NAMES];
	bool alias[NAMES];
	unsigned to[NAMES][TARGETS];
	unsigned to_count[NAMES];
	unsigned catch_all; /* NOBODY: none */
	/* the same as a configuration */
	char texts[NAMES + 1][16];
	struct str targets[NAMES][TARGETS];
	struct cfg_alias aliases[NAMES];
	struct cfg_domain domain;
	struct cfg cfg;
};

static struct str
text_of(struct graph *g, unsigned name)
{
	struct buf b = BUF_ON(g->texts[name]);

	buf_addf(&b, "%c@x.example", 'a' + (char)name);
	return buf_str(&b);
}

/* A name is two octets and its targets: whether it is an account, an alias, to how many. */
static void
read_graph(struct graph *g, const uint8_t *data, size_t size)
{
	size_t at = 1;

	g->catch_all = size > 0 && data[0] < NAMES ? data[0] : NOBODY;
	for (unsigned name = 0; name < NAMES && at < size; name++) {
		uint8_t kind = data[at++];

		g->account[name] = (kind & 1) != 0;
		g->alias[name] = (kind & 2) != 0;
		for (unsigned i = 0; i < (kind >> 2) % (TARGETS + 1) && at < size; i++)
			g->to[name][g->to_count[name]++] = data[at++] % (NAMES + 1);
	}
}

static void
configure(struct graph *g)
{
	unsigned count = 0;

	for (unsigned name = 0; name < NAMES; name++) {
		if (!g->alias[name])
			continue;
		for (unsigned i = 0; i < g->to_count[name]; i++)
			g->targets[name][i] = text_of(g, g->to[name][i]);
		g->aliases[count++] = (struct cfg_alias){str_slice(text_of(g, name), 0, 1),
		                                         g->targets[name], g->to_count[name]};
	}
	g->domain = (struct cfg_domain){
		.name = STR("x.example"), .aliases = g->aliases, .alias_count = count};
	if (g->catch_all != NOBODY)
		g->domain.catch_all = text_of(g, g->catch_all);
	g->cfg = (struct cfg){
		.hostname = STR("x.example"), .domains = &g->domain, .domain_count = 1};
}

static enum rc
has(void *arg, struct str mailbox, bool *ret, struct err *e)
{
	const struct graph *g = arg;
	unsigned name = (unsigned)(mailbox.p[0] - 'a');

	(void)e;
	assert(mailbox.n == 11 && name <= NOBODY);
	*ret = name < NAMES && g->account[name];
	return RC_OK;
}

static void
astray(void *arg, struct str domain, struct str alias, struct str target)
{
	const struct graph *g = arg;
	unsigned name = (unsigned)(target.p[0] - 'a');

	(void)domain;
	(void)alias;
	assert(name == NOBODY || (!g->account[name] && !g->alias[name]));
}

/* ---- the reference ---- */

struct answer {
	enum rcpt_verdict verdict;
	bool accounts[NAMES];
};

/* reach[a][b]: alias a has alias b, another one, among its targets, perhaps over others. */
static void
close_over(const struct graph *g, bool reach[NAMES][NAMES])
{
	memset(reach, 0, sizeof(bool[NAMES][NAMES]));
	for (unsigned a = 0; a < NAMES; a++)
		for (unsigned i = 0; g->alias[a] && i < g->to_count[a]; i++)
			if (g->to[a][i] != a && g->to[a][i] != NOBODY && g->alias[g->to[a][i]])
				reach[a][g->to[a][i]] = true;
	for (unsigned k = 0; k < NAMES; k++)
		for (unsigned a = 0; a < NAMES; a++)
			for (unsigned b = 0; b < NAMES; b++)
				reach[a][b] = reach[a][b] || (reach[a][k] && reach[k][b]);
}

/* One alias's own targets. */
static void
take_targets(const struct graph *g, unsigned alias, struct answer *ret)
{
	for (unsigned i = 0; i < g->to_count[alias]; i++) {
		unsigned to = g->to[alias][i];

		if (to == alias && !g->account[to])
			ret->verdict = RCPT_LOOP;
		if (to != NOBODY && g->account[to] && (to == alias || !g->alias[to]))
			ret->accounts[to] = true;
	}
}

static struct answer
reference(const struct graph *g, unsigned name)
{
	struct answer ret = {.verdict = RCPT_TROUBLE};
	bool reach[NAMES][NAMES];

	close_over(g, reach);
	if (!g->alias[name]) {
		ret.verdict = g->account[name] ? RCPT_MAILBOXES : RCPT_NO_SUCH;
		ret.accounts[name] = g->account[name];
		return ret;
	}
	for (unsigned a = 0; a < NAMES; a++) {
		if (a != name && !reach[name][a])
			continue;
		take_targets(g, a, &ret);
		if (reach[a][a])
			ret.verdict = RCPT_LOOP;
	}
	for (unsigned a = 0; a < NAMES; a++)
		if (ret.accounts[a] && ret.verdict != RCPT_LOOP)
			ret.verdict = RCPT_MAILBOXES;
	return ret;
}

/* With the catch_all: it is an alias without a name to come back to. */
static struct answer
reference_rcpt(const struct graph *g, unsigned name)
{
	struct answer ret = reference(g, name);

	if (ret.verdict != RCPT_NO_SUCH || g->catch_all == NOBODY)
		return ret;
	ret = reference(g, g->catch_all);
	if (ret.verdict == RCPT_NO_SUCH)
		ret.verdict = RCPT_TROUBLE;
	return ret;
}

static void
compare(struct graph *g, struct resolve *r, unsigned name)
{
	struct answer want = reference_rcpt(g, name);
	struct resolved got;
	struct err e;
	unsigned count = 0;

	enum rc rc =
		resolve_rcpt(r, str_slice(text_of(g, name), 0, 1), STR("x.example"), &got, &e);
	assert(rc == RC_OK && got.verdict == want.verdict);
	if (want.verdict != RCPT_MAILBOXES)
		return;
	for (unsigned a = 0; a < NAMES; a++) {
		if (!want.accounts[a])
			continue;
		assert(count < got.count && str_eq(got.mailboxes[count], text_of(g, a)));
		count++;
	}
	assert(count == got.count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct graph g;

	g = (struct graph){.catch_all = NOBODY};
	read_graph(&g, data, size);
	configure(&g);
	struct resolve *r = resolve_new(&g.cfg, NULL, (struct resolve_use){has, astray, &g});
	assert(r != NULL);
	for (unsigned name = 0; name < NAMES; name++)
		compare(&g, r, name);
	(void)resolve_free(r);
	return 0;
}
