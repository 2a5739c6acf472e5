/*
 * The operator's socket, from the commands' side: one question, its rows, the next.
 */
#ifndef COMMAND_CLIENT_H
#define COMMAND_CLIENT_H

#include <jansson.h>

#include "base/err.h"
#include "base/str.h"

struct call;
struct cfg;
struct client;

/*
 * Connect to the server of this configuration. Returns EX_OK; or EX_UNAVAILABLE where none
 * runs, EX_NOPERM where we may not, EX_OSERR: then <e> has the text.
 */
int client_open(const struct cfg *cfg, struct client **ret, struct err *e) MUST_CHECK;

/* What a command does with its server: returns what to exit with, the text in <e>. */
typedef int client_work(struct client *c, const struct call *call, uint64_t id, struct err *e);

/* A whole command: connect, work, say on stderr what failed. <id>, if any, is for <work>. */
int client_run(const struct call *call, client_work *work, uint64_t id) MUST_CHECK;

/* The same for a command whose first argument is a message's id. */
int client_run_id(const struct call *call, client_work *work) MUST_CHECK;

/* NULL is fine; returns NULL. */
struct client *client_close(struct client *c);

/* One row of the answer, the client's: keep nothing of it. */
typedef void client_row(void *arg, json_t *row);

/*
 * Ask one question and hand over the rows. <request> is used up; NULL is memory that was
 * out. Returns EX_OK, with *ret_more saying whether another page follows, or what the command
 * should exit with, the text in <e>.
 */
int client_ask(struct client *c, json_t *request, client_row *row, void *arg, bool *ret_more,
               struct err *e) MUST_CHECK;

/* The line that ended the last answer; NULL before there was one. The client's. */
const json_t *client_end(const struct client *c);

/* A client_row: one line of JSON on stdout, ASCII only. */
void client_print_json(void *unused, json_t *row);

/* A text of a row; empty where there is none. */
struct str client_text(const json_t *row, const char *key);

/* A number of a row, 0 where there is none. */
uint64_t client_number(const json_t *row, const char *key);

#endif
