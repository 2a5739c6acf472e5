/*
 * sekisho.conf(5) at build time: copies its argument to standard output, and puts the rows of
 * cfg.def and section.def in the place of the line `.\" OPTIONS`. So none can be forgotten.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cfg/cfg_fixed.h"
#include "cfg/cfg_schema.h"
#include "cfg/cfg_units.h"

#define MARK ".\\\" OPTIONS\n"
#define DOC_OCTETS 4096

/* Text for mdoc(7): no octet of it is a request, an escape or beyond ASCII. */
static void
print_text(struct str text)
{
	if (text.n > 0 && (text.p[0] == '.' || text.p[0] == '\''))
		(void)fputs("\\&", stdout);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '\\')
			(void)fputs("\\e", stdout);
		else if (c == 0xc2 && i + 1 < text.n) /* U+0080 to U+00BF: the section sign */
			(void)printf("\\[u%04X]", (unsigned char)text.p[++i]);
		else
			(void)putchar(c);
	}
}

/* Each sentence on a line of its own, as mdoc wants it. */
static void
print_doc(const char *doc)
{
	struct str rest = str_of(doc);

	while (rest.n > 0) {
		size_t end = 0;

		while (end + 2 < rest.n && !(rest.p[end] == '.' && rest.p[end + 1] == ' ' &&
		                             rest.p[end + 2] >= 'A' && rest.p[end + 2] <= 'Z'))
			end++;
		end = end + 2 < rest.n ? end + 1 : rest.n;
		print_text(str_slice(rest, 0, end));
		(void)putchar('\n');
		rest = str_slice(rest, end + 1, rest.n);
	}
}

static void
print_choice(const char *choices, const char *initial)
{
	struct str rest = str_of(choices);
	struct str word;

	(void)fputs("One of\n.Cm", stdout);
	while (str_cut(&rest, '|', &word))
		(void)printf(" %.*s %s", STR_FMT(word), rest.n > 0 ? "," : ";\n");
	(void)printf("default\n.Cm %s .\n", initial);
}

static void
print_number(const struct cfg_row *row)
{
	char room[128];
	struct buf b = BUF_ON(room);

	cfg_units_print(row->unit, row->min, &b);
	buf_add(&b, STR(" to "));
	cfg_units_print(row->unit, row->max, &b);
	buf_add(&b, STR(", default "));
	cfg_units_print(row->unit, row->number, &b);
	(void)printf("In %s: %s.\n", row->unit, room);
}

static const struct cfg_row *
row_of(const struct cfg_key *key)
{
	const struct cfg_row *row;

	for (size_t i = 0; (row = cfg_row_at(i)) != NULL; i++)
		if (key->in == SCOPE_root && strcmp(row->name, key->name) == 0)
			return row;
	return NULL;
}

static void
print_key(const struct cfg_key *key)
{
	const struct cfg_row *row = row_of(key);

	(void)printf(".It Ic %s\n", key->name);
	print_doc(key->doc);
	if (row != NULL && row->kind == ROW_NUMBER)
		print_number(row);
	else if (row != NULL && row->kind == ROW_CHOICE)
		print_choice(row->choices, row->initial);
	else if (row != NULL && row->initial[0] != '\0')
		(void)printf("Default:\n.Ql %s .\n", row->initial);
	else if (key->choices != NULL)
		print_choice(key->choices, key->initial);
	if (key->kind == KEY_LIST)
		(void)puts("A list.");
	if (row != NULL && cfg_row_is_fixed(row))
		(void)puts("A running server keeps the old value until it is started anew.");
}

static void
print_keys(enum cfg_scope in)
{
	const struct cfg_key *key;

	(void)puts(".Bl -tag -width Ds");
	for (size_t i = 0; (key = cfg_key_at(i)) != NULL; i++)
		if (key->in == in && key->kind != KEY_SECTION)
			print_key(key);
	(void)puts(".El");
}

static void
print_sections(void)
{
	const struct cfg_key *key;

	for (size_t i = 0; (key = cfg_key_at(i)) != NULL; i++) {
		if (key->kind != KEY_SECTION)
			continue;
		(void)printf(".Ss %s \\(dqTITLE\\(dq\n", key->name);
		print_doc(key->doc);
		print_keys(key->opens);
	}
}

int
main(int argc, char **argv)
{
	FILE *in = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[DOC_OCTETS];
	unsigned marks = 0;

	if (in == NULL)
		return EX_NOINPUT;
	while (fgets(line, sizeof(line), in) != NULL) {
		if (strcmp(line, MARK) != 0) {
			(void)fputs(line, stdout);
			continue;
		}
		marks++;
		(void)puts(".Sh OPTIONS");
		print_keys(SCOPE_root);
		(void)puts(".Sh SECTIONS");
		print_sections();
	}
	(void)fclose(in); /* only read from */
	return marks == 1 && fflush(stdout) == 0 ? EX_OK : EX_DATAERR;
}
