/*
 * writer: bodies too long for a message become files, apart from everybody's commit: a large
 * one's sync delays only its own writer. Its folder, spool/body/, is its root.
 */
#include <errno.h>
#include <sysexits.h>

#include "base/id.h"
#include "base/log.h"
#include "cfg/cfg.h"
#include "role/role.h"
#include "writer/files.h"

#define SLACK_OCTETS 65536U /* our Received field and whatever else comes on top */

static const char *const calls[] = {"openat",    "newfstatat", "fstat",      "fsync", "lseek",
                                    "renameat2", "unlink",     "getdents64", NULL};

static const struct walls walls = {.folder = FOLDER_FILES,
                                   .files = FILES_MOST + 64 + PEERS_MAX,
                                   .writes = true,
                                   .calls = calls};

/* The largest size there was since the start: edges of older configurations keep to it. */
static uint64_t size_most;

static void
answer(struct channel *c, struct msg_body_reply reply)
{
	struct msg m = {.no = MSG_body_reply, .body_reply = reply};
	struct err e;

	/* one is outstanding a session: who does not read them does not wait for them */
	if (channel_send(c, &m, &e) == RC_AGAIN)
		channel_cut(c, "does not read replies");
}

static bool
no_room(enum rc rc, const struct err *e)
{
	return rc != RC_OK && (e->sys == ENOSPC || e->sys == EDQUOT || e->sys == EFBIG);
}

static void
say_failed(uint64_t id, const struct err *e)
{
	log_put(LOG_ERROR, "body_failed", KVS(kv_id("id", id), kv_text("text", e->text)));
}

static enum rc
add_item(struct files *f, struct channel *c, const struct msg_body_item *m, struct err *e)
{
	struct file *file = files_find(f, m->id, c);

	if (file == NULL && files_begin(f, m->id, c, &file, e) != RC_OK)
		return RC_TEMP;
	if (files_add(file, m->octets, e) == RC_OK)
		return RC_OK;
	files_drop(f, file);
	return RC_TEMP;
}

/* What nobody honest sends. */
static const char *
item_fault(struct role *r, struct channel *c, const struct msg_body_item *m)
{
	const struct file *file = files_find(r->self, m->id, c);

	if (id_maker(m->id) != channel_index(c))
		return "a body of another's message";
	if (file != NULL && file->size + m->octets.n > size_most + SLACK_OCTETS)
		return "a body over the largest size";
	return NULL;
}

static void
on_body_item(struct role *r, struct channel *c, const struct msg *m)
{
	const struct msg_body_item *item = &m->body_item;
	const char *why = item_fault(r, c, item);
	struct err e = {.rc = RC_OK};

	if (why != NULL) {
		channel_cut(c, why);
		return;
	}
	enum rc rc = add_item(r->self, c, item, &e);
	if (rc != RC_OK)
		say_failed(item->id, &e);
	answer(c, (struct msg_body_reply){.session = item->session,
	                                  .id = item->id,
	                                  .rc = (uint8_t)rc,
	                                  .full = no_room(rc, &e)});
}

static void
on_body_end(struct role *r, struct channel *c, const struct msg *m)
{
	const struct msg_body_end *end = &m->body_end;
	struct files *f = r->self;
	struct file *file = files_find(f, end->id, c);
	struct err e = {.rc = RC_OK};
	enum rc rc = RC_OK;

	if (file == NULL)
		rc = err_set(&e, RC_TEMP, "there is no such body");
	else if (files_end(f, file, end->size, &e) != RC_OK)
		rc = RC_TEMP;
	if (rc != RC_OK)
		say_failed(end->id, &e);
	answer(c, (struct msg_body_reply){.session = end->session,
	                                  .id = end->id,
	                                  .end = 1,
	                                  .rc = (uint8_t)rc,
	                                  .full = no_room(rc, &e)});
	if (f->broken)
		role_quit(r, EX_IOERR);
}

static void
on_body_drop(struct role *r, struct channel *c, const struct msg *m)
{
	struct file *file = files_find(r->self, m->body_drop.id, c);

	if (file != NULL)
		files_drop(r->self, file);
}

static role_handler *const handlers[MSG_NO_MAX] = {
	[MSG_body_item] = on_body_item,
	[MSG_body_end] = on_body_end,
	[MSG_body_drop] = on_body_drop,
};

static enum rc
on_reconfigure(struct role *r, const struct cfg *next, struct err *e)
{
	(void)r;
	(void)e;
	if (next->message_size > size_most)
		size_most = next->message_size;
	return RC_OK;
}

static void
on_peer_down(struct role *r, struct channel *c)
{
	files_drop_all(r->self, c);
}

static enum rc
on_open(struct role *r, struct err *e)
{
	static struct files files;

	r->self = &files;
	size_most = r->cfg->message_size;
	return files_open(&files, r->index, e);
}

int
main(int argc, char **argv)
{
	static const struct role_def def = {
		.me = WRITER,
		.walls = &walls,
		.open = on_open,
		.peer_down = on_peer_down,
		.reconfigure = on_reconfigure,
		.handlers = handlers,
	};

	return role_main(&def, argc, argv);
}
