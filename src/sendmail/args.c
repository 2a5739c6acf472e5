/*
 * sendmail's arguments. See args.h.
 */
#include "sendmail/args.h"

/* One run through argv. */
struct walk {
	struct args *args;
	struct err *e;
	char *const *argv;
	int argc;
	int at;          /* in argv */
	struct str rest; /* of the word of options at <at>, behind the present one */
};

typedef enum rc option_take(struct walk *w, struct str value);

static enum rc take_b(struct walk *w, struct str value);
static enum rc take_body(struct walk *w, struct str value);
static enum rc take_notify(struct walk *w, struct str value);
static enum rc take_o(struct walk *w, struct str value);
static enum rc take_q(struct walk *w, struct str value);
static enum rc take_ret(struct walk *w, struct str value);

static enum rc
take_extract(struct walk *w, struct str unused)
{
	(void)unused;
	w->args->extract = true;
	return RC_OK;
}

static enum rc
take_dot(struct walk *w, struct str unused)
{
	(void)unused;
	w->args->dot_is_text = true;
	return RC_OK;
}

static enum rc
take_verbose(struct walk *w, struct str unused)
{
	(void)unused;
	w->args->verbose = true;
	return RC_OK;
}

static enum rc
take_aliases(struct walk *w, struct str unused)
{
	(void)unused;
	w->args->mode = MODE_ALIASES;
	return RC_OK;
}

static enum rc
take_sender(struct walk *w, struct str value)
{
	w->args->has_sender = true;
	w->args->sender = value;
	return RC_OK;
}

static enum rc
take_full_name(struct walk *w, struct str value)
{
	w->args->full_name = value;
	return RC_OK;
}

static enum rc
take_envid(struct walk *w, struct str value)
{
	w->args->envid = value;
	return RC_OK;
}

static enum rc
ignore(struct walk *w, struct str unused)
{
	(void)w;
	(void)unused;
	return RC_OK;
}

static enum rc
refuse_config(struct walk *w, struct str unused)
{
	(void)unused;
	return err_set(w->e, RC_PERM,
	               "-C is refused: the server has its configuration, a caller names none");
}

static enum rc
refuse_log(struct walk *w, struct str unused)
{
	(void)unused;
	return err_set(w->e, RC_PERM, "-X is refused: no file is written for a caller");
}

static enum rc
refuse_daemon(struct walk *w, struct str unused)
{
	(void)unused;
	return err_set(w->e, RC_PERM, "-D is refused: `sekisho run` is the server");
}

enum value { NONE, WORD, ATTACHED }; /* WORD: behind the letter, or the next argument */

/* clang-format off */
static const struct option {
	char letter;
	enum value value;
	option_take *take;
} options[] = {
	{'A', WORD,     ignore},         /* -Ac, -Am: which configuration */
	{'B', WORD,     take_body},
	{'C', WORD,     refuse_config},
	{'D', WORD,     refuse_daemon},
	{'F', WORD,     take_full_name},
	{'G', NONE,     ignore},         /* from a gateway */
	{'I', NONE,     take_aliases},
	{'L', WORD,     ignore},         /* a label for the log */
	{'N', WORD,     take_notify},
	{'O', WORD,     ignore},         /* -O Option=value */
	{'R', WORD,     take_ret},
	{'U', NONE,     ignore},         /* initial submission: it always is */
	{'V', WORD,     take_envid},
	{'X', WORD,     refuse_log},
	{'b', WORD,     take_b},
	{'c', NONE,     ignore},
	{'d', ATTACHED, ignore},         /* -d0.1: debugging */
	{'e', WORD,     ignore},         /* -em: how errors are told */
	{'f', WORD,     take_sender},
	{'h', WORD,     ignore},         /* hops so far: Received fields tell them */
	{'i', NONE,     take_dot},
	{'m', NONE,     ignore},         /* me too */
	{'n', NONE,     ignore},         /* no aliases */
	{'o', WORD,     take_o},
	{'p', WORD,     ignore},         /* the protocol it came by */
	{'q', ATTACHED, take_q},
	{'r', WORD,     take_sender},
	{'t', NONE,     take_extract},
	{'v', NONE,     take_verbose},
	{'x', NONE,     ignore},
};
/* clang-format on */

static enum rc
take_b(struct walk *w, struct str value)
{
	static const struct {
		struct str word;
		enum args_mode mode;
	} modes[] = {
		{STR_INIT("m"), MODE_SEND   },
		{STR_INIT("s"), MODE_SMTP   },
		{STR_INIT("p"), MODE_LIST   },
		{STR_INIT("i"), MODE_ALIASES},
	};

	for (size_t i = 0; i < LENGTH(modes); i++)
		if (str_eq(value, modes[i].word)) {
			w->args->mode = modes[i].mode;
			return RC_OK;
		}
	if (str_eq(value, STR("d")) || str_eq(value, STR("D")) || str_eq(value, STR("l")))
		return err_set(w->e, RC_PERM, "-b%.*s is refused: `sekisho run` is the server",
		               STR_FMT(value));
	return err_set(w->e, RC_PERM, "-b%.*s: expected -bm, -bs, -bp or -bi",
	               STR_FMT(str_slice(value, 0, 20)));
}

/* -oi is -i, -oem and all others ask for what no caller decides here. */
static enum rc
take_o(struct walk *w, struct str value)
{
	if (str_eq(value, STR("i")))
		w->args->dot_is_text = true;
	return RC_OK;
}

/* -q30m is how a daemon is told when to look; queue runs by site or id are `sekisho queue`'s.
 */
static enum rc
take_q(struct walk *w, struct str value)
{
	w->args->mode = MODE_FLUSH;
	if (value.n == 0)
		return RC_OK;
	return err_set(w->e, RC_PERM,
	               "-q%.*s: expected -q alone; the server retries by itself, and `sekisho "
	               "queue retry` knows messages, senders and recipients",
	               STR_FMT(str_slice(value, 0, 20)));
}

/* One of <words>, whose case does not matter. */
static enum rc
take_word(struct walk *w, char letter, struct str value, struct str one, struct str two,
          struct str *ret)
{
	if (!str_ieq(value, one) && !str_ieq(value, two))
		return err_set(w->e, RC_PERM, "-%c: expected %.*s or %.*s", letter,
		               STR_FMT(one), STR_FMT(two));
	*ret = str_ieq(value, one) ? one : two;
	return RC_OK;
}

static enum rc
take_body(struct walk *w, struct str value)
{
	return take_word(w, 'B', value, STR("7BIT"), STR("8BITMIME"), &w->args->body);
}

static enum rc
take_ret(struct walk *w, struct str value)
{
	return take_word(w, 'R', value, STR("FULL"), STR("HDRS"), &w->args->ret);
}

/* RFC 3461 §4.1: "never" stands alone. */
static enum rc
take_notify(struct walk *w, struct str value)
{
	static const struct str words[] = {STR_INIT("success"), STR_INIT("failure"),
	                                   STR_INIT("delay")};
	struct str rest = value;
	struct str word;
	bool good = value.n > 0;

	w->args->notify = value;
	if (str_ieq(value, STR("never")))
		return RC_OK;
	while (good && str_cut(&rest, ',', &word)) {
		good = false;
		for (size_t i = 0; i < LENGTH(words); i++)
			good = good || str_ieq(word, words[i]);
	}
	if (good && value.p[value.n - 1] != ',')
		return RC_OK;
	return err_set(w->e, RC_PERM, "-N: expected never, or some of success,failure,delay");
}

/* ---- the walk ---- */

static const struct option *
option_of(char letter)
{
	for (size_t i = 0; i < LENGTH(options); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

static enum rc
value_of(struct walk *w, const struct option *o, struct str *ret)
{
	*ret = STR_NONE;
	if (o->value == NONE)
		return RC_OK;
	*ret = w->rest;
	w->rest = STR_NONE;
	if (o->value == ATTACHED || ret->n > 0)
		return RC_OK;
	if (w->at + 1 >= w->argc)
		return err_set(w->e, RC_PERM, "-%c needs a value", o->letter);
	*ret = str_of(w->argv[++w->at]);
	return RC_OK;
}

/* All letters of one word: -oi, -ti, -fme@x. */
static enum rc
take_options(struct walk *w)
{
	w->rest = str_slice(str_of(w->argv[w->at]), 1, SIZE_MAX);
	while (w->rest.n > 0) {
		char letter = w->rest.p[0];
		const struct option *o = option_of(letter);
		struct str value;

		w->rest = str_slice(w->rest, 1, w->rest.n);
		if (o == NULL && letter > ' ' && letter < 0x7f)
			return err_set(w->e, RC_PERM, "there is no option -%c", letter);
		if (o == NULL)
			return err_set(w->e, RC_PERM, "there is no such option");
		if (value_of(w, o, &value) != RC_OK || o->take(w, value) != RC_OK)
			return w->e->rc;
	}
	return RC_OK;
}

static void
mode_of_name(const char *name, struct args *a)
{
	struct str s = str_of(name);
	size_t slash = str_rfind(s, '/');

	s = slash < s.n ? str_slice(s, slash + 1, s.n) : s;
	if (str_eq(s, STR("mailq")))
		a->mode = MODE_LIST;
	if (str_eq(s, STR("newaliases")))
		a->mode = MODE_ALIASES;
}

/* An option behind a recipient is a mistake, or an address that somebody typed into a form. */
static enum rc
check_rcpts(const struct args *a, bool ended, struct err *e)
{
	for (int i = 0; i < a->rcpt_count && !ended; i++)
		if (a->rcpts[i][0] == '-')
			return err_set(e, RC_PERM,
			               "an option stands behind a recipient; where it is meant "
			               "as an address, put -- in front of all of them");
	if (a->rcpt_count > 0 && a->mode != MODE_SEND)
		return err_set(e, RC_PERM, "recipients are for sending only");
	if (a->rcpt_count == 0 && a->mode == MODE_SEND && !a->extract)
		return err_set(e, RC_PERM, "no recipient is named, and no -t is given");
	return RC_OK;
}

enum rc
args_parse(int argc, char *const *argv, struct args *ret, struct err *e)
{
	struct args a = {.mode = MODE_SEND};
	struct walk w = {.args = &a, .e = e, .argv = argv, .argc = argc, .at = 1};
	bool ended = false;

	if (argc > 0)
		mode_of_name(argv[0], &a);
	for (; w.at < argc && !ended && argv[w.at][0] == '-' && argv[w.at][1] != '\0'; w.at++) {
		struct str word = str_of(argv[w.at]);

		ended = str_eq(word, STR("--"));
		if (str_eq(word, STR("--help")))
			a.mode = MODE_HELP;
		else if (!ended && take_options(&w) != RC_OK)
			return e->rc;
		if (a.mode == MODE_HELP)
			break;
	}
	if (a.mode != MODE_HELP && w.at < argc) {
		a.rcpts = argv + w.at;
		a.rcpt_count = argc - w.at;
	}
	if (a.mode != MODE_HELP && check_rcpts(&a, ended, e) != RC_OK)
		return e->rc;
	*ret = a;
	return RC_OK;
}
