/*
 * Levels and heads of lines. See line.h.
 */
#include "logger/line.h"

#define FACILITY_MAIL 2U
#define SEVERITY_ERROR 3U

static const struct {
	struct str head;
	unsigned severity;
} levels[] = {
	{STR_INIT("level=error "), SEVERITY_ERROR},
	{STR_INIT("level=warn "),  4             },
	{STR_INIT("level=info "),  6             },
	{STR_INIT("level=debug "), 7             },
};

unsigned
line_severity(struct str line)
{
	for (size_t i = 0; i < LENGTH(levels); i++)
		if (str_starts(line, levels[i].head))
			return levels[i].severity;
	return SEVERITY_ERROR;
}

void
line_add_level(struct buf *b, struct str line)
{
	buf_addf(b, "<%u>", line_severity(line));
}

void
line_add_syslog(struct buf *b, struct str line, pid_t pid, const struct tm *now)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	buf_addf(b, "<%u>%.3s %2d %02d:%02d:%02d sekisho[%d]: ",
	         FACILITY_MAIL * 8 + line_severity(line), months + (ptrdiff_t)3 * now->tm_mon,
	         now->tm_mday, now->tm_hour, now->tm_min, now->tm_sec, (int)pid);
	buf_add(b, line);
}
