/*
 * Lines about a configuration file. See cfg_report.h.
 */
#include "cfg/cfg_report.h"

#define GIVEN_MOST 60U /* octets of a value shown; each may take four when escaped */

static void PRINTF(5, 0)
add_line(struct cfg_report *r, unsigned line, const char *mark, const char *key,
         const char *fmt, va_list ap)
{
	char text[1024];
	struct buf b = BUF_ON(text);
	size_t was = r->out->n;

	buf_addv(&b, fmt, ap);
	buf_add(r->out, str_of(r->path));
	if (line > 0)
		buf_addf(r->out, ":%u", line);
	buf_addf(r->out, ": %s%s%s%s\n", mark, key == NULL ? "" : key, key == NULL ? "" : ": ",
	         text);
	if (r->out->cut) { /* whole lines only */
		r->out->n = was;
		r->out->p[was] = '\0';
	}
}

void
cfg_report_error(struct cfg_report *r, unsigned line, const char *key, const char *fmt, ...)
{
	va_list ap;

	r->errors++;
	va_start(ap, fmt);
	add_line(r, line, "", key, fmt, ap);
	va_end(ap);
}

void
cfg_report_warning(struct cfg_report *r, unsigned line, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(r, line, "warning: ", key, fmt, ap);
	va_end(ap);
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
