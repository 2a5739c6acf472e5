/*
 * sekisho.conf before libconfuse reads it.
 *
 * libconfuse 3.3 stops at the first error, lets a later key silently replace an earlier one,
 * expands ${VAR} from the environment, runs functions, drops octets it does not know (*:25
 * without quotes becomes :25), counts lines wrongly behind an empty comment and refuses
 * comments within a list. So the text is first read here, more strictly:
 *
 *     file    = *statement
 *     statement = key "=" value / key "=" "{" [value *("," value)] "}"
 *               / section title "{" *statement "}"
 *     value   = word / string             word   = 1*(letter / digit / non-ASCII / one of
 * _-.:@%/) string  = DQUOTE *(any but " \ and controls / \\ / \" / \$) DQUOTE, on one line
 *     comment = "#" to the end of the line
 */
#ifndef CFG_CFG_TEXT_H
#define CFG_CFG_TEXT_H

#include "cfg/cfg_report.h"
#include "cfg/cfg_schema.h"

/* What the files before this one had: each goes on where the last one ended. */
struct cfg_seen {
	unsigned line;              /* that this one starts with; the first one's is 1 */
	unsigned odd;               /* see below */
	unsigned set[CFG_KEY_MOST]; /* by key number: the line it was set in, or 0 */
};

/*
 * Copy <text> to <clean>, which has as much room, with blanks in place of comments and of
 * statements that are wrong as a whole: unknown keys, keys set twice, a list where one
 * value belongs. Each of these is reported with its line, as are octets that may not stand
 * where they do. False where libconfuse must not see the result.
 *
 * seen->odd is 0, or the line from which on the statements were not understood: then libconfuse
 * has to find a syntax error.
 */
bool cfg_text_clean(struct str text, char *clean, struct cfg_seen *seen,
                    struct cfg_report *r) MUST_CHECK;

#endif
