/*
 * One event, one line, in logfmt: `level=info role=edge time=... event=decision id=...
 * reply="..."`.
 *
 * Lines gather in the process and leave with log_flush (once a loop turn) in pieces no longer
 * than PIPE_BUF, so that lines of several roles never mix. The descriptor never blocks: what
 * the pipe has no room for is dropped and counted, and the next line says how many.
 * What a peer sent is escaped here and nowhere else.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define LOG_LINE_MAX 2048 /* octets with the LF; a longer line loses its last fields */

/*
 * Octets of one value as written. Of a longer one the beginning is shown and `cut=KEY` follows,
 * so that no peer can push the fields behind its own out of the line.
 */
#define LOG_VALUE_MAX 384

enum kv_type { KV_END_TYPE, KV_STR, KV_NUM, KV_ID };

/* One field. Secrets have no constructor here. */
struct kv {
	const char *key;
	enum kv_type type;
	struct str s;
	uint64_t u;
};

static inline struct kv
kv_str(const char *key, struct str s)
{
	return (struct kv){.key = key, .type = KV_STR, .s = s};
}

static inline struct kv
kv_text(const char *key, const char *text)
{
	return (struct kv){.key = key, .type = KV_STR, .s = str_of(text)};
}

static inline struct kv
kv_num(const char *key, uint64_t u)
{
	return (struct kv){.key = key, .type = KV_NUM, .u = u};
}

/* A message id, printed as text (id.h). */
static inline struct kv
kv_id(const char *key, uint64_t id)
{
	return (struct kv){.key = key, .type = KV_ID, .u = id};
}

#define KVS(...) ((const struct kv[]){__VA_ARGS__, {.type = KV_END_TYPE}})

struct buf;

/* <role> (kept, not copied) stands in every line; lines above <most> are not written. */
void log_open(int fd, const char *role, enum log_level most);
void log_set_level(enum log_level most);

/* The line's fields alone, as the journal keeps them: `event=... key=value ...`. */
void log_fields(struct buf *b, const char *event, const struct kv *fields);

void log_put(enum log_level level, const char *event, const struct kv *fields);

/* As log_put with a single text: log_say(LOG_WARN, "spool_io", e.text). */
void log_say(enum log_level level, const char *event, const char *text);

void log_flush(void);

#endif
