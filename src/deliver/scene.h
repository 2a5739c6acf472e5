/*
 * For tests: an empty mail folder on a real disk, a batch in it, messages for it, and a clock
 * and syncs that do as they are told. The working directory is the mail folder.
 */
#ifndef DELIVER_SCENE_H
#define DELIVER_SCENE_H

#include "deliver/batch.h"

#define BODY "Subject: hi\n\nhello"
#define ALICE "alice@example.org"
#define NEW "example.org/alice/new"
#define CUR "example.org/alice/cur"

struct scene {
	uint64_t now_ms;
	int error;         /* of each sync */
	uint64_t takes_ms; /* syncfs */
	unsigned syncfs_calls;
	unsigned fsync_calls;
	unsigned there; /* files in NEW at the last syncfs */
};

extern struct scene scene;
extern char scene_home[64];
extern const struct disk_calls scene_calls;

/* cmocka's setup and teardown: *state is the batch. */
int scene_start(void **state);
int scene_stop(void **state);

struct batch *scene_open(void);

/* The working directory as the home of that user. */
struct batch *scene_open_user(const char *user);

/* Files there, those whose name starts with a dot left out; 0 where there is no folder. */
unsigned scene_count_files(const char *folder);

/* The only file there. */
struct mailfile_name scene_file_in(const char *folder);

/* "folder/name" into PATH_MAX octets. */
void scene_path_of(char *path, const char *folder, const char *name);
void scene_put_file(const char *folder, const char *name, const char *content);

/* A reader has seen the only message in NEW: new/NAME becomes cur/NAME:2,S. */
void scene_see(void);

/* What is there, without following links. */
void scene_remove_all(const char *path);

/* A message with BODY, to be changed at will; <no> makes its id and number. */
struct mail scene_mail_no(unsigned no);

/* Deliver: the outcome, of a batch not synced yet. The last two: scene_mail_no to ALICE. */
const struct outcome *scene_put_to(struct batch *b, const struct mail *m, const char *mailbox,
                                   unsigned n);
const struct outcome *scene_put(struct batch *b, unsigned no);
const struct outcome *scene_put_again(struct batch *b, unsigned no);

/* Sync, which must succeed, and forget the outcomes. */
void scene_settle(struct batch *b);

/* RC_TEMP, and <why> is a part of its text. */
void scene_check_temp(const struct outcome *o, const char *why);

#endif
