/*
 * Messages between processes as structs, made from msg.def.
 */
#ifndef IPC_MSG_H
#define IPC_MSG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"
#include "base/str.h"
#include "ipc/proc.h"

#define MSG_OCTETS_MAX 65536U

/* A checked list inside a message: walk it with item_next_NAME. To send one, fill a list_room.
 */
struct list {
	unsigned count;
	struct str wire;
};

/* clang-format off */
#define ITEM(name)        struct item_##name {
#define END_ITEM          };
#define U8(name, most)    uint8_t name;
#define U16(name, most)   uint16_t name;
#define U32(name, most)   uint32_t name;
#define U64(name, most)   uint64_t name;
#define TEXT(name, most)  struct str name;
#include "ipc/item.def"

#define MESSAGE(no, name, from, to) struct msg_##name {
#define END               };
#define END_EMPTY         char nothing; };
#define U8(name, most)    uint8_t name;
#define U16(name, most)   uint16_t name;
#define U32(name, most)   uint32_t name;
#define U64(name, most)   uint64_t name;
#define TEXT(name, most)  struct str name;
#define BYTES(name, most) struct str name;
#define ADDR(name)        struct netaddr name;
#define LIST(name, item, most) struct list name;
#define FD(name)          int name;
#include "ipc/msg.def"

enum msg_no {
#define MESSAGE(no, name, from, to) MSG_##name = (no),
#include "ipc/msg.def"
	MSG_NO_MAX = 128
};

struct msg {
	enum msg_no no;
	union {
#define MESSAGE(no, name, from, to) struct msg_##name name;
#include "ipc/msg.def"
	};
};

/*
 * item_next_NAME: take the next item off <l>; false at its end. Items of a decoded message
 * have been checked. item_add_NAME: append one to <b>, to be sent as
 * (struct list){count, buf_str(b)}; false where a value is over its most or there is no room,
 * and <b> is as it was.
 */
#define ITEM(name) \
	bool item_next_##name(struct list *l, struct item_##name *ret); \
	bool item_add_##name(struct buf *b, const struct item_##name *item) MUST_CHECK;
#include "ipc/item.def"
/* clang-format on */

/*
 * Write <m>, sent by <from> to <to>, behind what <b> holds. RC_PERM where a value is over its
 * most, a text has a control octet, or the direction is not declared: our own mistake or a
 * value not checked before. *ret_fd is the descriptor that travels along, still the caller's,
 * or -1.
 */
enum rc msg_encode(enum proc from, enum proc to, const struct msg *m, struct buf *b,
                   int *ret_fd, struct err *e) MUST_CHECK;

/*
 * Read one message that <from> sent to <to>.
 *
 * Texts and lists in *ret point into <wire> and live as long as it does. <fd> is the
 * descriptor that came along or -1; on success it is *ret's, on failure still the caller's.
 * RC_PERM for a number nobody declared, a direction msg.def does not name, a value over its
 * most, octets left over, a descriptor missing or unasked. The process goes on; the caller
 * cuts the peer off.
 */
enum rc msg_decode(enum proc from, enum proc to, struct str wire, int fd, struct msg *ret,
                   struct err *e) MUST_CHECK;

/* NULL for a number nobody declared. */
const char *msg_name(enum msg_no no);

#endif
