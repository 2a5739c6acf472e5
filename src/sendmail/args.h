/*
 * What programs call sendmail with: the options of Sendmail, Postfix and Exim as they are used
 * in the wild. Pure: arguments in, struct out.
 */
#ifndef SENDMAIL_ARGS_H
#define SENDMAIL_ARGS_H

#include "base/err.h"
#include "base/str.h"

enum args_mode {
	MODE_SEND,    /* a message on standard input */
	MODE_SMTP,    /* -bs */
	MODE_LIST,    /* -bp, or called as mailq */
	MODE_FLUSH,   /* -q */
	MODE_ALIASES, /* -bi, -I, or called as newaliases */
	MODE_HELP,    /* --help */
};

/* All point into argv. */
struct args {
	enum args_mode mode;
	bool extract;     /* -t: recipients from the header */
	bool dot_is_text; /* -i, -oi: a line with a dot alone does not end the message */
	bool verbose;     /* -v */
	bool has_sender;
	struct str sender;    /* -f, -r; empty or "<>": the null sender */
	struct str full_name; /* -F */
	struct str envid;     /* -V */
	struct str body;      /* -B: "7BIT" or "8BITMIME" */
	struct str ret;       /* -R: "FULL" or "HDRS" */
	struct str notify;    /* -N as it is given: "never", or a list of the three words */
	char *const *rcpts;
	int rcpt_count;
};

/*
 * Options stand before recipients; `--` ends them. RC_PERM, with a text for the caller, for
 * what is none: nothing is ever done in the dark. -C, -X and -D are refused: no caller names
 * files to read or write (ARG-01). -O, -L, -h, -p, -A, -G, -U, -m, -n, -c, -x, -e and -oANY are
 * read over, as what they ask for is either so anyway or nothing for a caller to decide.
 */
enum rc args_parse(int argc, char *const *argv, struct args *ret, struct err *e) MUST_CHECK;

#endif
