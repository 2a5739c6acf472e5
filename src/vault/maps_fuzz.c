/*
 * Any alias file, virtual table and passwd: each address leads to users with a mailbox and
 * accounts that there are, each once and in order, in bounded time; what is discarded or
 * refused leads to none.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "vault/maps.h"
#include "vault/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str files[] = {STR_INIT("/t")};
static struct cfg_domain domains[] = {
	{.name = STR_INIT("s.example"), .mailboxes = MAILBOXES_SYSTEM},
	{.name = STR_INIT("v.example")                            },
};
static const struct cfg cfg = {
	.hostname = STR_INIT("v.example"),
	.domains = domains,
	.domain_count = LENGTH(domains),
	.home = 1,
	.system = 1,
	.system_accounts = SYSTEM_ACCOUNTS_discard,
	.system_uid_min = 1000,
	.system_uid_max = 59999,
	.alias_files = {files, 1},
	.virtual_files = {files, 1},
};
static const char *const locals[] = {"a", "b", "c", "root", "postmaster", "a+b", "x y", ""};
static const char *const asked[] = {"s.example", "v.example", "[192.0.2.1]", "w.example"};

static void
must(bool promise)
{
	if (!promise)
		abort();
}

static enum rc
has(void *arg, struct str mailbox, bool *ret, struct err *e)
{
	(void)arg;
	(void)e;
	*ret = str_eq(mailbox, STR("a@v.example")) || str_eq(mailbox, STR("b@v.example"));
	return RC_OK;
}

static void
astray(void *arg, struct str domain, struct str alias, struct str target)
{
	(void)arg;
	(void)alias;
	must(domain.n > 0 && target.n > 0);
}

static void
give(struct maps *m, enum cfg_map kind, struct str text)
{
	int fd = memfd_create("file", 0);

	must(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	must(maps_take(m, kind, 0, fd));
}

static bool
is_somebody(const struct maps *m, struct str mailbox)
{
	size_t at = str_rfind(mailbox, '@');
	struct str domain = str_slice(mailbox, at + 1, mailbox.n);
	struct err e;
	bool account;

	if (str_eq(domain, STR("s.example")))
		return maps_user(m, str_slice(mailbox, 0, at)) == USER_MAILBOX;
	return has(NULL, mailbox, &account, &e) == RC_OK && account;
}

static void
check(struct resolve *r, const struct maps *m, struct str local, struct str domain)
{
	struct resolved got;
	struct err e;

	must(resolve_rcpt(r, local, domain, &got, &e) == RC_OK);
	must((got.verdict == RCPT_MAILBOXES) == (got.count > 0));
	must((got.verdict == RCPT_NOT_OURS) == str_eq(domain, STR("w.example")));
	for (unsigned i = 0; i < got.count; i++) {
		must(is_somebody(m, got.mailboxes[i]));
		must(i == 0 || str_order(got.mailboxes[i - 1], got.mailboxes[i]) < 0);
	}
}

/* The three files, each up to a NUL. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};
	struct maps *m = maps_new(&cfg);
	struct str text = STR_NONE;

	log_open(-1, "fuzz", LOG_ERROR);
	must(m != NULL);
	struct resolve *r = resolve_new(&cfg, m, (struct resolve_use){has, astray, NULL});
	must(r != NULL);
	for (unsigned kind = 0; kind < CFG_MAP_KINDS && str_cut(&rest, '\0', &text); kind++)
		give(m, (enum cfg_map)kind, text);
	for (size_t i = 0; i < LENGTH(locals); i++)
		for (size_t k = 0; k < LENGTH(asked); k++)
			check(r, m, str_of(locals[i]), str_of(asked[k]));
	(void)resolve_free(r);
	(void)maps_free(m);
	return 0;
}
