/*
 * Messages on their way. See parcel.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fd.h"
#include "proto/address.h"
#include "remote/parcel.h"

#define CHUNK 16384U /* octets of a body file read at once */

struct hash {
	XXH3_state_t state;
};

/* ---- taking it over ---- */

/* What both messages have. */
struct work {
	uint64_t id;
	uint32_t flags;
	uint64_t size;
	uint64_t hash;
	struct str sender;
	struct str envid;
	struct list rcpts;
	struct str body;
	int fd;
};

static struct str
copy_to(char **at, struct str s)
{
	struct str copy = {*at, s.n};

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static bool
is_address(struct str s, bool *ret_utf8)
{
	struct address a;

	*ret_utf8 = !str_is_ascii(s);
	return address_parse(s, true, &a) == FAULT_none;
}

static void
take_aims(struct parcel *p, struct list rcpts, char **at)
{
	struct item_rcpt r;

	while (item_next_rcpt(&rcpts, &r)) {
		struct aim *a = &p->aims[p->aim_count++];

		a->n = r.n;
		a->mailbox = copy_to(at, r.mailbox);
		a->orig = copy_to(at, r.orig);
		a->orcpt = copy_to(at, r.orcpt);
		a->notify = r.notify;
		p->unsettled++;
		if (!is_address(a->mailbox, &a->utf8))
			parcel_settle(p, a, RC_PERM, STR("the mailbox is no address"));
	}
}

static struct parcel *
parcel_new(const struct work *w)
{
	size_t octets = sizeof(struct parcel) + w->rcpts.count * sizeof(struct aim);
	CLEANUP(fd_closep) int fd = w->fd;
	struct parcel *p = calloc(1, octets + w->sender.n + w->envid.n + w->rcpts.wire.n +
	                                     (fd < 0 ? w->body.n : 0));

	if (p == NULL)
		return NULL;
	char *at = (char *)p + octets;
	p->id = w->id;
	p->flags = w->flags;
	p->size = w->size;
	p->hash = w->hash;
	p->aims = (struct aim *)(p + 1);
	p->sender = copy_to(&at, w->sender);
	p->envid = copy_to(&at, w->envid);
	p->fd = fd_take(&fd);
	take_aims(p, w->rcpts, &at); /* its texts are part of the list's octets */
	p->body = p->fd < 0 ? copy_to(&at, w->body) : STR_NONE;
	if (p->sender.n > 0 && !is_address(p->sender, &p->sender_utf8))
		parcel_settle_rest(p, RC_PERM, STR("the sender is no address"));
	parcel_rewind(p);
	return p;
}

struct parcel *
parcel_of_work(const struct msg_work *w)
{
	struct work all = {w->id,    w->flags, w->size, w->hash, w->sender,
	                   w->envid, w->rcpts, w->body, -1};

	return parcel_new(&all);
}

struct parcel *
parcel_of_file(const struct msg_work_file *w)
{
	struct work all = {w->id,    w->flags, w->size,  w->hash, w->sender,
	                   w->envid, w->rcpts, STR_NONE, w->body};

	return parcel_new(&all);
}

struct parcel *
parcel_free(struct parcel *p)
{
	if (p == NULL)
		return NULL;
	fd_closep(&p->fd);
	free(p->hasher);
	free(p);
	return NULL;
}

/* ---- the body as it was accepted ---- */

/* Up to <cap> octets from <at>; 0 at the end. */
static enum rc
read_at(const struct parcel *p, uint64_t at, char *room, size_t cap, size_t *ret_n,
        struct err *e)
{
	ssize_t n;

	do {
		n = pread(p->fd, room, cap, (off_t)at);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read the body");
	*ret_n = (size_t)n;
	return RC_OK;
}

static bool
has_eight_bit(struct str s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all > 0x7f;
}

static uint64_t
count_lf(struct str s)
{
	uint64_t count = 0;

	for (size_t i = 0; i < s.n; i++)
		count += s.p[i] == '\n';
	return count;
}

static void
look(struct parcel *p, struct str s)
{
	p->eight_bit = p->eight_bit || has_eight_bit(s);
	p->lf += count_lf(s);
	p->seen += s.n;
	if (s.n > 0)
		p->ends_in_lf = s.p[s.n - 1] == '\n';
}

static enum rc
seen_all(struct parcel *p, uint64_t hash, struct err *e)
{
	if (p->seen != p->size || hash != p->hash)
		return err_set(e, RC_PERM, "corrupt: the body is not what was accepted");
	p->wire = p->size + p->lf + (p->size > 0 && !p->ends_in_lf ? 2 : 0);
	p->checked = true;
	return RC_OK;
}

static enum rc
check_file(struct parcel *p, struct err *e)
{
	char chunk[CHUNK];
	size_t n = 1;

	if (p->hasher == NULL) {
		p->hasher = malloc(sizeof(*p->hasher));
		if (p->hasher == NULL)
			return err_set(e, RC_TEMP, "out of memory");
		(void)XXH3_64bits_reset(&p->hasher->state); /* fails for NULL only */
	}
	for (size_t done = 0; done < PARCEL_CHECK_OCTETS && n > 0 && p->seen <= p->size;
	     done += n) {
		if (read_at(p, p->seen, chunk, CHUNK, &n, e) != RC_OK)
			return e->rc;
		(void)XXH3_64bits_update(&p->hasher->state, chunk, n);
		look(p, (struct str){chunk, n});
	}
	if (n > 0 && p->seen <= p->size)
		return RC_AGAIN;
	return seen_all(p, XXH3_64bits_digest(&p->hasher->state), e);
}

enum rc
parcel_check(struct parcel *p, struct err *e)
{
	if (p->checked)
		return RC_OK;
	if (p->fd >= 0)
		return check_file(p, e);
	p->seen = p->lf = 0;
	look(p, p->body);
	return seen_all(p, XXH3_64bits(p->body.p, p->body.n), e);
}

/* ---- the body as it is sent ---- */

void
parcel_rewind(struct parcel *p)
{
	p->at = 0;
	p->line_start = true;
	p->ended = false;
	for (unsigned i = 0; i < p->aim_count; i++)
		p->aims[i].accepted = false;
}

/*
 * As much of <s> as <b> has room for, a line or what is left of one at a time. Each octet takes
 * two at most: a dot behind a line end, an LF.
 */
static size_t
add_lines(struct parcel *p, struct buf *b, struct str s)
{
	size_t done = 0;

	while (done < s.n && b->cap - b->n > 4) {
		struct str rest = str_slice(s, done, done + (b->cap - b->n - 4));
		size_t lf = str_find(rest, '\n');
		bool ends = lf < rest.n;

		if (p->line_start && rest.p[0] == '.')
			buf_addc(b, '.');
		buf_add(b, str_slice(rest, 0, lf));
		if (ends)
			buf_add(b, STR("\r\n"));
		p->line_start = ends;
		done += ends ? lf + 1 : rest.n;
	}
	return done;
}

/* What comes next of the body, or nothing at its end. */
static enum rc
next_piece(struct parcel *p, char *chunk, size_t cap, struct str *ret, struct err *e)
{
	size_t n = 0;

	if (p->fd < 0) {
		*ret = str_slice(p->body, (size_t)p->at, p->body.n);
		return RC_OK;
	}
	if (read_at(p, p->at, chunk, cap, &n, e) != RC_OK)
		return e->rc;
	if (p->at + n > p->size || (n == 0 && p->at < p->size))
		return err_set(e, RC_PERM, "corrupt: the body has changed");
	*ret = (struct str){chunk, n};
	return RC_OK;
}

enum rc
parcel_body(struct parcel *p, struct buf *b, struct err *e)
{
	char chunk[CHUNK];
	struct str piece = STR_NONE;

	while (b->cap - b->n > 16 && !p->ended) {
		if (next_piece(p, chunk, sizeof(chunk), &piece, e) != RC_OK)
			return e->rc;
		if (piece.n == 0) {
			buf_add(b, p->line_start ? STR(".\r\n") : STR("\r\n.\r\n"));
			p->ended = true;
		}
		p->at += add_lines(p, b, piece);
	}
	return p->ended ? RC_OK : RC_AGAIN;
}

/* ---- what became of it ---- */

void
parcel_settle(struct parcel *p, struct aim *a, enum rc rc, struct str why)
{
	if (a->settled)
		return;
	struct buf b = BUF_ON(a->why);
	a->settled = true;
	a->rc = rc;
	p->unsettled--;
	buf_add(&b, str_slice(why, 0, sizeof(a->why) - 1));
	while (b.n > 0 && !str_is_utf8(buf_str(&b))) /* cut within a letter */
		b.p[--b.n] = '\0';
}

static void
settle_all(struct parcel *p, bool accepted_only, enum rc rc, struct str why)
{
	for (unsigned i = 0; i < p->aim_count; i++)
		if (!accepted_only || p->aims[i].accepted)
			parcel_settle(p, &p->aims[i], rc, why);
}

void
parcel_settle_rest(struct parcel *p, enum rc rc, struct str why)
{
	settle_all(p, false, rc, why);
}

void
parcel_settle_accepted(struct parcel *p, enum rc rc, struct str why)
{
	settle_all(p, true, rc, why);
}
