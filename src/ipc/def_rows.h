/*
 * Included at the head and the foot of msg.def and item.def: rows that the reader did not
 * define are empty, and after the reading all of them are forgotten. No include guard.
 */
#ifdef DEF_ROWS
#ifndef MESSAGE
#define MESSAGE(no, name, from, to)
#endif
#ifndef END
#define END
#endif
#ifndef END_EMPTY
#define END_EMPTY
#endif
#ifndef ITEM
#define ITEM(name)
#endif
#ifndef END_ITEM
#define END_ITEM
#endif
#ifndef U8
#define U8(name, most)
#endif
#ifndef U16
#define U16(name, most)
#endif
#ifndef U32
#define U32(name, most)
#endif
#ifndef U64
#define U64(name, most)
#endif
#ifndef TEXT
#define TEXT(name, most)
#endif
#ifndef BYTES
#define BYTES(name, most)
#endif
#ifndef ADDR
#define ADDR(name)
#endif
#ifndef LIST
#define LIST(name, item, most)
#endif
#ifndef FD
#define FD(name)
#endif
#else
#undef MESSAGE
#undef END
#undef END_EMPTY
#undef ITEM
#undef END_ITEM
#undef U8
#undef U16
#undef U32
#undef U64
#undef TEXT
#undef BYTES
#undef ADDR
#undef LIST
#undef FD
#endif
