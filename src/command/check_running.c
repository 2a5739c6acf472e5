/*
 * A configuration against the one in force. See check_running.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cfg/cfg.h"
#include "cfg/cfg_fixed.h"
#include "cfg/cfg_schema.h"
#include "cfg/cfg_show.h"
#include "command/check_running.h"
#include "command/client.h"

#define TEXT_OCTETS ((size_t)4 * CFG_OCTETS_MAX) /* what control prints it into */
#define TRIES 3                                  /* a reload may come while we read */

struct reading {
	struct buf text;
	char hash[32];
	bool torn; /* pages of two configurations */
};

static void
take_page(void *arg, json_t *row)
{
	struct reading *r = arg;
	char room[sizeof(r->hash)];
	struct buf hash = BUF_ON(room);

	buf_add(&hash, client_text(row, "hash"));
	if (r->text.n > 0 && strcmp(room, r->hash) != 0)
		r->torn = true;
	memcpy(r->hash, room, sizeof(room));
	buf_add(&r->text, client_text(row, "text"));
}

static int
read_once(struct client *c, struct reading *r, struct err *e)
{
	bool more = true;
	int status = EX_OK;

	buf_clear(&r->text);
	r->torn = false;
	while (status == EX_OK && more && !r->torn && !r->text.cut) {
		char at[24];

		(void)snprintf(at, sizeof(at), "%zu", r->text.n);
		status = client_ask(c, json_pack("{s:s, s:s}", "verb", "config", "at", at),
		                    take_page, r, &more, e);
	}
	return status;
}

/* The configuration in force, or NULL. */
static struct cfg *
read_running(struct client *c)
{
	struct reading r = {
		.text = {.p = malloc(TEXT_OCTETS), .cap = TEXT_OCTETS}
        };
	char ignored[256];
	struct buf report = BUF_ON(ignored);
	struct cfg *running = NULL;
	struct err e;

	r.torn = true;
	for (int i = 0; r.text.p != NULL && r.torn && i < TRIES; i++)
		if (read_once(c, &r, &e) != EX_OK)
			r.torn = true;
	if (!r.torn && !r.text.cut &&
	    cfg_read_text("running", buf_str(&r.text), &running, &report) != RC_OK)
		running = NULL; /* of another version, which has other options */
	free(r.text.p);
	return running;
}

static bool
same_sections(const struct cfg *a, const struct cfg *b)
{
	struct buf x = {.p = malloc(TEXT_OCTETS), .cap = TEXT_OCTETS};
	struct buf y = {.p = malloc(TEXT_OCTETS), .cap = TEXT_OCTETS};
	bool same = false;

	if (x.p != NULL && y.p != NULL) {
		buf_clear(&x);
		buf_clear(&y);
		cfg_show_sections(a, &x);
		cfg_show_sections(b, &y);
		same = str_eq(buf_str(&x), buf_str(&y));
	}
	free(x.p);
	free(y.p);
	return same;
}

static void
compare(const struct cfg *c, const struct cfg *running, struct changes *ret)
{
	const struct cfg_row *row;

	for (size_t i = 0; (row = cfg_row_at(i)) != NULL; i++)
		if (!cfg_row_same(row, c, running))
			(void)json_array_append_new(cfg_row_is_fixed(row) ? ret->restart
			                                                  : ret->reload,
			                            json_string(row->name));
	if (!same_sections(c, running))
		(void)json_array_append_new(ret->reload, json_string("sections"));
}

void
check_running(const struct cfg *c, struct changes *ret)
{
	struct client *client = NULL;
	struct err e;

	*ret = (struct changes){.reload = json_array(), .restart = json_array()};
	if (c == NULL || client_open(c, &client, &e) != EX_OK)
		return;
	struct cfg *running = read_running(client);
	(void)client_close(client);
	ret->running = running != NULL;
	if (running != NULL)
		compare(c, running, ret);
	(void)cfg_free(running);
}

void
changes_free(struct changes *c)
{
	json_decref(c->reload);
	json_decref(c->restart);
}
