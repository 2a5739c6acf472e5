/*
 * Bodies on their way to the disk. See files.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/id.h"
#include "writer/files.h"

#define MODE 0640 /* the folder's group is spool's */

/* ".W-ID" */
struct temp_name {
	char c[sizeof(".255-") + ID_TEXT_OCTETS];
};

static struct temp_name
temp_name(unsigned writer, const char *id)
{
	struct temp_name name;
	struct buf b = BUF_ON(name.c);

	buf_addf(&b, ".%u-%s", writer, id);
	return name;
}

static enum rc
clear_own(unsigned writer, struct err *e)
{
	struct temp_name own = temp_name(writer, "");
	DIR *d = opendir(".");
	struct dirent *entry;

	if (d == NULL)
		return err_sys(e, "open the folder of bodies");
	/* one process, one thread */
	while ((entry = readdir(d)) != NULL) /* NOLINT(concurrency-mt-unsafe) */
		if (str_starts(str_of(entry->d_name), str_of(own.c)))
			(void)unlink(entry->d_name); /* if it stays, it only takes room */
	(void)closedir(d);                           /* it was only read */
	return RC_OK;
}

enum rc
files_open(struct files *f, unsigned writer, struct err *e)
{
	*f = (struct files){.writer = writer};
	TAILQ_INIT(&f->open);
	f->folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->folder < 0)
		return err_sys(e, "open the folder of bodies");
	return clear_own(writer, e);
}

struct file *
files_find(const struct files *f, uint64_t id, const void *owner)
{
	struct file *file;

	TAILQ_FOREACH(file, &f->open, link)
	if (file->id == id && file->owner == owner)
		return file;
	return NULL;
}

enum rc
files_begin(struct files *f, uint64_t id, const void *owner, struct file **ret, struct err *e)
{
	struct temp_name name = temp_name(f->writer, id_text(id).c);

	if (f->broken || f->count >= FILES_MOST)
		return err_set(e, RC_TEMP, "%s",
		               f->broken ? "the folder cannot be synced"
		                         : "too many bodies are being written");
	struct file *file = calloc(1, sizeof(*file));
	if (file == NULL)
		return err_sys(e, "write %s", name.c);
	*file = (struct file){.id = id, .owner = owner};
	file->fd = open(name.c, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	if (file->fd < 0) {
		(void)err_sys(e, "make %s", name.c);
		free(file);
		return e->rc;
	}
	TAILQ_INSERT_HEAD(&f->open, file, link);
	f->count++;
	*ret = file;
	return RC_OK;
}

enum rc
files_add(struct file *file, struct str octets, struct err *e)
{
	if (fd_write_all(file->fd, octets, e) != RC_OK)
		return err_in(e, "body %s", id_text(file->id).c);
	file->size += octets.n;
	return RC_OK;
}

static void
forget(struct files *f, struct file *file)
{
	TAILQ_REMOVE(&f->open, file, link);
	f->count--;
	fd_closep(&file->fd);
	free(file);
}

void
files_drop(struct files *f, struct file *file)
{
	struct temp_name name = temp_name(f->writer, id_text(file->id).c);

	(void)unlink(name.c); /* what stays is cleared at the next start */
	forget(f, file);
}

void
files_drop_all(struct files *f, const void *owner)
{
	struct file *file = TAILQ_FIRST(&f->open);

	while (file != NULL) {
		struct file *next = TAILQ_NEXT(file, link);

		if (file->owner == owner)
			files_drop(f, file);
		file = next;
	}
}

/* Never over a file that has this name: it may be a message that was accepted. */
static enum rc
make_durable(struct files *f, struct file *file, uint64_t size, struct err *e)
{
	struct id_text id = id_text(file->id);
	struct temp_name name = temp_name(f->writer, id.c);

	if (file->size != size)
		return err_set(e, RC_TEMP, "body %s has %llu octets instead of %llu", id.c,
		               (unsigned long long)file->size, (unsigned long long)size);
	if (fsync(file->fd) < 0)
		return err_sys(e, "sync body %s", id.c);
	if (renameat2(f->folder, name.c, f->folder, id.c, RENAME_NOREPLACE) < 0)
		return err_sys(e, "name body %s", id.c);
	if (fsync(f->folder) == 0)
		return RC_OK;
	(void)err_sys(e, "sync the folder of body %s", id.c);
	f->broken = true;
	(void)unlink(id.c); /* no row will name it; spool removes what stays */
	return e->rc;
}

enum rc
files_end(struct files *f, struct file *file, uint64_t size, struct err *e)
{
	enum rc rc = make_durable(f, file, size, e);

	if (rc == RC_OK)
		forget(f, file);
	else
		files_drop(f, file);
	return rc;
}
