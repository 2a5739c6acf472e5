/*
 * Delivered files. See mailfile.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/uio.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fd.h"
#include "base/id.h"
#include "deliver/mailfile.h"
#include "proto/header.h"

struct mailfile_name
mailfile_name_of(const struct mail *m, unsigned n, struct str host, uint64_t size)
{
	struct mailfile_name name;
	struct buf b = BUF_ON(name.c);

	/* at most 20 + 16 + 13 + 4 + 100 + 19 octets and 7 between them */
	buf_addf(&b, "%" PRIu64 ".%" PRIx64 "_%s_%u.%.*s,S=%" PRIu64,
	         id_wall_us(m->id) / 1000000, m->seq, id_text(m->id).c, n, STR_FMT(host), size);
	return name;
}

void
mailfile_add_host(struct buf *b, struct str host)
{
	size_t start = b->n;

	for (size_t i = 0; i < host.n && b->n - start + 4 <= MAILFILE_HOST_MAX; i++) {
		char c = host.p[i];

		if (ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.')
			buf_addc(b, c);
		else
			buf_addf(b, "\\%03o", (unsigned char)c);
	}
}

static bool
add_return_path(struct buf *b, struct str sender)
{
	char room[512];
	struct buf path = BUF_ON(room);

	buf_addc(&path, '<'); /* RFC 5321 §4.4; <> is the null sender */
	buf_add(&path, sender);
	buf_addc(&path, '>');
	return !path.cut && header_add_field(b, "Return-Path", buf_str(&path));
}

enum rc
mailfile_add_header(struct buf *b, struct str sender, struct str orig, struct str mailbox,
                    struct err *e)
{
	if (add_return_path(b, sender) && header_add_field(b, "X-Original-To", orig) &&
	    header_add_field(b, "Delivered-To", mailbox))
		return RC_OK;
	return err_set(e, RC_PERM, "an address does not fit into a header field");
}

static enum rc
corrupt(struct err *e)
{
	return err_set(e, RC_PERM, "corrupt: the body is not what was accepted");
}

/* What writev has written is taken off the front. */
static void
iov_advance(struct iovec *iov, size_t count, size_t wrote)
{
	for (size_t i = 0; i < count; i++) {
		size_t n = wrote < iov[i].iov_len ? wrote : iov[i].iov_len;

		iov[i].iov_base = (char *)iov[i].iov_base + n;
		iov[i].iov_len -= n;
		wrote -= n;
	}
}

static enum rc
write_inline(int fd, struct str header, const struct mail *m, struct err *e)
{
	struct iovec iov[2] = {
		{(void *)(uintptr_t)header.p,  header.n },
		{(void *)(uintptr_t)m->body.p, m->body.n},
	};

	if (m->body.n != m->size || XXH3_64bits(m->body.p, m->body.n) != m->hash)
		return corrupt(e);
	while (iov[0].iov_len + iov[1].iov_len > 0) {
		ssize_t wrote = writev(fd, iov, 2);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return err_sys(e, "write %zu octets", header.n + m->body.n);
		iov_advance(iov, 2, (size_t)wrote);
	}
	return RC_OK;
}

/* Up to MAILFILE_CHUNK octets from <at>, not past the size announced; 0 at the end. */
static enum rc
read_chunk(const struct mail *m, uint64_t at, char *chunk, size_t *ret_n, struct err *e)
{
	uint64_t left = m->size - at;
	size_t want = left < MAILFILE_CHUNK ? (size_t)left : MAILFILE_CHUNK;
	ssize_t got;

	do {
		got = pread(m->body_fd, chunk, want, (off_t)at);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "read the body");
	*ret_n = (size_t)got;
	return RC_OK;
}

static bool
ends_at(const struct mail *m, uint64_t at)
{
	char past;

	return at == m->size && pread(m->body_fd, &past, 1, (off_t)at) == 0;
}

static enum rc
write_from_file(int fd, struct str header, const struct mail *m, char *chunk, struct err *e)
{
	XXH3_state_t hash;
	uint64_t at = 0;
	size_t n = 0;

	(void)XXH3_64bits_reset(&hash); /* these two fail for a NULL state only */
	if (fd_write_all(fd, header, e) != RC_OK)
		return e->rc;
	do {
		if (read_chunk(m, at, chunk, &n, e) != RC_OK)
			return e->rc;
		if (fd_write_all(fd, (struct str){chunk, n}, e) != RC_OK)
			return e->rc;
		(void)XXH3_64bits_update(&hash, chunk, n);
		at += n;
	} while (n > 0);
	return ends_at(m, at) && XXH3_64bits_digest(&hash) == m->hash ? RC_OK : corrupt(e);
}

enum rc
mailfile_write(int fd, struct str header, const struct mail *m, char *chunk, struct err *e)
{
	return m->body_fd < 0 ? write_inline(fd, header, m, e)
	                      : write_from_file(fd, header, m, chunk, e);
}
