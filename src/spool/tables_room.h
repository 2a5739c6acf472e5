/*
 * For tests of tables.h: a spool.db in a temporary folder, and rows to put there.
 */
#ifndef SPOOL_TABLES_ROOM_H
#define SPOOL_TABLES_ROOM_H

#include "spool/tables.h"

#define NOW UINT64_C(1700000000000000)

struct room {
	char dir[64];
	char path[96];
	char log[104];
	struct tables *t;
};

/* A test's own: TEST(test_x) in the list. */
int room_setup(void **state);
int room_teardown(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)

/* Close what is open, and open it again. */
void room_reopen(struct room *r);

struct mail_row room_mail(uint64_t id, struct str body);
struct rcpt_row room_rcpt(uint64_t id, unsigned n, uint64_t next_us);
/* A message of one recipient, in an open transaction; or committed. */
enum rc room_put(struct tables *t, uint64_t id, struct str body, struct err *e);
void room_must_put(struct tables *t, uint64_t id, struct str body);

#endif
