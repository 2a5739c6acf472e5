/*
 * sekisho restore: fill an empty data_dir from what `sekisho backup` made. All of it is read
 * and compared with its list before anything is written.
 *
 * The list is believed in nothing but sums: what may be restored is the table of places here.
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
#include "base/fd.h"
#include "base/id.h"
#include "cfg/cfg.h"
#include "command/backup_file.h"
#include "command/client.h"
#include "command/command.h"
#include "role/folders.h"
#include "role/ids.h"

#define USER_VERSION_AT 60 /* in a file of SQLite, four octets, the highest first */
#define BODY_FOLDER "spool/body"

struct restore {
	int from; /* the backup */
	int data; /* data_dir */
	const struct cfg *cfg;
	bool dbs; /* which files are put now: databases, or bodies */
	uint64_t files;
	uint64_t octets;
};

/* Where a file of the list goes. */
struct place {
	const struct backup_db *db; /* NULL: a body, or nothing to restore */
	bool body;
	struct str name;
};

static struct place
place_of(struct str path)
{
	size_t slash = str_rfind(path, '/');
	struct place p = {.name = str_slice(path, slash + 1, path.n)};
	struct str folder = str_slice(path, 0, slash);
	uint64_t id;

	for (size_t i = 0; i < LENGTH(backup_dbs); i++)
		if (str_eq(folder, str_of(backup_dbs[i].folder)) &&
		    str_eq(p.name, str_of(backup_dbs[i].name)))
			p.db = &backup_dbs[i];
	p.body = slash < path.n && str_eq(folder, STR(BODY_FOLDER)) && id_parse(p.name, &id);
	return p;
}

static bool
is_wanted(const struct place *p)
{
	return p->db != NULL || p->body;
}

/* ---- what is there ---- */

static enum rc
open_listed(const struct restore *r, struct str path, int *ret_fd, struct err *e)
{
	CLEANUP(fd_closep) int folder = -1;
	char room[64];
	struct buf b = BUF_ON(room);
	size_t slash = str_rfind(path, '/');

	buf_add(&b, str_slice(path, 0, slash));
	if (b.cut || backup_folder(r->from, b.p, &folder, e) != RC_OK)
		return b.cut ? err_set(e, RC_PERM, "a path is too long") : e->rc;
	buf_clear(&b);
	buf_add(&b, str_slice(path, slash + 1, path.n));
	return b.cut ? err_set(e, RC_PERM, "a path is too long")
	             : backup_open(folder, b.p, ret_fd, e);
}

static enum rc
check_version(int fd, const struct backup_db *db, struct err *e)
{
	unsigned char octets[4];

	if (pread(fd, octets, sizeof(octets), USER_VERSION_AT) != (ssize_t)sizeof(octets))
		return err_set(e, RC_PERM, "%s is no database", db->name);
	uint32_t version = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
	                   (uint32_t)octets[2] << 8 | octets[3];
	if (version > db->version)
		return err_set(e, RC_PERM,
		               "%s has version %u, made by a newer sekisho; this one knows up "
		               "to %u",
		               db->name, version, db->version);
	return RC_OK;
}

static enum rc
check_file(struct restore *r, const json_t *row, struct err *e)
{
	CLEANUP(fd_closep) int fd = -1;
	struct str path = client_text(row, "path");
	struct place p = place_of(path);
	struct backup_sum sum;
	char hash[24];
	struct buf h = BUF_ON(hash);

	if (!is_wanted(&p))
		return RC_OK;
	if (open_listed(r, path, &fd, e) != RC_OK ||
	    (p.db != NULL && check_version(fd, p.db, e) != RC_OK) ||
	    backup_copy(fd, -1, &sum, e) != RC_OK)
		return err_in(e, "%.*s", STR_FMT(path));
	buf_addf(&h, "%016llx", (unsigned long long)sum.hash);
	if (sum.size != client_number(row, "size") ||
	    !str_eq(buf_str(&h), client_text(row, "xxh3")))
		return err_set(e, RC_PERM, "%.*s is not what was backed up: it is damaged",
		               STR_FMT(path));
	return RC_OK;
}

/* The list, the caller's. */
static enum rc
read_list(const struct restore *r, json_t **ret, struct err *e)
{
	CLEANUP(fd_closep) int fd = -1;
	json_error_t why;

	if (backup_open(r->from, BACKUP_LIST, &fd, e) != RC_OK)
		return err_in(e, "this is no whole backup");
	json_t *list = json_loadfd(fd, 0, &why);
	if (list == NULL)
		return err_set(e, RC_PERM, BACKUP_LIST ": line %d: %s", why.line, why.text);
	uint64_t format = client_number(list, "format");
	if (format > 0 && format <= BACKUP_FORMAT &&
	    json_is_array(json_object_get(list, "files"))) {
		*ret = list;
		return RC_OK;
	}
	(void)err_set(e, RC_PERM, BACKUP_LIST " has format %llu; this sekisho knows up to %d",
	              (unsigned long long)format, BACKUP_FORMAT);
	json_decref(list);
	return RC_PERM;
}

/* ---- what is made ---- */

static enum rc
give(const struct restore *r, int fd, enum proc owner, enum proc group, struct err *e)
{
	uid_t uid;
	gid_t gid;
	uid_t ignored;

	proc_ids(r->cfg, owner, &uid, &gid);
	proc_ids(r->cfg, group, &ignored, &gid);
	if (geteuid() == 0 && fchown(fd, uid, gid) < 0)
		return err_sys(e, "give it to uid %u", uid);
	return RC_OK;
}

/* As its owner would have made it: writer's bodies are spool's group's to read. */
static enum rc
own(const struct restore *r, int fd, const struct place *p, struct err *e)
{
	if (p->db != NULL)
		return give(r, fd, p->db->owner, p->db->owner, e);
	if (give(r, fd, WRITER, SPOOL, e) != RC_OK)
		return e->rc;
	return fchmod(fd, 0640) < 0 ? err_sys(e, "set its mode") : RC_OK;
}

static enum rc
put_file(struct restore *r, const json_t *row, struct err *e)
{
	CLEANUP(fd_closep) int in = -1;
	CLEANUP(fd_closep) int folder = -1;
	CLEANUP(fd_closep) int out = -1;
	struct str path = client_text(row, "path");
	struct place p = place_of(path);
	struct backup_sum sum;
	char name[64];
	struct buf n = BUF_ON(name);

	if (!is_wanted(&p) || r->dbs != (p.db != NULL))
		return RC_OK;
	buf_add(&n, p.name);
	if (open_listed(r, path, &in, e) != RC_OK ||
	    backup_folder(r->data, p.body ? BODY_FOLDER : p.db->folder, &folder, e) != RC_OK ||
	    backup_create(folder, name, &out, e) != RC_OK || own(r, out, &p, e) != RC_OK ||
	    backup_copy(in, out, &sum, e) != RC_OK)
		return err_in(e, "%.*s", STR_FMT(path));
	if (fsync(folder) < 0)
		return err_sys(e, "sync %.*s", STR_FMT(path));
	r->files++;
	r->octets += sum.size;
	return RC_OK;
}

typedef enum rc file_fn(struct restore *r, const json_t *row, struct err *e);

static enum rc
each_file(struct restore *r, const json_t *list, file_fn *run, struct err *e)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(list, "files"), i, row)
	{
		if (run(r, row, e) != RC_OK)
			return e->rc;
	}
	return RC_OK;
}

/* ---- the command ---- */

static enum rc
check_empty(const char *path, struct err *e)
{
	struct dirent *entry;
	bool empty = true;
	DIR *dir = opendir(path);

	if (dir == NULL)
		return errno == ENOENT ? RC_OK : err_sys(e, "open %s", path);
	while (empty && (entry = readdir(dir)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	(void)closedir(dir); /* it was only read */
	if (!empty)
		return err_set(e, RC_PERM, "%s is not empty: nothing is restored over it",
		               path);
	return RC_OK;
}

static enum rc
make_data(struct restore *r, const char *path, struct err *e)
{
	if (folders_make(r->cfg, e) != RC_OK)
		return e->rc;
	return backup_folder(AT_FDCWD, path, &r->data, e);
}

/* Rows last: where this ends early, there is none whose body is missing. */
static enum rc
put_all(struct restore *r, const json_t *list, struct err *e)
{
	r->dbs = false;
	if (each_file(r, list, put_file, e) != RC_OK)
		return e->rc;
	r->dbs = true;
	return each_file(r, list, put_file, e);
}

static int
restore(struct restore *r, const char *from, const char *data, struct err *e)
{
	json_t *list = NULL;
	int status = EX_OK;

	if (check_empty(data, e) != RC_OK)
		return EX_CANTCREAT;
	if (backup_folder(AT_FDCWD, from, &r->from, e) != RC_OK)
		return EX_NOINPUT;
	if (read_list(r, &list, e) != RC_OK || each_file(r, list, check_file, e) != RC_OK)
		status = EX_DATAERR;
	else if (make_data(r, data, e) != RC_OK || put_all(r, list, e) != RC_OK)
		status = EX_CANTCREAT;
	json_decref(list);
	return status;
}

/* A server that runs has its data_dir, or is about to make it. */
static int
check_stopped(const struct cfg *cfg, struct err *e)
{
	struct client *c = NULL;
	int status = client_open(cfg, &c, e);

	(void)client_close(c);
	if (status == EX_UNAVAILABLE)
		return EX_OK;
	if (status == EX_OK)
		(void)err_set(e, RC_PERM, "the server runs: stop it first");
	return status == EX_OK ? EX_UNAVAILABLE : status;
}

int
command_restore(const struct call *call)
{
	struct cfg *cfg = command_cfg(call, false);
	struct restore r = {.from = -1, .data = -1, .cfg = cfg};
	char path[4096];
	struct buf data = BUF_ON(path);
	struct err e;

	if (cfg == NULL)
		return EX_CONFIG;
	buf_add(&data, cfg->data_dir);
	int status = check_stopped(cfg, &e);
	if (status == EX_OK)
		status = restore(&r, call->argv[0], path, &e);
	if (status != EX_OK)
		(void)command_fail(status, "%s", e.text);
	else
		(void)printf((call->flags & COMMAND_JSON) != 0
		                     ? "{\"files\":%llu,\"octets\":%llu}\n"
		                     : "%llu files, %llu octets\n",
		             (unsigned long long)r.files, (unsigned long long)r.octets);
	fd_closep(&r.from);
	fd_closep(&r.data);
	(void)cfg_free(cfg);
	return status;
}
