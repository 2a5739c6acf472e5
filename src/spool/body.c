/*
 * Large bodies: files that the writer made and synced before their row was committed. They
 * are removed after the commit that removed their row.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "spool/spool.h"

#define SWEEP_STEP 256 /* files looked at in one turn */
#define SWEEP_EVERY_MS (UINT64_C(3600) * 1000)
#define SWEEP_AGE_S 3600 /* younger ones may yet get their row */

struct body_name {
	char c[sizeof("body/") + ID_TEXT_OCTETS];
};

static struct body_name
body_name(uint64_t id)
{
	struct body_name name;
	struct buf b = BUF_ON(name.c);
	struct id_text text = id_text(id);

	buf_add(&b, STR("body/"));
	buf_add(&b, str_of(text.c));
	return name;
}

static enum rc
body_fits(const struct stat *st, uint64_t size, const char *name, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, RC_PERM, "%s is not a regular file", name);
	if ((uint64_t)st->st_size != size)
		return err_set(e, RC_PERM, "%s has %lld octets instead of %llu", name,
		               (long long)st->st_size, (unsigned long long)size);
	return RC_OK;
}

enum rc
body_check(uint64_t id, uint64_t size, struct err *e)
{
	struct body_name name = body_name(id);
	struct stat st;

	if (fstatat(AT_FDCWD, name.c, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat %s", name.c);
	return body_fits(&st, size, name.c, e);
}

enum rc
body_open(uint64_t id, uint64_t size, int *ret_fd, struct err *e)
{
	struct body_name name = body_name(id);
	struct stat st;

	CLEANUP(fd_closep)
	int fd = open(name.c, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "open %s", name.c);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", name.c);
	if (body_fits(&st, size, name.c, e) != RC_OK)
		return e->rc;
	*ret_fd = fd_take(&fd);
	return RC_OK;
}

void
body_remove(uint64_t id)
{
	struct body_name name = body_name(id);
	struct err e;

	if (unlink(name.c) < 0 && errno != ENOENT) {
		(void)err_sys(&e, "remove %s", name.c);
		log_say(LOG_WARN, "body_left", e.text);
	}
}

/*
 * A file without a row: its message was never accepted (250 comes after the row), or its row
 * is gone. Removing one that is about to get its row is safe as well, keep.c looks for the
 * file first; so the age only spares a client the 4xx.
 */
static void
sweep_file(struct spool *sp, const char *file)
{
	struct stat st;
	uint64_t id;

	if (!id_parse(str_of(file), &id) || strcmp(id_text(id).c, file) != 0 ||
	    tables_has_mail(sp->tables, id))
		return;
	struct body_name name = body_name(id);
	if (fstatat(AT_FDCWD, name.c, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	int64_t age_s = (int64_t)(sp->wall_us / 1000000) - st.st_mtim.tv_sec;
	if (age_s < SWEEP_AGE_S)
		return;
	body_remove(id);
	sp->swept++;
}

static void
sweep_end(struct spool *sp)
{
	(void)closedir(sp->sweep); /* it was only read */
	sp->sweep = NULL;
	sp->sweep_ms = sp->now_ms + SWEEP_EVERY_MS;
	if (sp->swept > 0)
		log_put(LOG_INFO, "bodies_removed", KVS(kv_num("files", sp->swept)));
	sp->swept = 0;
}

void
body_sweep(struct spool *sp)
{
	struct dirent *entry;

	if (sp->sweep == NULL) {
		if (sp->now_ms < sp->sweep_ms)
			return;
		sp->sweep_ms = sp->now_ms + SWEEP_EVERY_MS;
		sp->sweep = opendir("body");
	}
	if (sp->sweep == NULL) {
		log_say(LOG_WARN, "body_sweep", "the folder of bodies cannot be read");
		return;
	}
	for (int i = 0; i < SWEEP_STEP; i++) {
		/* one process, one thread */
		entry = readdir(sp->sweep); /* NOLINT(concurrency-mt-unsafe) */
		if (entry == NULL) {
			sweep_end(sp);
			return;
		}
		sweep_file(sp, entry->d_name);
	}
}
