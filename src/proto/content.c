/*
 * Content framing. See content.h.
 */
#include <string.h>

#include "proto/content.h"

/* Octets looked at in one search: a peer that sends only CRs makes every search fail early. */
#define WINDOW 512U

void
content_init(struct content *c, enum content_kind kind)
{
	*c = (struct content){.kind = kind, .at = CONTENT_AT_START};
}

static size_t
room(const struct buf *out)
{
	return out->cap - 1 - out->n;
}

static void
put(struct buf *out, char c)
{
	out->p[out->n++] = c;
}

/* Copy up to the next CR or LF. Nearly all octets of a message pass here. */
static void
take_plain(struct str *in, struct buf *out)
{
	size_t n = in->n < WINDOW ? in->n : WINDOW;
	const char *found;

	if (n > room(out))
		n = room(out);
	if ((found = memchr(in->p, '\n', n)) != NULL)
		n = (size_t)(found - in->p);
	if ((found = memchr(in->p, '\r', n)) != NULL)
		n = (size_t)(found - in->p);
	memcpy(out->p + out->n, in->p, n);
	out->n += n;
	*in = str_slice(*in, n, in->n);
}

/* Within a line. */
static enum content_at
at_line(struct content *c, struct str *in, struct buf *out)
{
	char first = in->p[0];

	if (first == '\r') {
		*in = str_slice(*in, 1, in->n);
		return CONTENT_AT_CR;
	}
	if (first == '\n') {
		*in = str_slice(*in, 1, in->n);
		put(out, '\n');
		c->bare_lf++;
		return CONTENT_AT_LINE;
	}
	take_plain(in, out);
	return CONTENT_AT_LINE;
}

/* A dot at the start of a line is there for the transfer only, RFC 5321 §4.5.2. */
static enum content_at
at_start(struct content *c, struct str *in, struct buf *out)
{
	if (c->kind == CONTENT_DATA && in->p[0] == '.') {
		*in = str_slice(*in, 1, in->n);
		c->framing++;
		return CONTENT_AT_DOT;
	}
	return at_line(c, in, out);
}

/* What a CR was is known by the octet behind it: here it was a stray one. */
static enum content_at
stray_cr(struct content *c, struct str *in, struct buf *out)
{
	put(out, ' ');
	c->bare_cr++;
	if (in->p[0] != '\r')
		return CONTENT_AT_LINE; /* the octet comes next */
	*in = str_slice(*in, 1, in->n);
	return CONTENT_AT_CR_CR;
}

static enum content_at
at_cr(struct content *c, struct str *in, struct buf *out)
{
	if (in->p[0] != '\n')
		return stray_cr(c, in, out);
	*in = str_slice(*in, 1, in->n);
	put(out, '\n');
	return CONTENT_AT_START;
}

/* CR CR LF ends a line, but a dot behind it is an octet like any other. */
static enum content_at
at_cr_cr(struct content *c, struct str *in, struct buf *out)
{
	if (in->p[0] != '\n')
		return stray_cr(c, in, out);
	*in = str_slice(*in, 1, in->n);
	put(out, '\n');
	return CONTENT_AT_LINE;
}

/* The stuffed dot is gone, so a dot that follows is an octet like any other. */
static enum content_at
at_dot(struct content *c, struct str *in, struct buf *out)
{
	if (in->p[0] == '\r') {
		*in = str_slice(*in, 1, in->n);
		c->framing++;
		return CONTENT_AT_DOT_CR;
	}
	return at_line(c, in, out);
}

static enum content_at
at_dot_cr(struct content *c, struct str *in, struct buf *out)
{
	if (in->p[0] != '\n') {
		c->framing--; /* the CR was content after all */
		return stray_cr(c, in, out);
	}
	*in = str_slice(*in, 1, in->n);
	c->framing++;
	return CONTENT_AT_END;
}

bool
content_take(struct content *c, struct str *in, struct buf *out)
{
	static enum content_at (*const steps[])(struct content *, struct str *,
	                                        struct buf *) = {
		[CONTENT_AT_LINE] = at_line, [CONTENT_AT_START] = at_start,
		[CONTENT_AT_CR] = at_cr,     [CONTENT_AT_CR_CR] = at_cr_cr,
		[CONTENT_AT_DOT] = at_dot,   [CONTENT_AT_DOT_CR] = at_dot_cr,
	};

	/* a step adds one octet at least, or none but takes one */
	while (c->at != CONTENT_AT_END && in->n > 0 && room(out) > 0)
		c->at = steps[c->at](c, in, out);
	out->p[out->n] = '\0';
	return c->at == CONTENT_AT_END;
}

bool
content_finish(struct content *c, struct buf *out)
{
	if (c->at != CONTENT_AT_CR && c->at != CONTENT_AT_CR_CR)
		return true;
	if (room(out) == 0)
		return false;
	put(out, ' ');
	out->p[out->n] = '\0';
	c->bare_cr++;
	c->at = CONTENT_AT_LINE;
	return true;
}
