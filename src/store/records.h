/*
 * journal.db: the decisions of the last while, oldest forgotten first, by size and by age.
 */
#ifndef STORE_RECORDS_H
#define STORE_RECORDS_H

#include "base/err.h"
#include "store/waiting.h"

#define RECORDS_FILE "journal.db"
#define RECORDS_VERSION 1 /* its user_version; a newer one is refused */
#define RECORDS_ASIDE_FILE RECORDS_FILE ".damaged"

/* Rows forgotten in one records_forget: some milliseconds. */
#define RECORDS_FORGET_MAX 4096

struct records;

struct records_limits {
	uint64_t octets; /* of rows and index; the file may be larger until it is trimmed */
	uint64_t age_us;
};

/* In the working directory. e->sys is EBADMSG for a damaged file: then records_set_aside. */
enum rc records_open(const struct records_limits *limits, struct records **ret,
                     struct err *e) MUST_CHECK;

/* For a copy of it (db_copy.h). */
struct sqlite3;
struct sqlite3 *records_connection(struct records *r);

/* Other limits from now on; records_forget comes to them. */
void records_limit(struct records *r, const struct records_limits *limits);

/* NULL is fine; returns NULL. */
struct records *records_close(struct records *r);

/* Rename the file and its WAL, in place of what was set aside before; nobody has it open. */
enum rc records_set_aside(struct err *e) MUST_CHECK;

/* All that waits, in one transaction; it is dropped from <w> on success only. */
enum rc records_write(struct records *r, struct waiting *w, struct err *e) MUST_CHECK;

/* What is over the limits, oldest first, a bounded piece. *ret_more: call again soon. */
enum rc records_forget(struct records *r, uint64_t now_us, bool *ret_more,
                       struct err *e) MUST_CHECK;

/*
 * The records of <id> in time order, without the first <skip>, at most <most>: <each> is
 * called with each, its text living until it returns. *ret_more: there are more behind them.
 */
typedef void records_each(void *arg, const struct record *r);
enum rc records_read(struct records *r, uint64_t id, uint32_t skip, unsigned most,
                     records_each *each, void *arg, bool *ret_more, struct err *e) MUST_CHECK;

#endif
