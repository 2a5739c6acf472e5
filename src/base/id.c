/*
 * Message ids. See id.h.
 */
#include "base/id.h"

#define EPOCH_US UINT64_C(1577836800000000) /* 2020-01-01T00:00:00Z */
#define TIME_SHIFT 12                       /* 6 bits maker, 6 bits salt below the time */
#define SIX_BITS 63U

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

uint64_t
id_make(struct id_source *src, uint64_t wall_us)
{
	uint64_t us = wall_us < EPOCH_US ? 1 : wall_us - EPOCH_US;

	if (us <= src->last_us)
		us = src->last_us + 1;
	src->last_us = us;
	return us << TIME_SHIFT | (uint64_t)(src->maker & SIX_BITS) << 6 |
	       (src->salt & SIX_BITS);
}

unsigned
id_maker(uint64_t id)
{
	return (unsigned)(id >> 6) & SIX_BITS;
}

uint64_t
id_wall_us(uint64_t id)
{
	return (id >> TIME_SHIFT) + EPOCH_US;
}

struct id_text
id_text(uint64_t id)
{
	struct id_text t;

	for (int i = ID_TEXT_OCTETS - 1; i >= 0; i--) {
		t.c[i] = alphabet[id & 31];
		id >>= 5;
	}
	t.c[ID_TEXT_OCTETS] = '\0';
	return t;
}

bool
id_parse(struct str s, uint64_t *ret)
{
	uint64_t id = 0;

	if (s.n != ID_TEXT_OCTETS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		size_t digit =
			str_find(STR("0123456789abcdefghjkmnpqrstvwxyz"), ascii_lower(s.p[i]));

		if (digit >= 32 || id >> 59 != 0)
			return false;
		id = id << 5 | digit;
	}
	*ret = id;
	return true;
}
