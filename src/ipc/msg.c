/*
 * The codec of msg.def: little-endian numbers, texts behind a 16-bit length, octets and lists
 * behind a 32-bit one; lists also carry their count. See msg.h.
 */
#include <string.h>

#include "ipc/msg.h"

static bool
take_number(struct str *in, unsigned octets, uint64_t most, uint64_t *ret)
{
	uint64_t value = 0;

	if (in->n < octets)
		return false;
	for (unsigned i = 0; i < octets; i++)
		value |= (uint64_t)(unsigned char)in->p[i] << (8 * i);
	*in = str_slice(*in, octets, in->n);
	*ret = value;
	return value <= most;
}

/* clang-format off */
#define TAKE_NUMBER(bits) \
	static bool take_u##bits(struct str *in, uint##bits##_t *ret, uint64_t most) \
	{ \
		uint64_t value = 0; \
		bool good = take_number(in, (bits) / 8, most, &value); \
		*ret = (uint##bits##_t)value; \
		return good; \
	}
TAKE_NUMBER(8)
TAKE_NUMBER(16)
TAKE_NUMBER(32)
TAKE_NUMBER(64)
/* clang-format on */

static bool
take_octets(struct str *in, unsigned length_octets, uint64_t most, struct str *ret)
{
	uint64_t n;

	if (!take_number(in, length_octets, most, &n) || n > in->n)
		return false;
	*ret = str_slice(*in, 0, (size_t)n);
	*in = str_slice(*in, (size_t)n, in->n);
	return true;
}

static bool
take_text(struct str *in, struct str *ret, uint64_t most)
{
	return take_octets(in, 2, most, ret) && str_is_printable(*ret);
}

static bool
take_bytes(struct str *in, struct str *ret, uint64_t most)
{
	return take_octets(in, 4, most, ret);
}

static bool
take_addr(struct str *in, struct netaddr *ret)
{
	if (in->n < sizeof(ret->octets))
		return false;
	memcpy(ret->octets, in->p, sizeof(ret->octets));
	*in = str_slice(*in, sizeof(ret->octets), in->n);
	return true;
}

static bool
put_u(struct buf *b, unsigned octets, uint64_t value, uint64_t most)
{
	buf_add_le(b, octets, value);
	return value <= most;
}

static bool
put_octets(struct buf *b, unsigned length_octets, struct str s, uint64_t most)
{
	if (s.n > most)
		return false;
	buf_add_le(b, length_octets, s.n);
	buf_add(b, s);
	return true;
}

static bool
put_text(struct buf *b, struct str s, uint64_t most)
{
	return put_octets(b, 2, s, most) && str_is_printable(s);
}

static bool
put_bytes(struct buf *b, struct str s, uint64_t most)
{
	return put_octets(b, 4, s, most);
}

static bool
put_addr(struct buf *b, const struct netaddr *a)
{
	buf_add(b, (struct str){(const char *)a->octets, sizeof(a->octets)});
	return true;
}

static bool
put_list(struct buf *b, const struct list *l, uint64_t most)
{
	buf_add_le(b, 2, l->count);
	return l->count <= most && put_octets(b, 4, l->wire, MSG_OCTETS_MAX);
}

static bool
take_fd(int *fd, int *ret)
{
	if (*fd < 0)
		return false;
	*ret = *fd;
	*fd = -1;
	return true;
}

/* clang-format off */
/* Each item's reader, then its writer. */
#define ITEM(name) \
	static bool take_item_##name(struct str *in, struct item_##name *m) { return
#define END_ITEM          true; }
#define U8(name, most)    take_u8(in, &m->name, most) &&
#define U16(name, most)   take_u16(in, &m->name, most) &&
#define U32(name, most)   take_u32(in, &m->name, most) &&
#define U64(name, most)   take_u64(in, &m->name, most) &&
#define TEXT(name, most)  take_text(in, &m->name, most) &&
#include "ipc/item.def"

#define ITEM(name) \
	static bool put_item_##name(struct buf *b, const struct item_##name *m) { return
#define END_ITEM          !b->cut; }
#define U8(name, most)    put_u(b, 1, m->name, most) &&
#define U16(name, most)   put_u(b, 2, m->name, most) &&
#define U32(name, most)   put_u(b, 4, m->name, most) &&
#define U64(name, most)   put_u(b, 8, m->name, most) &&
#define TEXT(name, most)  put_text(b, m->name, most) &&
#include "ipc/item.def"

#define ITEM(name) \
	static bool take_list_##name(struct str *in, struct list *l, uint64_t most) \
	{ \
		uint16_t count; \
		struct item_##name item; \
		if (!take_u16(in, &count, most) || !take_bytes(in, &l->wire, MSG_OCTETS_MAX)) \
			return false; \
		l->count = count; \
		struct str rest = l->wire; \
		for (unsigned i = 0; i < count; i++) \
			if (!take_item_##name(&rest, &item)) \
				return false; \
		return rest.n == 0; \
	} \
	bool item_next_##name(struct list *l, struct item_##name *ret) \
	{ \
		if (l->count == 0 || !take_item_##name(&l->wire, ret)) \
			return false; \
		l->count--; \
		return true; \
	} \
	bool item_add_##name(struct buf *b, const struct item_##name *item) \
	{ \
		size_t was = b->n; \
		bool was_cut = b->cut; \
		b->cut = false; \
		bool good = put_item_##name(b, item); \
		if (!good) \
			b->n = was; \
		b->cut = was_cut; \
		return good; \
	}
#include "ipc/item.def"

/* Each message's reader, then its writer. */
#define MESSAGE(no, name, from, to) \
	static bool take_msg_##name(struct str *in, int *fd, struct msg_##name *m) { (void)m; return
#define END               in->n == 0 && *fd < 0; }
#define END_EMPTY         END
#define U8(name, most)    take_u8(in, &m->name, most) &&
#define U16(name, most)   take_u16(in, &m->name, most) &&
#define U32(name, most)   take_u32(in, &m->name, most) &&
#define U64(name, most)   take_u64(in, &m->name, most) &&
#define TEXT(name, most)  take_text(in, &m->name, most) &&
#define BYTES(name, most) take_bytes(in, &m->name, most) &&
#define ADDR(name)        take_addr(in, &m->name) &&
#define LIST(name, item, most) take_list_##item(in, &m->name, most) &&
#define FD(name)          take_fd(fd, &m->name) &&
#include "ipc/msg.def"

#define MESSAGE(no, name, from, to) \
	static bool put_msg_##name(struct buf *b, int *fd, const struct msg_##name *m) \
	{ (void)m; *fd = -1; return
#define END               !b->cut; }
#define END_EMPTY         END
#define U8(name, most)    put_u(b, 1, m->name, most) &&
#define U16(name, most)   put_u(b, 2, m->name, most) &&
#define U32(name, most)   put_u(b, 4, m->name, most) &&
#define U64(name, most)   put_u(b, 8, m->name, most) &&
#define TEXT(name, most)  put_text(b, m->name, most) &&
#define BYTES(name, most) put_bytes(b, m->name, most) &&
#define ADDR(name)        put_addr(b, &m->name) &&
#define LIST(name, item, most) put_list(b, &m->name, most) &&
#define FD(name)          (*fd = m->name) >= 0 &&
#include "ipc/msg.def"

/* The numbers lead to the functions: nobody else ever lists the messages. */
#define MESSAGE(no, name, from, to) \
	static bool take_any_##name(struct str *in, int *fd, struct msg *m) \
	{ return take_msg_##name(in, fd, &m->name); } \
	static bool put_any_##name(struct buf *b, int *fd, const struct msg *m) \
	{ return put_msg_##name(b, fd, &m->name); }
#include "ipc/msg.def"

static const struct kind {
	const char *name;
	unsigned from;
	unsigned to;
	bool (*take)(struct str *in, int *fd, struct msg *m);
	bool (*put)(struct buf *b, int *fd, const struct msg *m);
} kinds[MSG_NO_MAX] = {
#define MESSAGE(no, name, from, to) [no] = {#name, from, to, take_any_##name, put_any_##name},
#include "ipc/msg.def"
};
/* clang-format on */

static const struct kind *
kind_of(enum proc from, enum proc to, unsigned no)
{
	if (no >= MSG_NO_MAX || kinds[no].name == NULL)
		return NULL;
	if ((kinds[no].from & (unsigned)from) == 0 || (kinds[no].to & (unsigned)to) == 0)
		return NULL;
	return &kinds[no];
}

const char *
msg_name(enum msg_no no)
{
	return (unsigned)no < MSG_NO_MAX ? kinds[no].name : NULL;
}

enum rc
msg_encode(enum proc from, enum proc to, const struct msg *m, struct buf *b, int *ret_fd,
           struct err *e)
{
	const struct kind *kind = kind_of(from, to, (unsigned)m->no);
	int fd = -1;

	if (kind == NULL)
		return err_set(e, RC_PERM, "message %d does not go from %s to %s", (int)m->no,
		               proc_name(from), proc_name(to));
	buf_add_le(b, 2, (uint64_t)m->no);
	if (!kind->put(b, &fd, m) || b->n > MSG_OCTETS_MAX)
		return err_set(e, RC_PERM, "%s: a value is over its bounds", kind->name);
	*ret_fd = fd;
	return RC_OK;
}

enum rc
msg_decode(enum proc from, enum proc to, struct str wire, int fd, struct msg *ret,
           struct err *e)
{
	uint64_t no;
	const struct kind *kind;

	if (!take_number(&wire, 2, UINT16_MAX, &no))
		return err_set(e, RC_PERM, "a message of %zu octets", wire.n);
	kind = kind_of(from, to, (unsigned)no);
	if (kind == NULL)
		return err_set(e, RC_PERM, "message %u does not go from %s to %s", (unsigned)no,
		               proc_name(from), proc_name(to));
	ret->no = (enum msg_no)no;
	if (!kind->take(&wire, &fd, ret))
		return err_set(e, RC_PERM, "%s from %s is malformed", kind->name,
		               proc_name(from));
	return RC_OK;
}
