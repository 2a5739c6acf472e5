/*
 * sekisho queue list --summary: recipients by domain and age, as Postfix's qshape(1) shows
 * them: where mail piles up, and since when.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/clock.h"
#include "command/command.h"
#include "command/print.h"
#include "command/queue.h"

/* Younger than so many minutes; the last one has all the rest. */
static const unsigned minutes[] = {5, 10, 20, 40, 80, 160, 320, 640, 1280};
#define AGES (LENGTH(minutes) + 1)
#define DOMAINS_MAX 10000U /* the rest is counted together */
#define DOMAIN_ROOM 256

struct line {
	char domain[DOMAIN_ROOM];
	uint64_t ages[AGES];
	uint64_t all;
};

struct summary {
	struct line total;
	struct line others; /* of domains there was no place for */
	struct line *lines;
	unsigned count;
	uint64_t now_us;
};

static struct line *
line_of(struct summary *s, struct str domain)
{
	for (unsigned i = 0; i < s->count; i++)
		if (str_ieq(str_of(s->lines[i].domain), domain))
			return &s->lines[i];
	if (s->count == DOMAINS_MAX || domain.n >= DOMAIN_ROOM)
		return &s->others;
	struct line *l = &s->lines[s->count++];
	struct buf b = BUF_ON(l->domain);
	buf_add(&b, domain);
	return l;
}

static void
count(struct line *l, size_t age)
{
	l->ages[age]++;
	l->all++;
}

static void
on_row(void *arg, json_t *row)
{
	struct summary *s = arg;
	struct str rcpt = client_text(row, "rcpt");
	uint64_t born_us = queue_born_us(row);
	size_t age = 0;

	uint64_t age_s = s->now_us > born_us ? (s->now_us - born_us) / 1000000 : 0;
	while (age < LENGTH(minutes) && age_s >= (uint64_t)minutes[age] * 60)
		age++;
	count(line_of(s, str_slice(rcpt, str_rfind(rcpt, '@') + 1, rcpt.n)), age);
	count(&s->total, age);
}

static int
more_first(const void *a, const void *b)
{
	const struct line *la = a;
	const struct line *lb = b;

	if (la->all != lb->all)
		return la->all < lb->all ? 1 : -1;
	return strcmp(la->domain, lb->domain);
}

/* ---- what is printed ---- */

static void
print_line(const char *name, const struct line *l)
{
	print_column(stdout, str_of(name), 30);
	(void)printf("%7llu", (unsigned long long)l->all);
	for (size_t i = 0; i < AGES; i++)
		(void)printf(" %6llu", (unsigned long long)l->ages[i]);
	(void)putchar('\n');
}

static void
print_table(const struct summary *s)
{
	(void)printf("%-30s %7s", "", "T");
	for (size_t i = 0; i < LENGTH(minutes); i++)
		(void)printf(" %6u", minutes[i]);
	(void)printf("  %u+\n", minutes[LENGTH(minutes) - 1]);
	print_line("TOTAL", &s->total);
	for (unsigned i = 0; i < s->count; i++)
		print_line(s->lines[i].domain, &s->lines[i]);
	if (s->others.all > 0)
		print_line("(others)", &s->others);
}

static void
print_json(const struct line *l)
{
	json_t *ages = json_array();

	for (size_t i = 0; i < AGES; i++)
		(void)json_array_append_new(ages, json_integer((json_int_t)l->ages[i]));
	json_t *row = json_pack("{s:s, s:I, s:o}", "domain", l->domain, "recipients",
	                        (json_int_t)l->all, "ages", ages);
	if (row != NULL)
		client_print_json(NULL, row);
	json_decref(row);
}

static void
print_all(const struct summary *s, bool json)
{
	if (!json) {
		print_table(s);
		return;
	}
	for (unsigned i = 0; i < s->count; i++)
		print_json(&s->lines[i]);
	if (s->others.all > 0)
		print_json(&s->others);
}

int
summary_list(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	struct summary s = {.now_us = clock_wall_us()};
	json_t *request = queue_request(call, "queue_list", e);

	(void)id; /* the question is about no single message */
	if (request == NULL)
		return EX_USAGE;
	s.lines = calloc(DOMAINS_MAX, sizeof(*s.lines));
	if (s.lines == NULL) {
		json_decref(request);
		(void)err_set(e, RC_TEMP, "no memory");
		return EX_OSERR;
	}
	int status = queue_pages(c, request, on_row, &s, e);
	qsort(s.lines, s.count, sizeof(*s.lines), more_first);
	if (status == EX_OK)
		print_all(&s, (call->flags & COMMAND_JSON) != 0);
	free(s.lines);
	return status;
}
