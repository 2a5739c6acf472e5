/*
 * Findings in a configuration file. See cfg_report.h.
 */
#include <stdlib.h>

#include "cfg/cfg_report.h"

#define GIVEN_MOST 60U /* octets of a value shown; each may take four when escaped */

static void keep(struct cfg_report *r, unsigned line, const char *mark, const char *key,
                 const char *fmt, va_list ap) PRINTF(5, 0);

static void
keep(struct cfg_report *r, unsigned line, const char *mark, const char *key, const char *fmt,
     va_list ap)
{
	char text[1024];
	char whole[sizeof(text) + 80];
	struct buf b = BUF_ON(text);
	struct buf w = BUF_ON(whole);

	if (r->found++ >= CFG_REPORT_MOST)
		return;
	buf_addv(&b, fmt, ap);
	buf_addf(&w, "%s%s%s%s", mark, key == NULL ? "" : key, key == NULL ? "" : ": ", text);
	r->kept[r->found - 1] = (struct cfg_finding){
		.line = line, .order = r->found, .text = arena_str(r->arena, buf_str(&w))};
}

void
cfg_report_error(struct cfg_report *r, unsigned line, const char *key, const char *fmt, ...)
{
	va_list ap;

	r->errors++;
	va_start(ap, fmt);
	keep(r, line, "", key, fmt, ap);
	va_end(ap);
}

void
cfg_report_warning(struct cfg_report *r, unsigned line, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(r, line, "warning: ", key, fmt, ap);
	va_end(ap);
}

/* Line 0 becomes the largest number. */
static int
finding_cmp(const void *a, const void *b)
{
	const struct cfg_finding *x = a;
	const struct cfg_finding *y = b;
	unsigned of_x = x->line - 1U;
	unsigned of_y = y->line - 1U;

	if (of_x != of_y)
		return of_x > of_y ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

/* The file that has this line; the first one for line 0. */
static const struct cfg_source *
source_of(const struct cfg_report *r, unsigned line)
{
	unsigned i = r->source_count - 1;

	while (i > 0 && (line == 0 || r->sources[i].line > line))
		i--;
	return &r->sources[i];
}

struct cfg_place
cfg_report_place(const struct cfg_report *r, unsigned here, unsigned line)
{
	const struct cfg_source *s = source_of(r, line);
	struct cfg_place place;
	struct buf b = BUF_ON(place.c);

	buf_clear(&b);
	if (s != source_of(r, here))
		buf_addf(&b, "%s:%u", s->path, line - s->line + 1);
	if (s == source_of(r, here) || b.cut) /* a very long path is left out */
		buf_addf(&b, "line %u", line - s->line + 1);
	return place;
}

/* Whole lines only. */
static void
print_line(const struct cfg_report *r, struct buf *out, unsigned line, struct str text)
{
	const struct cfg_source *s = source_of(r, line);
	size_t was = out->n;
	bool was_cut = out->cut;

	out->cut = false;
	buf_add(out, str_of(s->path));
	if (line > 0)
		buf_addf(out, ":%u", line - s->line + 1);
	buf_add(out, STR(": "));
	buf_add(out, text);
	buf_addc(out, '\n');
	if (out->cut) {
		out->n = was;
		out->p[was] = '\0';
	}
	out->cut = out->cut || was_cut;
}

void
cfg_report_print(struct cfg_report *r, struct buf *out)
{
	unsigned kept = r->found < CFG_REPORT_MOST ? r->found : CFG_REPORT_MOST;
	char room[64];
	struct buf more = BUF_ON(room);

	buf_add(out, STR_NONE); /* terminated, also where there is nothing to say */
	qsort(r->kept, kept, sizeof(r->kept[0]), finding_cmp);
	for (unsigned i = 0; i < kept; i++)
		print_line(r, out, r->kept[i].line, r->kept[i].text);
	if (r->found > kept) {
		buf_addf(&more, "and %u more", r->found - kept);
		print_line(r, out, 0, buf_str(&more));
	}
}

struct cfg_given
cfg_given(struct str s)
{
	struct cfg_given given;
	struct buf b = BUF_ON(given.c);

	buf_addc(&b, '"');
	buf_add_escaped(&b, str_slice(s, 0, GIVEN_MOST));
	buf_add(&b, s.n > GIVEN_MOST ? STR("...\"") : STR("\""));
	return given;
}
