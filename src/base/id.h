/*
 * Message ids: 63 bits that sort by time. Microseconds since 2020 stand above the number of
 * the front end that made it, so two front ends never make the same one and one front end
 * makes each microsecond's only once. Printed as 13 letters of Crockford's base 32.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/str.h"

#define ID_TEXT_OCTETS 13
#define ID_MAKER_MAX 63

struct id_text {
	char c[ID_TEXT_OCTETS + 1];
};

struct id_source {
	unsigned maker; /* 0 to ID_MAKER_MAX */
	unsigned salt;  /* 0 to 63, drawn at start: a restart with the clock set back differs */
	uint64_t last_us; /* of the newest id */
};

/* Larger than every id this source made before, also when the clock steps back. */
uint64_t id_make(struct id_source *src, uint64_t wall_us);

unsigned id_maker(uint64_t id);

/* Wall clock, microseconds since 1970, at which it was made. */
uint64_t id_wall_us(uint64_t id);

struct id_text id_text(uint64_t id);

/* Exactly what id_text prints, in either case of letters. */
bool id_parse(struct str s, uint64_t *ret) MUST_CHECK;

#endif
