/*
 * sekisho queue cat: a message's octets as they were kept (LF line ends, our Received field
 * above them), nothing added. Page by page; where it is delivered meanwhile, that is said.
 */
#include <stdio.h>
#include <sysexits.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/id.h"
#include "command/client.h"
#include "command/command.h"

#define PAGE_OCTETS 40960 /* body_answer of msg.def */

struct cat {
	uint64_t at;
	uint64_t size;
	bool bad; /* a page that is none, or not the next */
};

static void
on_row(void *arg, json_t *row)
{
	static char page[PAGE_OCTETS];
	struct cat *t = arg;
	size_t n = 0;

	t->bad = t->bad || client_number(row, "at") != t->at ||
	         !base64_read(client_text(row, "octets"), page, sizeof(page), &n);
	if (t->bad)
		return;
	(void)fwrite(page, 1, n, stdout); /* the dispatcher looks at stdout's error */
	t->at += n;
	t->size = client_number(row, "size");
}

static json_t *
page_request(uint64_t id, uint64_t at)
{
	char text[24];
	struct buf b = BUF_ON(text);

	buf_addf(&b, "%llu", (unsigned long long)at);
	return json_pack("{s:s, s:s, s:s}", "verb", "queue_body", "id", id_text(id).c, "at",
	                 text);
}

static int
cat(struct client *c, const struct call *call, uint64_t id, struct err *e)
{
	struct cat t = {0};
	bool more = true;
	int status = EX_OK;

	(void)call;
	while (more && status == EX_OK && !t.bad && ferror(stdout) == 0)
		status = client_ask(c, page_request(id, t.at), on_row, &t, &more, e);
	if (status == EX_DATAERR && t.at > 0)
		(void)err_set(e, RC_PERM, "%s has left the queue after %llu of its %llu octets",
		              id_text(id).c, (unsigned long long)t.at,
		              (unsigned long long)t.size);
	else if (status == EX_DATAERR)
		(void)err_in(e, "%s is not in the queue", id_text(id).c);
	if (status != EX_OK || (!t.bad && (t.at == t.size || ferror(stdout) != 0)))
		return status;
	(void)err_set(e, RC_PERM, "the server's answer is not the message's next page");
	return EX_PROTOCOL;
}

int
command_queue_cat(const struct call *call)
{
	return client_run_id(call, cat);
}
