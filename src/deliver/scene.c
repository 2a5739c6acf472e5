/*
 * A mail folder for tests. See scene.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/test.h"
#include "deliver/scene.h"
#include "ipc/msg.h"

char scene_home[64];
struct scene scene;

/* ---- looking at folders ---- */

unsigned
scene_count_files(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned count = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(dir);
	return count;
}

/* The only file there. */
struct mailfile_name
scene_file_in(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct mailfile_name name = {""};

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			(void)snprintf(name.c, sizeof(name.c), "%s", entry->d_name);
	(void)closedir(dir);
	assert_int_equal(scene_count_files(folder), 1);
	return name;
}

void
scene_path_of(char *path, const char *folder, const char *name)
{
	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
}

void
scene_put_file(const char *folder, const char *name, const char *content)
{
	char path[PATH_MAX];
	int fd;

	scene_path_of(path, folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	(void)close(fd);
}

/* A reader has seen it: new/NAME becomes cur/NAME:2,S. */
void
scene_see(void)
{
	struct mailfile_name name = scene_file_in(NEW);
	char old[PATH_MAX];
	char now[PATH_MAX];

	scene_path_of(old, NEW, name.c);
	(void)snprintf(now, sizeof(now), "%s/%s:2,S", CUR, name.c);
	assert_int_equal(rename(old, now), 0);
}

/* ---- the system, as we want it ---- */

static int
answer(void)
{
	errno = scene.error;
	return scene.error == 0 ? 0 : -1;
}

static int
our_syncfs(int fd)
{
	(void)fd;
	scene.syncfs_calls++;
	scene.now_ms += scene.takes_ms;
	scene.there = scene_count_files(NEW);
	return answer();
}

static int
our_fsync(int fd)
{
	(void)fd;
	scene.fsync_calls++;
	return answer();
}

static uint64_t
our_now_ms(void)
{
	return scene.now_ms;
}

const struct disk_calls scene_calls = {our_syncfs, our_fsync, our_now_ms};

struct batch *
scene_open_user(const char *user)
{
	struct batch *b;
	struct err e;

	if (batch_open(str_of(user), 0, STR("mail.example.org"), &scene_calls, &b, &e) != RC_OK)
		fail_msg("%s", e.text);
	return b;
}

struct batch *
scene_open(void)
{
	return scene_open_user("");
}

int
scene_start(void **state)
{
	(void)snprintf(scene_home, sizeof(scene_home), "/tmp/sekisho-batch-XXXXXX");
	if (mkdtemp(scene_home) == NULL || chdir(scene_home) != 0)
		return -1;
	memset(&scene, 0, sizeof(scene));
	scene.now_ms = 1;
	*state = scene_open();
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* What is there, without following links. */
void
scene_remove_all(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int
scene_stop(void **state)
{
	*state = batch_free(*state);
	if (chdir("/") != 0)
		return -1;
	scene_remove_all(scene_home);
	return 0;
}

/* ---- delivering ---- */

struct mail
scene_mail_no(unsigned no)
{
	return (struct mail){.id = (uint64_t)no << 12,
	                     .seq = no,
	                     .size = sizeof(BODY) - 1,
	                     .hash = XXH3_64bits(BODY, sizeof(BODY) - 1),
	                     .sender = STR("s@example.net"),
	                     .body = STR(BODY),
	                     .body_fd = -1};
}

const struct outcome *
scene_put_to(struct batch *b, const struct mail *m, const char *mailbox, unsigned n)
{
	struct item_rcpt to = {.n = (uint16_t)n,
	                       .mailbox = str_of(mailbox),
	                       .orig = STR("Alice+x@example.org")};

	batch_put(b, m, &to);
	return batch_outcome(b, batch_count(b) - 1);
}

const struct outcome *
scene_put(struct batch *b, unsigned no)
{
	struct mail m = scene_mail_no(no);

	return scene_put_to(b, &m, ALICE, 1);
}

const struct outcome *
scene_put_again(struct batch *b, unsigned no)
{
	struct mail m = scene_mail_no(no);

	m.again = true;
	return scene_put_to(b, &m, ALICE, 1);
}

void
scene_settle(struct batch *b)
{
	struct err e;

	assert_int_equal(batch_sync(b, &e), RC_OK);
	batch_clear(b);
}

void
scene_check_temp(const struct outcome *o, const char *why)
{
	assert_int_equal(o->rc, RC_TEMP);
	if (strstr(o->why, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", o->why, why);
}
