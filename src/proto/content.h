/*
 * Message content as it comes (DATA, RFC 5321 §4.1.1.4 and §4.5.2; BDAT, RFC 3030) becomes
 * kept form: every line ends in LF, dots are unstuffed.
 *
 *   CR LF      a line end, LF
 *   LF alone   a line end, LF
 *   CR alone   a space; so CR CR LF is a space and LF
 *   NUL, 8-bit as they are
 *
 * DATA ends at exactly CR LF "." CR LF, where the first CR LF is the one before the dot line
 * or the content's start. No other line end starts a dot line or ends one, nor does a CR LF
 * behind a stray CR: servers that took LF "." LF for the end let a sender smuggle a second
 * message (CVE-2023-51764 and its kin).
 *
 * The framer keeps its place between calls: cutting the input anywhere changes nothing.
 */
#ifndef PROTO_CONTENT_H
#define PROTO_CONTENT_H

#include "base/buf.h"

enum content_kind {
	CONTENT_DATA,
	CONTENT_BDAT, /* no dot means anything, the end comes from outside */
};

enum content_at {
	CONTENT_AT_LINE,   /* within a line, or behind a line end that is no plain CR LF */
	CONTENT_AT_START,  /* behind CR LF, or nothing came yet */
	CONTENT_AT_CR,     /* a CR that may be half a line end */
	CONTENT_AT_CR_CR,  /* likewise, behind a stray CR */
	CONTENT_AT_DOT,    /* a dot behind CR LF */
	CONTENT_AT_DOT_CR, /* dot and CR */
	CONTENT_AT_END,    /* the end of DATA has been seen */
};

struct content {
	enum content_kind kind;
	enum content_at at;
	uint64_t bare_cr; /* how many became spaces */
	uint64_t bare_lf; /* how many line ends were LF alone */
	uint64_t framing; /* octets that are no part of the message (RFC 1870 §3): stuffed dots
	                   * and DATA's end */
};

void content_init(struct content *c, enum content_kind kind);

/*
 * Take octets off <in>, adding kept form to <out>, until <in> is empty, <out> is full or the
 * data ends. True at the end: <in> then starts with what stands behind it. With false and <in>
 * not empty <out> is full: make room and call again. <out> gains no NUL beyond its cap.
 */
bool content_take(struct content *c, struct str *in, struct buf *out) MUST_CHECK;

/*
 * BDAT's last chunk is over: a CR that still waits for its LF becomes a space. False where
 * <out> is full; make room and call again.
 */
bool content_finish(struct content *c, struct buf *out) MUST_CHECK;

#endif
