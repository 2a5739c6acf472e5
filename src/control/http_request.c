/*
 * Requests for metrics. See http_request.h.
 *
 * Not evhttp: it is a library more in a process that holds the operator's socket, it takes far
 * more than this (keep-alive, chunks, folded fields), and names its clients with getnameinfo,
 * which opens files. What is read here is one request line and fields that are skipped.
 */
#include "control/http_request.h"

#define PATH "/metrics"

/* RFC 9110 §5.6.2: token. */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alpha(s.p[i]) && !ascii_digit(s.p[i]) &&
		    str_find(STR("!#$%&'*+-.^_`|~"), s.p[i]) == STR("!#$%&'*+-.^_`|~").n)
			return false;
	return s.n > 0;
}

/* Visible octets: RFC 9112 §3.2 has none else in a target. */
static bool
is_visible(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

/* RFC 9110 §5.5: no controls but tabs. */
static bool
is_field_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

/* A line up to its CR LF. False: it has not ended, or (*ret_bad) ends in LF alone. */
static bool
next_line(struct str *in, struct str *ret, bool *ret_bad)
{
	size_t n = str_find(*in, '\n');

	if (n == in->n)
		return false;
	if (n == 0 || in->p[n - 1] != '\r') {
		*ret_bad = true; /* RFC 9112 §2.2 lets us take it; nobody honest sends it */
		return false;
	}
	*ret = str_slice(*in, 0, n - 1);
	*in = str_slice(*in, n + 1, in->n);
	return true;
}

/* RFC 9112 §3.2.2: a server takes http://us/path too. */
static struct str
path_of(struct str target)
{
	if (str_istarts(target, STR("http://"))) {
		target = str_slice(target, STR("http://").n, target.n);
		target = str_slice(target, str_find(target, '/'), target.n);
	}
	return str_slice(target, 0, str_find(target, '?'));
}

/* RFC 9112 §3: method SP request-target SP HTTP-version. */
static unsigned
read_request_line(struct str line, bool *ret_host)
{
	struct str method;
	struct str target;

	if (!str_cut(&line, ' ', &method) || !str_cut(&line, ' ', &target) ||
	    !is_token(method) || !is_visible(target) || line.n != STR("HTTP/1.1").n ||
	    !str_starts(line, STR("HTTP/")) || !ascii_digit(line.p[5]) || line.p[6] != '.' ||
	    !ascii_digit(line.p[7]))
		return 400;
	if (line.p[5] != '1')
		return 505;
	*ret_host = line.p[7] != '0';
	if (!str_eq(method, STR("GET")))
		return 405;
	return str_eq(path_of(target), STR(PATH)) ? 200 : 404;
}

/* RFC 9112 §5: no space before the colon, no folding; a body would need to be read. */
static bool
read_field(struct str line, unsigned *hosts)
{
	size_t colon = str_find(line, ':');
	struct str name = str_slice(line, 0, colon);
	struct str value = str_trim(str_slice(line, colon + 1, line.n));

	if (colon == line.n || !is_token(name) || !is_field_value(value))
		return false;
	*hosts += str_ieq(name, STR("Host"));
	if (str_ieq(name, STR("Content-Length")))
		return str_eq(value, STR("0"));
	return !str_ieq(name, STR("Transfer-Encoding"));
}

static unsigned
read_fields(struct str in, unsigned status, bool needs_host)
{
	struct str line;
	unsigned hosts = 0;
	bool bad = false;

	while (next_line(&in, &line, &bad)) {
		if (line.n == 0)
			/* RFC 9112 §3.2: one Host, in 1.1 */
			return hosts > 1 || (needs_host && hosts == 0) ? 400 : status;
		if (!read_field(line, &hosts))
			return 400;
	}
	return bad ? 400 : 0;
}

unsigned
http_request_read(struct str in)
{
	struct str room = str_slice(in, 0, HTTP_REQUEST_MAX);
	struct str rest = room;
	struct str line;
	bool needs_host = false;
	bool bad = false;
	unsigned status = 0;

	if (next_line(&rest, &line, &bad)) {
		status = read_request_line(line, &needs_host);
		/* what cannot be understood has no fields to wait for */
		if (status != 400 && status != 505)
			status = read_fields(rest, status, needs_host);
	} else if (bad) {
		status = 400;
	}
	return status == 0 && room.n == HTTP_REQUEST_MAX ? 431 : status;
}
