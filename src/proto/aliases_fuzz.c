/*
 * What was read, printed and read again, is the same: names and addresses neither merge nor
 * change, in alias files and in virtual tables. Lines are numbered upwards.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/aliases.h"
#include "proto/virtual.h"

#define PRINTED_MOST (1U << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char room[LINES_ROOM];
static char room_again[LINES_ROOM];
static char printed[PRINTED_MOST];

static void
must(bool promise)
{
	if (!promise)
		abort();
}

/* Always quoted: without, a name may begin as a comment or a pattern does. */
static void
print_local(struct buf *b, const char *local)
{
	buf_addc(b, '"');
	for (const char *c = local; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buf_addc(b, '\\');
		buf_addc(b, *c);
	}
	buf_addc(b, '"');
}

static void
print_target(struct buf *b, const struct target *t)
{
	switch (t->kind) {
	case TARGET_ADDRESS:
		buf_addc(b, '\\'); /* a local part may begin as a file's name does */
		address_print(b, &t->address);
		break;
	case TARGET_DOMAIN:
		buf_addf(b, "@%s", t->address.domain.name);
		break;
	default:
		buf_add(b, STR("/dev/null"));
	}
	buf_add(b, STR(", "));
}

static bool
same(const struct address *a, const struct address *b)
{
	return strcmp(a->local, b->local) == 0 && strcmp(a->domain.name, b->domain.name) == 0;
}

/* <again> was printed from <row>. */
static void
check_targets(struct targets row, struct targets again)
{
	struct target t;
	struct target u;

	while (targets_next(&row, &t)) {
		must(t.text.n > 0 && (t.kind == TARGET_BAD) == (t.problem != NULL));
		must(targets_next(&again, &u));
		if (t.kind == TARGET_ADDRESS || t.kind == TARGET_DOMAIN)
			must(u.kind == t.kind && same(&t.address, &u.address));
		else
			must(u.kind == TARGET_NOTHING);
	}
	must(!targets_next(&again, &u));
}

static void
print_targets(struct buf *b, struct targets list)
{
	struct target t;

	while (targets_next(&list, &t))
		print_target(b, &t);
}

static void
check_alias(const struct aliases_row *row)
{
	struct buf b = {.p = printed, .cap = PRINTED_MOST};
	struct aliases_row again;

	buf_clear(&b);
	print_local(&b, row->name);
	buf_add(&b, STR(": "));
	print_targets(&b, row->targets);
	struct lines l = lines_of(buf_str(&b), room_again);
	must(aliases_next(&l, &again));
	if (b.n >= LINES_ROOM)
		return; /* quotes made it too long */
	must(again.problem == NULL && strcmp(again.name, row->name) == 0);
	check_targets(row->targets, again.targets);
}

static void
check_virtual(const struct virtual_row *row)
{
	struct buf b = {.p = printed, .cap = PRINTED_MOST};
	struct virtual_row again;

	buf_clear(&b);
	if (row->kind != VIRTUAL_DOMAIN)
		print_local(&b, row->of.local);
	if (row->kind != VIRTUAL_USER)
		buf_addf(&b, "@%s", row->of.domain.name);
	buf_addc(&b, ' ');
	print_targets(&b, row->targets);
	struct lines l = lines_of(buf_str(&b), room_again);
	must(virtual_next(&l, &again));
	if (b.n >= LINES_ROOM)
		return;
	must(again.problem == NULL && again.kind == row->kind && same(&again.of, &row->of));
	check_targets(row->targets, again.targets);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct aliases_row a;
	struct virtual_row v;
	unsigned line = 0;

	struct lines l = lines_of(text, room);
	while (aliases_next(&l, &a)) {
		must(a.line > line && (a.problem != NULL || a.name[0] != '\0'));
		line = a.line;
		if (a.problem == NULL)
			check_alias(&a);
	}
	line = 0;
	l = lines_of(text, room);
	while (virtual_next(&l, &v)) {
		must(v.line > line);
		line = v.line;
		if (v.problem == NULL)
			check_virtual(&v);
	}
	return 0;
}
