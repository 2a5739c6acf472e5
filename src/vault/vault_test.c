/*
 * The real vault behind its walls, asked as edge and control ask it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "cfg/cfg.h"
#include "policy/rcpt.h"
#include "role/try.h"

#define LETTERS 26 /* accounts a@ to z@ */

struct house {
	char dir[64];
	struct cfg_domain domains[2];
	struct cfg_alias alias;
	struct str to[LETTERS];
	struct cfg cfg;
	struct try vault;
	int edge;
	int control;
};

static const char letters[] = "a@example.org b@example.org c@example.org d@example.org "
			      "e@example.org f@example.org g@example.org h@example.org "
			      "i@example.org j@example.org k@example.org l@example.org "
			      "m@example.org n@example.org o@example.org p@example.org "
			      "q@example.org r@example.org s@example.org t@example.org "
			      "u@example.org v@example.org w@example.org x@example.org "
			      "y@example.org z@example.org";

static void
configure(struct house *h)
{
	struct str rest = str_of(letters);

	for (unsigned i = 0; i < LETTERS; i++)
		assert_true(str_cut(&rest, ' ', &h->to[i]));
	h->alias = (struct cfg_alias){STR("all"), h->to, LETTERS};
	h->domains[0] =
		(struct cfg_domain){.name = STR("example.com"), .same_as = STR("example.org")};
	h->domains[1] = (struct cfg_domain){
		.name = STR("example.org"), .aliases = &h->alias, .alias_count = 1};
	try_config(&h->cfg);
	h->cfg.hostname = STR("example.org");
	h->cfg.domains = h->domains;
	h->cfg.domain_count = 2;
	h->cfg.home = 1;
}

static void
start(struct house *h)
{
	h->vault = try_start(VAULT, &h->cfg, h->dir);
	h->edge = try_link(&h->vault, EDGE, 0);
	h->control = try_link(&h->vault, CONTROL, 0);
	try_begin(&h->vault);
}

static void
stop(struct house *h)
{
	assert_int_equal(try_stop(&h->vault), 0);
	(void)close(h->edge);
	(void)close(h->control);
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct buf b = BUF_ON(h->dir);

	buf_add(&b, STR("/tmp/sekisho-vault-XXXXXX"));
	assert_non_null(mkdtemp(h->dir));
	configure(h);
	start(h);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;
	static const char *const names[] = {"", "-wal", "-shm"};

	stop(h);
	for (size_t i = 0; i < LENGTH(names); i++) {
		char path[128];
		struct buf b = BUF_ON(path);

		buf_addf(&b, "%s/accounts.db%s", h->dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(h->dir), 0);
	free(h);
	return 0;
}

static enum rc
add(struct house *h, struct str address, char *text, size_t room)
{
	struct msg m = {
		.no = MSG_user_add, .user_add = {.ask = 5, .address = address}
        };
	struct buf b = {.p = text, .cap = room};

	try_send(&h->vault, h->control, CONTROL, &m);
	assert_true(try_take(&h->vault, h->control, CONTROL, &m));
	assert_int_equal(m.no, MSG_user_answer);
	assert_int_equal(m.user_answer.ask, 5);
	buf_clear(&b);
	buf_add(&b, m.user_answer.text);
	return (enum rc)m.user_answer.rc;
}

static void
ask(struct house *h, const char *local, const char *domain, struct msg *ret)
{
	struct msg m = {
		.no = MSG_rcpt_ask,
		.rcpt_ask = {1, 2, .local = str_of(local), .domain = str_of(domain)}
        };

	try_send(&h->vault, h->edge, EDGE, &m);
	assert_true(try_take(&h->vault, h->edge, EDGE, ret));
	assert_int_equal(ret->no, MSG_rcpt_answer);
	assert_int_equal(ret->rcpt_answer.session, 1);
	assert_int_equal(ret->rcpt_answer.ask, 2);
}

/* An account is there for edges with its confirmation, and after a restart. */
static void
test_add_then_ask(void **state)
{
	struct house *h = *state;
	struct item_target target;
	struct msg m;
	char text[256];

	ask(h, "alice", "example.org", &m);
	assert_int_equal(m.rcpt_answer.verdict, RCPT_NO_SUCH);
	assert_int_equal(add(h, STR("Alice@Example.org"), text, sizeof(text)), RC_OK);
	assert_int_equal(add(h, STR("alice@example.org"), text, sizeof(text)), RC_PERM);
	assert_string_equal(text, "alice@example.org exists already");
	assert_int_equal(add(h, STR("alice@example.com"), text, sizeof(text)), RC_PERM);
	assert_non_null(strstr(text, "the mailbox is alice@example.org"));
	for (int round = 0; round < 2; round++) {
		ask(h, "ALICE+x", "example.com", &m);
		assert_int_equal(m.rcpt_answer.verdict, RCPT_MAILBOXES);
		assert_int_equal(m.rcpt_answer.more, 0);
		assert_true(item_next_target(&m.rcpt_answer.targets, &target));
		assert_str(target.mailbox, STR("alice@example.org"));
		assert_false(item_next_target(&m.rcpt_answer.targets, &target));
		stop(h);
		start(h);
	}
	ask(h, "alice", "elsewhere.example", &m);
	assert_int_equal(m.rcpt_answer.verdict, RCPT_NOT_OURS);
}

static void
add_letters(struct house *h)
{
	char text[256];

	for (unsigned i = 0; i < LETTERS; i++)
		assert_int_equal(add(h, h->to[i], text, sizeof(text)), RC_OK);
}

static void
test_alias_and_list(void **state)
{
	struct house *h = *state;
	struct item_target target;
	struct item_account account;
	struct msg m;

	add_letters(h);
	ask(h, "all", "example.org", &m);
	assert_int_equal(m.rcpt_answer.targets.count, LETTERS);
	for (unsigned i = 0; i < LETTERS; i++) {
		assert_true(item_next_target(&m.rcpt_answer.targets, &target));
		assert_str(target.mailbox, h->to[i]);
	}
	m = (struct msg){
		.no = MSG_user_list, .user_list = {.ask = 9, .after = STR("x@example.org")}
        };
	try_send(&h->vault, h->control, CONTROL, &m);
	assert_true(try_take(&h->vault, h->control, CONTROL, &m));
	assert_int_equal(m.user_answer.ask, 9);
	assert_int_equal(m.user_answer.rc, RC_OK);
	assert_int_equal(m.user_answer.more, 0);
	assert_int_equal(m.user_answer.accounts.count, 2);
	assert_true(item_next_account(&m.user_answer.accounts, &account));
	assert_str(account.address, STR("y@example.org"));
	assert_true(account.added_us > 0);
}

/* Messages over two channels have no order: asked until it is so, or for 5 s. */
static void
assert_becomes(struct house *h, const char *local, enum rcpt_verdict want)
{
	struct msg m = {.rcpt_answer = {.verdict = UINT8_MAX}};

	for (unsigned i = 0; i < 500 && m.rcpt_answer.verdict != want; i++) {
		ask(h, local, "example.org", &m);
		if (m.rcpt_answer.verdict != want)
			(void)usleep(10000);
	}
	assert_int_equal(m.rcpt_answer.verdict, want);
}

static void
send_aliases(struct house *h, const char *text)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fflush(file) == 0);
	struct msg m = {
		.no = MSG_map, .map = {.kind = MAP_ALIASES, .file = fileno(file)}
        };
	try_send(&h->vault, h->vault.master, MASTER, &m);
	(void)fclose(file);
}

/* Files come as descriptors, behind all walls. */
static void
test_maps(void **state)
{
	struct house *h = *state;
	struct str path = STR("/t/aliases");

	stop(h);
	h->cfg.alias_files = (struct cfg_files){&path, 1};
	start(h);
	assert_becomes(h, "one", RCPT_TROUBLE);
	send_aliases(h, "two: /dev/null\n");
	assert_becomes(h, "one", RCPT_NO_SUCH);
	assert_becomes(h, "two", RCPT_DISCARD);
	send_aliases(h, "one: one\n");
	assert_becomes(h, "one", RCPT_LOOP); /* names itself, and is no account */
	assert_becomes(h, "two", RCPT_NO_SUCH);
	struct msg m = {
		.no = MSG_map_gone,
		.map_gone = {.kind = MAP_ALIASES, .removed = 1, .why = STR("no such file")}
        };
	try_send(&h->vault, h->vault.master, MASTER, &m);
	assert_becomes(h, "two", RCPT_TROUBLE);
}

static void
test_remove(void **state)
{
	struct house *h = *state;
	char text[256];
	struct msg m;

	assert_int_equal(add(h, STR("alice@example.org"), text, sizeof(text)), RC_OK);
	assert_becomes(h, "alice", RCPT_MAILBOXES);
	for (int round = 0; round < 2; round++) {
		m = (struct msg){
			.no = MSG_user_remove,
			.user_remove = {.ask = 6, .address = STR("Alice@example.org")}
                };
		try_send(&h->vault, h->control, CONTROL, &m);
		assert_true(try_take(&h->vault, h->control, CONTROL, &m));
		assert_int_equal(m.user_answer.ask, 6);
		assert_int_equal(m.user_answer.rc, round == 0 ? RC_OK : RC_PERM);
		ask(h, "alice", "example.org", &m);
		assert_int_equal(m.rcpt_answer.verdict, RCPT_NO_SUCH);
	}
}

/* A neighbour that breaks the rules loses its channel; the others keep theirs. */
static void
test_hostile_neighbour(void **state)
{
	struct house *h = *state;
	struct msg m;

	assert_int_equal(write(h->control, "no message", 10), 10);
	assert_false(try_take(&h->vault, h->control, CONTROL, &m));
	ask(h, "alice", "example.org", &m);
	assert_int_equal(m.rcpt_answer.verdict, RCPT_NO_SUCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add_then_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alias_and_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_maps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_neighbour, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
