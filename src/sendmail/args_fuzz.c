/*
 * Whatever the words are: what is understood points into them, a caller names no files (-C, -X
 * as a word of options are never obeyed), recipients are the last words, and a message has
 * some or takes them from its header.
 */
#include <stdlib.h>
#include <string.h>

#include "sendmail/args.h"

#define WORDS_MOST 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool promise)
{
	if (!promise)
		abort();
}

/* Words end in a NUL. Returns how many there are; the last may lack its own. */
static int
cut_words(char *room, size_t size, char **argv)
{
	int argc = 0;

	for (size_t at = 0; at < size && argc < WORDS_MOST; at += strlen(room + at) + 1)
		argv[argc++] = room + at;
	argv[argc] = NULL;
	return argc;
}

static bool
within(struct str s, const char *room, size_t size)
{
	return s.n == 0 || (s.p >= room && s.p + s.n <= room + size);
}

static void
check(const struct args *a, int argc, char *const *argv, const char *room, size_t size)
{
	must(a->mode <= MODE_HELP);
	must(a->rcpt_count == 0 || a->rcpts + a->rcpt_count == argv + argc);
	must(a->mode != MODE_SEND || a->extract || a->rcpt_count > 0);
	must(a->mode == MODE_SEND || a->mode == MODE_HELP || a->rcpt_count == 0);
	must(within(a->sender, room, size) && within(a->full_name, room, size));
	must(within(a->envid, room, size) && within(a->notify, room, size));
	/* the first word of options cannot be another one's value */
	if (argc > 1 && argv[1][0] == '-')
		must((argv[1][1] != 'C' && argv[1][1] != 'X') || a->mode == MODE_HELP);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MOST + 1];
	char *room = malloc(size + 1);
	struct args a;
	struct err e = {.rc = RC_OK};

	if (room == NULL)
		return 0;
	memcpy(room, data, size);
	room[size] = '\0';
	int argc = cut_words(room, size, argv);
	if (args_parse(argc, argv, &a, &e) == RC_OK)
		check(&a, argc, argv, room, size + 1);
	else
		must(e.rc == RC_PERM && e.text[0] != '\0');
	free(room);
	return 0;
}
