/*
 * sekisho backup: what a server needs to go on elsewhere, copied while it runs.
 *
 * The databases are copied by the roles that own them, in their own folders; from there this
 * command takes the copies. While spool has such a copy it removes no body, so that each body
 * that the copy names is still there to be taken.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/fd.h"
#include "base/id.h"
#include "cfg/cfg.h"
#include "command/backup_file.h"
#include "command/client.h"
#include "command/command.h"
#include "db/db_copy.h"

#define RENEW_MS 60000 /* spool is told so often that its copy is still wanted */

struct backup {
	struct client *client;
	int data; /* data_dir */
	int to;   /* the backup's folder */
	json_t *files;
	uint64_t octets;
	uint64_t renew_ms;
};

/* ---- copies that roles make ---- */

static void
on_row(void *arg, json_t *row)
{
	*(bool *)arg = json_is_true(json_object_get(row, "whole"));
}

static int
ask_copy(struct backup *b, const struct backup_db *db, enum db_copy_act act, bool *ret_whole,
         struct err *e)
{
	char text[8];
	struct buf number = BUF_ON(text);
	bool more;

	buf_addf(&number, "%u", (unsigned)act);
	return client_ask(b->client, json_pack("{s:s, s:s}", "verb", db->verb, "act", number.p),
	                  on_row, ret_whole, &more, e);
}

static int
make_copy(struct backup *b, const struct backup_db *db, struct err *e)
{
	bool whole = false;
	int status = ask_copy(b, db, DB_COPY_BEGIN, &whole, e);

	while (status == EX_OK && !whole)
		status = ask_copy(b, db, DB_COPY_STEP, &whole, e);
	return status;
}

/* The lease of the bodies must not run out while many are copied. */
static int
renew(struct backup *b, struct err *e)
{
	uint64_t now_ms = clock_mono_ms();
	bool whole;

	if (now_ms < b->renew_ms)
		return EX_OK;
	b->renew_ms = now_ms + RENEW_MS;
	return ask_copy(b, &backup_dbs[0], DB_COPY_STEP, &whole, e);
}

static void
end_copies(struct backup *b)
{
	struct err ignored; /* they end by themselves, later */
	bool whole;

	for (size_t i = 0; i < LENGTH(backup_dbs); i++)
		(void)ask_copy(b, &backup_dbs[i], DB_COPY_END, &whole, &ignored);
}

/* ---- files ---- */

static int
status_of(const struct err *e)
{
	return e->sys == ENOSPC || e->sys == EACCES || e->sys == EPERM ? EX_CANTCREAT
	                                                               : EX_IOERR;
}

/* What <in> has becomes <folder>/<as> of the backup, whose folder is <to>. */
static enum rc
take_open(struct backup *b, int in, int to, const char *folder, const char *as, struct err *e)
{
	CLEANUP(fd_closep) int out = -1;
	struct backup_sum sum;
	char path[512];
	char hash[24];
	struct buf p = BUF_ON(path);
	struct buf h = BUF_ON(hash);

	if (backup_create(to, as, &out, e) != RC_OK)
		return e->rc;
	if (backup_copy(in, out, &sum, e) != RC_OK)
		return err_in(e, "copy %s", as);
	buf_addf(&p, "%s%s%s", folder, folder[0] == '\0' ? "" : "/", as);
	buf_addf(&h, "%016llx", (unsigned long long)sum.hash);
	b->octets += sum.size;
	if (json_array_append_new(b->files, json_pack("{s:s, s:I, s:s}", "path", path, "size",
	                                              (json_int_t)sum.size, "xxh3", hash)) != 0)
		return err_set(e, RC_TEMP, "no memory");
	return RC_OK;
}

/* A role's file: whoever owns its folder, nothing else is read through it. */
static enum rc
take_file(struct backup *b, int from, const char *name, int to, const char *folder,
          const char *as, struct err *e)
{
	CLEANUP(fd_closep) int in = -1;

	if (backup_open(from, name, &in, e) != RC_OK)
		return e->rc;
	return take_open(b, in, to, folder, as, e);
}

static enum rc
make_folder(int in, const char *name, int *ret_fd, struct err *e)
{
	if (mkdirat(in, name, 0700) < 0)
		return err_sys(e, "make %s", name);
	return backup_folder(in, name, ret_fd, e);
}

static enum rc
take_db(struct backup *b, const struct backup_db *db, struct err *e)
{
	CLEANUP(fd_closep) int from = -1;
	CLEANUP(fd_closep) int to = -1;

	if (backup_folder(b->data, db->folder, &from, e) != RC_OK ||
	    make_folder(b->to, db->folder, &to, e) != RC_OK)
		return e->rc;
	return take_file(b, from, DB_COPY_FILE, to, db->folder, db->name, e);
}

/* All there are: those that no row of the copy names are removed where they are restored. */
static int
take_bodies(struct backup *b, struct err *e)
{
	CLEANUP(fd_closep) int spool = -1;
	CLEANUP(fd_closep) int from = -1;
	CLEANUP(fd_closep) int to_spool = -1;
	CLEANUP(fd_closep) int to = -1;
	struct dirent *entry;
	int status = EX_OK;

	if (backup_folder(b->data, "spool", &spool, e) != RC_OK ||
	    backup_folder(spool, "body", &from, e) != RC_OK ||
	    backup_folder(b->to, "spool", &to_spool, e) != RC_OK ||
	    make_folder(to_spool, "body", &to, e) != RC_OK)
		return status_of(e);
	DIR *dir = fdopendir(dup(from));
	if (dir == NULL) {
		(void)err_sys(e, "read spool/body");
		return EX_OSERR;
	}
	while (status == EX_OK && (entry = readdir(dir)) != NULL) {
		uint64_t id;

		if (!id_parse(str_of(entry->d_name), &id))
			continue; /* `.`, and what writer has not finished */
		status = renew(b, e);
		if (status == EX_OK && take_file(b, from, entry->d_name, to, "spool/body",
		                                 entry->d_name, e) != RC_OK)
			/* removed between the reading of its name and now: no row has it */
			status = e->sys == ENOENT ? EX_OK : status_of(e);
	}
	(void)closedir(dir); /* it was only read */
	return status;
}

/* The operator's own: it may be a link, as where configurations are kept elsewhere. */
static enum rc
take_conf(struct backup *b, int from, const char *name, int to, const char *folder,
          const char *as, struct err *e)
{
	CLEANUP(fd_closep) int in = openat(from, name, O_RDONLY | O_CLOEXEC);

	if (in < 0)
		return err_sys(e, "open %s", name);
	return take_open(b, in, to, folder, as, e);
}

static enum rc
take_parts(struct backup *b, DIR *dir, struct err *e)
{
	CLEANUP(fd_closep) int to = -1;
	struct dirent *entry;

	if (make_folder(b->to, CFG_FOLDER, &to, e) != RC_OK)
		return e->rc;
	while ((entry = readdir(dir)) != NULL)
		if (cfg_is_part(str_of(entry->d_name)) &&
		    take_conf(b, dirfd(dir), entry->d_name, to, CFG_FOLDER, entry->d_name, e) !=
		            RC_OK)
			return e->rc;
	return RC_OK;
}

/* sekisho.conf, and what is read behind it. */
static enum rc
take_configuration(struct backup *b, const char *conf, struct err *e)
{
	char room[4096];
	struct buf folder = BUF_ON(room);
	size_t slash = str_rfind(str_of(conf), '/');

	if (take_conf(b, AT_FDCWD, conf, b->to, "", "sekisho.conf", e) != RC_OK)
		return e->rc;
	if (slash < str_of(conf).n)
		buf_add(&folder, str_slice(str_of(conf), 0, slash + 1));
	buf_add(&folder, STR(CFG_FOLDER));
	DIR *dir = folder.cut ? NULL : opendir(folder.p);
	if (dir == NULL)
		return !folder.cut && (errno == ENOENT || errno == ENOTDIR)
		               ? RC_OK
		               : err_sys(e, "read %s", folder.p);
	enum rc rc = take_parts(b, dir, e);
	(void)closedir(dir); /* it was only read */
	return rc;
}

/* Written last: a backup without it is none. */
static enum rc
write_list(struct backup *b, struct err *e)
{
	char made[40];
	struct buf time = BUF_ON(made);
	CLEANUP(fd_closep) int fd = -1;

	date_add_rfc3339(&time, clock_wall_us());
	json_t *list = json_pack("{s:i, s:s, s:s, s:O}", "format", BACKUP_FORMAT, "version",
	                         SEKISHO_VERSION, "made", made, "files", b->files);
	if (list == NULL)
		return err_set(e, RC_TEMP, "no memory");
	enum rc rc = backup_create(b->to, BACKUP_LIST, &fd, e);
	if (rc == RC_OK && (json_dumpfd(list, fd, JSON_INDENT(1)) != 0 || fsync(fd) < 0))
		rc = err_sys(e, "write " BACKUP_LIST);
	json_decref(list);
	if (rc == RC_OK && fsync(b->to) < 0)
		rc = err_sys(e, "sync the backup");
	return rc;
}

/* ---- the command ---- */

static int
take_all(struct backup *b, const char *conf, struct err *e)
{
	int status = EX_OK;

	/* spool first: accounts only grow older than the mail that is for them */
	for (size_t i = 0; i < LENGTH(backup_dbs) && status == EX_OK; i++)
		status = make_copy(b, &backup_dbs[i], e);
	for (size_t i = 0; i < LENGTH(backup_dbs) && status == EX_OK; i++)
		if (take_db(b, &backup_dbs[i], e) != RC_OK)
			status = status_of(e);
	if (status == EX_OK)
		status = take_bodies(b, e);
	if (status == EX_OK &&
	    (take_configuration(b, conf, e) != RC_OK || write_list(b, e) != RC_OK))
		status = status_of(e);
	end_copies(b);
	return status;
}

/* A new folder, or an empty one. */
static enum rc
open_target(const char *path, int *ret_fd, struct err *e)
{
	bool empty = true;
	struct dirent *entry;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", path);
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(dup(fd));
	if (dir == NULL)
		return err_sys(e, "open %s", path);
	while (empty && (entry = readdir(dir)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	(void)closedir(dir); /* it was only read */
	if (!empty)
		return err_set(e, RC_PERM, "%s is not empty", path);
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

static enum rc
open_data(const struct cfg *cfg, int *ret_fd, struct err *e)
{
	char path[4096];
	struct buf b = BUF_ON(path);

	buf_add(&b, cfg->data_dir);
	return backup_folder(AT_FDCWD, path, ret_fd, e);
}

static void
print_done(const struct call *call, const struct backup *b)
{
	unsigned long long files = json_array_size(b->files);

	(void)printf((call->flags & COMMAND_JSON) != 0 ? "{\"files\":%llu,\"octets\":%llu}\n"
	                                               : "%llu files, %llu octets\n",
	             files, (unsigned long long)b->octets);
}

static int
run(const struct call *call, const struct cfg *cfg, struct backup *b, struct err *e)
{
	int status = client_open(cfg, &b->client, e);

	if (status == EX_UNAVAILABLE)
		(void)err_in(e, "where it is stopped, data_dir can be copied with any tool");
	if (status != EX_OK)
		return status;
	if (open_data(cfg, &b->data, e) != RC_OK)
		return EX_NOPERM;
	if (open_target(call->argv[0], &b->to, e) != RC_OK)
		return EX_CANTCREAT;
	status = take_all(b, call->conf, e);
	if (status == EX_OK)
		print_done(call, b);
	return status;
}

int
command_backup(const struct call *call)
{
	struct backup b = {.data = -1, .to = -1, .files = json_array()};
	struct cfg *cfg = command_cfg(call, false);
	struct err e;

	int status = cfg == NULL ? EX_CONFIG : run(call, cfg, &b, &e);
	if (cfg != NULL && status != EX_OK)
		(void)command_fail(status, "%s", e.text);
	(void)client_close(b.client);
	fd_closep(&b.data);
	fd_closep(&b.to);
	json_decref(b.files);
	(void)cfg_free(cfg);
	return status;
}
